"""What is read out of a reply, case by case: the traps for an extractor, and the ways of answering in Korean."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from driftgate.flows.extraction import Extraction, extract_choice, rule_set_id
from driftgate.flows.extraction.rules import KO_V3

CITIES = ("서울", "부산", "대구", "광주")
VALUES = ("1", "3", "5", "7")
LANGUAGES = ("자바", "C 언어", "파이썬", "러스트")
PHRASES = ("a cat", "a dog", "the sun", "none of the above")

# (reply, choice texts, letter or None, rule)
ANSWERS: list[tuple[str, Sequence[str], str | None, str]] = [
    # the letter alone
    ("B", (), "B", "first_line/letter"),
    ("B.", (), "B", "first_line/letter"),
    ("(B)", (), "B", "first_line/letter"),
    ("[B]", (), "B", "first_line/letter"),
    ("「B」", (), "B", "first_line/letter"),
    ("- B", (), "B", "first_line/letter"),
    ("> B", (), "B", "first_line/letter"),
    ("**B**", (), "B", "first_line/letter"),
    ("`B`", (), "B", "first_line/letter"),
    ("b", (), "B", "first_line/letter"),
    ("(b)", (), "B", "first_line/letter"),
    ("Ｂ", (), "B", "first_line/letter"),
    ("Ⓒ", (), "C", "first_line/letter"),
    ("Option B", (), "B", "first_line/letter"),
    ("B번", (), "B", "first_line/letter"),
    ("B입니다", (), "B", "first_line/letter"),
    ("Ｃ입니다.", (), "C", "first_line/letter"),
    ("B\n\n해설: A는 서울이다. C는 대구다.", CITIES, "B", "first_line/letter"),
    ("E\n```", (), "E", "first_line/letter"),
    ("D\n\n질문: 다음 중\n정답: A", (), "D", "first_line/letter"),
    ("<think>A? B?</think>C", (), "C", "first_line/letter"),
    # the letter with the choice's text
    ("B: 10 120", (), "B", "first_line/letter_unchecked"),
    ("D) 4.65", (), "D", "first_line/letter_unchecked"),
    ("B. 부산", CITIES, "B", "first_line/letter_text"),
    ("(B) 부산", CITIES, "B", "first_line/letter_text"),
    ("B 부산", CITIES, "B", "first_line/letter_text"),
    ("B부산광역시", ("서울", "부산광역시", "대구"), "B", "first_line/letter_text"),
    ("B: 부산 (B: Busan)", CITIES, "B", "first_line/letter_text"),
    ("C: 알파 지오메트릭", ("모자이크", "포토그래픽", "알파 지오메트릭", "뉴메릭"), "C", "first_line/letter_text"),
    ("B: 에어핸들링 유닛", ("패키지형 공조기", "에어핸드링 유닛"), "B", "first_line/letter_text"),  # misspelt
    ("D: 130", ("D = 115", "D = 120", "D = 125", "D = 130"), "D", "first_line/letter_text"),
    ("B: 서울", CITIES, None, "mismatch"),
    ("A. 뜨임", CITIES, None, "mismatch"),
    ("C: 35", ("5", "15", "25", "35"), None, "mismatch"),
    ("A: 부산, 대구, 광주", (), "A", "first_line/letter_unchecked"),
    # numbers
    ("③", (), "C", "first_line/circled"),
    ("❸", (), "C", "first_line/circled"),
    ("③번입니다", (), "C", "first_line/circled"),
    ("③ 대구", CITIES, "C", "first_line/circled_text"),
    ("③ 부산", CITIES, None, "mismatch"),
    ("3번", (), "C", "first_line/number"),
    ("3번 대구", CITIES, "C", "first_line/number_text"),
    ("3", CITIES, "C", "first_line/digit"),
    ("３", CITIES, "C", "first_line/digit"),
    ("3) 대구", CITIES, "C", "first_line/digit"),
    ("3. 대구", CITIES, "C", "first_line/digit"),
    ("3", (), None, "ambiguous_digit"),  # the third choice or the value three
    ("3", VALUES, None, "ambiguous_digit"),  # the third choice is 5
    ("7", VALUES, "D", "first_line/text"),
    ("3번째", (), None, "none"),
    ("300℃", (), None, "none"),
    ("15", (), None, "none"),
    # the choice's text
    ("부산", CITIES, "B", "first_line/text"),
    ("부산입니다.", CITIES, "B", "first_line/text"),
    ("「부 산」", CITIES, "B", "first_line/text"),
    ("부산입니다. 항구 도시이기 때문입니다.", CITIES, "B", "first_line/text"),
    ("1.5입니다", ("1.5", "15", "-1.5", "1/5"), "A", "first_line/text"),
    ("-1.5", ("1.5", "15", "-1.5", "1/5"), "C", "first_line/text"),
    ("C 언어", LANGUAGES, "B", "first_line/text"),
    ("a dog", PHRASES, "B", "first_line/text"),
    ("A dog", PHRASES, "B", "first_line/text"),
    ("복원중", ("복원중", "복원중", "대구"), None, "none"),  # two choices have this text
    ("부", CITIES, None, "none"),
    ("E", ("K", "W", "E", "F"), "C", "first_line/text"),  # no choice is lettered E, one reads E
    # announced
    ("정답은 B입니다", (), "B", "declared/letter"),
    ("답: B", (), "B", "declared/letter"),
    ("정답 : B", (), "B", "declared/letter"),
    ("정답 B", (), "B", "declared/letter"),
    ("**정답**: B", (), "B", "declared/letter"),
    ("**정답: B**", (), "B", "declared/letter"),
    ("정답 (Answer): A", (), "A", "declared/letter"),
    ("정답은 'B'입니다.", (), "B", "declared/letter"),
    ("정답은 보기 B", (), "B", "declared/letter"),
    ("정답은 Ｂ번입니다", (), "B", "declared/letter"),
    ("정답은 B로 보입니다", (), "B", "declared/letter"),
    ("정답은 B이고, A는 함정입니다.", (), "B", "declared/letter"),
    ("정답은 B: 부산입니다.\n\n해설:", CITIES, "B", "declared/letter_text"),
    ("정답은 **B) 부산**입니다.", CITIES, "B", "declared/letter_text"),
    ("정답은 B: 20.50입니다.", (), "B", "declared/letter_unchecked"),
    ("정답: ③", (), "C", "declared/circled"),
    ("정답: ③\n해설: ①은 틀리다", CITIES, "C", "declared/circled"),
    ("정답은 **③ 대구**입니다.", CITIES, "C", "declared/circled_text"),
    ("정답은 2번이 맞습니다.", (), "B", "declared/number"),
    ("정답은 2번 부산입니다", CITIES, "B", "declared/number_text"),
    ("정답: 3", CITIES, "C", "declared/digit"),
    ("정답은 부산입니다. 왜냐하면 바다가 있다.", CITIES, "B", "declared/text"),
    ("답은 (나)", ("(가)", "(나)", "(다)"), "B", "declared/text"),
    ("정답은 C언어입니다", ("자바", "C언어", "파이썬"), "B", "declared/text"),
    ("정답은 서울이 아니라 부산입니다", CITIES, "B", "in_words/text"),
    ("항구가 가장 큰 도시는 **부산**입니다.", CITIES, "B", "in_words/text"),
    ("대구는 내륙이라서 탈락. 남은 것은 B 부산입니다.", CITIES, "B", "closes/letter_text"),
    ("가장 알맞은 것은 B예요.", (), "B", "which_is/letter"),
    ("가장 가까운 항목은 B이다.", (), "B", "best/letter"),
    ("저는 B라고 생각합니다.", (), "B", "believed/letter"),
    ("서울도 크지만 B가 가장 알맞습니다.", (), "B", "fits/letter"),
    ("정답은 B: 서울입니다", CITIES, None, "mismatch"),
    ("오답은 A입니다", (), None, "none"),
    ("응답: B", (), None, "none"),
    ("정답은 A형입니다", (), None, "none"),
    ("정답은 A 형입니다", (), None, "none"),
    ("The answer is C", (), "C", "declared/letter"),
    ("The correct answer is (B).", (), "B", "declared/letter"),
    ("Answer: **C**", (), "C", "declared/letter"),
    ("Answer: B because the sea is near", (), "B", "declared/letter"),
    ("So answer is option B.", (), "B", "declared/letter"),
    ("First I thought A, but the answer is B.", (), "B", "declared/letter"),
    ("The answer is A dog", (), None, "none"),
    ("The answer is I think unclear", (), None, "none"),
    ("답은 다음과 같습니다.\n\nB", (), "B", "announced/letter"),
    ("답은 다음과 같습니다: B", (), "B", "announced/letter"),
    ("정답은 다음과 같습니다.\n\n1.", CITIES, None, "none"),
    # machine-readable and headed
    ("<answer>B</answer>", (), "B", "tag/letter"),
    ("<answer>부산</answer>", CITIES, "B", "tag/text"),
    ("<answer>B</answer><answer>C</answer>", (), None, "several"),
    ('{"answer": "B"}', (), "B", "json/letter"),
    ('{"reasoning": "A와 B", "answer": "C"}', (), "C", "json/letter"),
    ("{'answer': 'C'}", (), "C", "json/letter"),
    ('```json\n{"정답": "D"}\n```', (), "D", "json/letter"),
    ('{"answer": 2}', CITIES, "B", "json/digit"),
    ('{"answer": null}', (), None, "none"),
    (r"\boxed{B}", (), "B", "boxed/letter"),
    (r"정답은 $\boxed{\textbf{(C)}}$ 입니다", (), "C", "boxed/letter"),
    ("### ANSWER  \nB", (), "B", "heading/letter"),
    ("### Reasoning\nOption A is fine, B is not.\n\n### ANSWER\nD", (), "D", "heading/letter"),
    ("**정답**\n**B**", (), "B", "heading/letter"),
    # chosen
    ("I'd pick C", (), "C", "chosen/letter"),
    ("I would choose option D.", (), "D", "chosen/letter"),
    ("I choose A because it is near", (), "A", "chosen/letter"),
    ("Thus, B is the answer.", (), "B", "chosen/letter"),
    ("Option C is the best choice.", (), "C", "chosen/letter"),
    ("나는 B를 고르겠다", (), "B", "chosen/letter"),
    ("B가 정답이고 나머지는 오답이다", (), "B", "chosen/letter"),
    ("2번이 정답입니다", (), "B", "chosen/number"),
    ("②번이 정답입니다", (), "B", "chosen/circled"),
    ("I pick a dog", PHRASES, None, "none"),
    ("C가 맞다", (), "C", "right/letter"),
    ("D가 가장 적합한 답변입니다.", (), "D", "right/letter"),
    ("C is correct.", (), "C", "right/letter"),
    ("3번이 맞습니다", (), "C", "right/number"),
    ("A is incorrect. B is correct.", (), None, "negated"),
    ("A is larger than the others", (), None, "none"),
    ("옳지 않은 것은 B입니다.", (), "B", "which_is/letter"),
    ("틀린 것은 B: 부산입니다.", CITIES, "B", "which_is/letter_text"),
    ("알맞은 것은 E: 일반인입니다.", (), "E", "which_is/letter_unchecked"),
    ("항구가 아닌 것은 대구", CITIES, "C", "which_is/text"),
    # at the end
    ("65\nC", ("46", "50", "65", "75"), "C", "last_line/letter"),
    ("계산하면 65이다.\n\nC", (), "C", "last_line/letter"),
    ("계산하면 다음과 같이 정의된다.\n\nC", (), None, "none"),
    ("131 kg/day → C", (), "C", "arrow/letter"),
    ("A → B", (), None, "none"),
    ("지드래곤 (A)", (), "A", "in_brackets/letter"),
    ("중지미수 (B)입니다.", (), "B", "in_brackets/letter"),
    ("여름에는 바다를 찾으므로 그러므로 B입니다.", (), "B", "concluded/letter"),
    # negation
    ("A는 오답", (), None, "negated"),
    ("(A)는 오답이고 답은 D", (), "D", "declared/letter"),
    ("A가 아니라 B", (), "B", "first_line/letter"),
    ("정답은 A가 아니라 B입니다", (), "B", "declared/letter"),
    ("정답은 A가 아닙니다. 정답은 B입니다.", (), "B", "declared/letter"),
    ("정답은 A가 아니다", (), None, "negated"),
    ("A가 정답이 아닙니다", (), None, "negated"),
    ("The answer is not A", (), None, "negated"),
    ("The answer is not A but B", (), "B", "declared/letter"),
    ("The best answer is C, not B.", (), "C", "declared/letter"),
    ("A, B, C는 오답이므로 정답은 D", (), "D", "declared/letter"),
    # several
    ("A, B", (), None, "several"),
    ("A와 C", (), None, "several"),
    ("정답은 A 또는 C입니다", (), None, "several"),
    ("①, ③", (), None, "several"),
    ("A\nB\nC\nD", (), None, "several"),
    ("A. 서울\nB. 부산\nC. 대구", CITIES, None, "several"),
    ("A: 뜨임, B: 풀림, C: 담금질", (), None, "several"),
    ("A. 서울\nB. 부산\nC. 대구\nD. 광주\n\n정답: B", CITIES, "B", "declared/letter"),
    ("A, B, C, D 중에 정답은 B입니다.", (), "B", "declared/letter"),
    ("A, B, C, D 중에 알파벳 하나로 답", (), None, "none"),
    # other questions than the one asked
    ("질문 1의 정답은 C입니다.\n\n질문 2의", (), None, "numbered"),
    ("첫 번째 질문의 답은 A입니다.", (), None, "numbered"),
    ("1. B\n2. D\n3. B", (), None, "numbered"),
    ("A를 선택해 보겠습니다.\n\n1. D", (), None, "numbered"),
    ("C 언어에서 사용되는 자료형이 아닌 것은?\n\nA: double, B", (), None, "none"),
    ("C 언어에서 사용되는 자료형이 아닌 것은?\n\n정답은 C", (), None, "none"),
    # reasoning before the answer
    ("풀이: A는 틀렸고 B도 틀렸다. 따라서 정답은 D이다.", (), "D", "declared/letter"),
    ("정답은 A라고 생각했지만 다시 보면 정답은 C입니다.", (), "C", "declared/letter"),
    ("<think>아마 A일 것이다", (), None, "unfinished"),
    # stray letters are no answers
    ("Unable to determine", (), None, "none"),
    ("A dog", (), None, "none"),
    ("I think", (), None, "none"),
    ("Because A is first", (), None, "none"),
    ("A good answer is hard to find", (), None, "none"),
    ("C++", (), None, "none"),
    ("E = mc^2", (), None, "none"),
    ("F(t)의 최종값은 3입니다.", (), None, "none"),
    ("D-day", (), None, "none"),
    ("A형 간염", (), None, "none"),
    ("비타민 C가 많다", (), None, "none"),
    ("A 회사가 B 회사를 인수했다", (), None, "none"),
    ("RATE_LIMIT_ERROR", (), None, "none"),
    ("", (), None, "none"),
    # beyond the choices
    ("E", CITIES, None, "out_of_range"),
    ("정답은 E입니다", CITIES, None, "out_of_range"),
    ("⑤", CITIES, None, "out_of_range"),
    ("5번", CITIES, None, "out_of_range"),
    ("F", (), None, "out_of_range"),
]


@pytest.mark.parametrize(("reply", "choices", "answer", "rule"), ANSWERS)
def test_reads_the_answer_and_names_the_rule(reply: str, choices: Sequence[str], answer: str | None, rule: str) -> None:
    assert extract_choice(reply, choices) == Extraction(answer, rule)


PARTICLES = ["입니다", "이다", "이에요", "이며", "이고", "이라고", "로", "가", "이", "을", "은", "는"]


@pytest.mark.parametrize("particle", PARTICLES)
@pytest.mark.parametrize("letter", "ABCD")
def test_a_particle_may_be_glued_to_an_announced_letter(letter: str, particle: str) -> None:
    assert extract_choice(f"정답은 {letter}{particle} 봅니다").answer == letter


@pytest.mark.parametrize("noun", ["형", "급", "등급", "언어", "회사", "지점", "학점", "반", "세포"])
def test_a_noun_glued_to_a_letter_makes_it_part_of_a_word(noun: str) -> None:
    assert extract_choice(f"정답은 A{noun}입니다").answer is None
    assert extract_choice(f"A{noun}입니다").answer is None


def test_every_place_and_every_form_has_a_case() -> None:
    rules = {rule for *_, answer, rule in ANSWERS if answer}
    assert {rule.split("/")[0] for rule in rules} == {place.name for place in KO_V3.places}
    forms = {form.name for form in KO_V3.forms}
    assert {rule.split("/")[1].split("_")[0] for rule in rules} - {"text"} == forms


def test_letters_say_how_many_choices_there_are_when_their_texts_are_unknown() -> None:
    assert extract_choice("J", letters="ABCDEFGHIJ").answer == "J"
    assert extract_choice("정답은 E입니다", letters="ABCD") == Extraction(None, "out_of_range")
    assert extract_choice("E").answer == "E"


def test_refuses_what_it_cannot_letter() -> None:
    with pytest.raises(ValueError, match="found 11 choices"):
        extract_choice("A", ["x"] * 11)
    with pytest.raises(ValueError, match="expected A and those that follow"):
        extract_choice("A", letters="BCD")
    with pytest.raises(ValueError, match="no rule set 'ko-v0'; known: ko-v1"):
        extract_choice("A", rule_set="ko-v0")
    with pytest.raises(ValueError, match="no rule set 'ko-v0'; known: ko-v1"):
        rule_set_id("ko-v0")


def test_the_rule_set_is_known_by_its_content() -> None:
    # Stored scores carry this id. If it changes, publish the rules under a new name and measure them again.
    assert rule_set_id() == "ko-v3:8a11e5"
