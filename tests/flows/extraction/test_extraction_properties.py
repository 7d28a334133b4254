"""What holds for every reply, whatever a model writes."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from driftgate.flows.extraction import extract_choice

LETTERS = "ABCDEFGHIJ"

# Fragments of real replies, so that generated text meets the rules rather than missing all of them.
# fmt: off
FRAGMENTS = st.sampled_from([
    "A", "B", "C", "D", "E", "J", "a", "b", "Ｂ", "(", ")", "[", "]", "**", "`", ":", ".", ",", "?", "\n", "#", "→",
    "{", "}", "정답은", "정답", "답:", "답", "입니다", "이다", "가", "는", "은", "아니라", "오답", "또는", "와",
    "따라서", "맞습니다", "선택", "옳은", "것은", "질문", "1의", "질문:", "서울", "부산", "①", "③", "⑤", "3번", "3",
    "15", "1.5", "１", "Ⅰ", "℃", "\u200b", "\u3000", "The", "answer", "is", "I'd", "pick", "or", "not",
    "<answer>", "</answer>", "\\boxed{", '"answer":', "<think>", "</think>",
])
# fmt: on
REPLIES = st.one_of(
    st.text(), st.lists(FRAGMENTS, max_size=14).map("".join), st.lists(FRAGMENTS, max_size=14).map(" ".join)
)
CHOICES = st.lists(st.one_of(st.text(max_size=8), FRAGMENTS), max_size=10)
FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in map(chr, range(0x21, 0x7F))}


@given(REPLIES, CHOICES)
@example("정답은 E입니다", ["서울", "부산"])
def test_an_answer_is_always_one_of_the_choices(reply: str, choices: list[str]) -> None:
    found = extract_choice(reply, choices)
    assert found.answer is None or found.answer in LETTERS[: len(choices) or 5]
    assert ("/" in found.rule) == (found.answer is not None)


@given(REPLIES, st.integers(1, 10))
def test_without_texts_an_answer_is_one_of_the_letters(reply: str, count: int) -> None:
    assert extract_choice(reply, letters=LETTERS[:count]).answer in (None, *LETTERS[:count])


@given(REPLIES, CHOICES, st.text(" \t\n\r\u3000", max_size=4), st.text(" \t\n\r\u3000", max_size=4))
def test_white_space_around_a_reply_changes_nothing(reply: str, choices: list[str], before: str, after: str) -> None:
    assert extract_choice(before + reply + after, choices) == extract_choice(reply, choices)


@given(REPLIES, CHOICES)
@example("정답은 B입니다", [])
def test_composed_and_decomposed_hangul_read_alike(reply: str, choices: list[str]) -> None:
    composed, decomposed = (
        extract_choice(unicodedata.normalize(form, reply), [unicodedata.normalize(form, c) for c in choices])
        for form in ("NFC", "NFD")
    )
    assert composed == decomposed


@given(st.lists(FRAGMENTS, max_size=10).map(" ".join))
@example("(B)")
@example("정답: B.")
def test_full_width_and_ascii_read_alike(reply: str) -> None:
    ascii_only = "".join(c for c in reply if c.isascii() or "가" <= c <= "힣")
    assert extract_choice(ascii_only.translate(FULL_WIDTH)) == extract_choice(ascii_only)


@given(st.sampled_from("ABCDE"), st.text("가나다라마바사아자차 ,.", max_size=60))
def test_the_last_declared_answer_wins_over_reasoning(letter: str, reasoning: str) -> None:
    assert extract_choice(f"풀이를 적는다 {reasoning}\n\n정답: {letter}").answer == letter


CORRECTIONS = (
    "다시 확인해 보니 {}가 정답입니다.",
    "아니, 정정합니다. {}입니다.",
    "따라서 정답은 {}입니다.",
    "가장 적절한 것은 {}이다.",
    "Wait, the correct answer is {}.",
    "최종 답: {}",
)


@given(
    st.permutations("ABCD"),
    st.sampled_from(("{}", "{}입니다.", "정답은 {}입니다.", "The answer is {}.", "### ANSWER\n{}", "{}) ")),
    st.text("가나다라마바사아자차 ,.", max_size=60),
    st.sampled_from(CORRECTIONS),
    st.sampled_from(("", "<|im_end|>", "</s>")),
)
def test_a_letter_that_is_taken_back_is_never_the_answer(
    letters: list[str], first: str, between: str, correction: str, end: str
) -> None:
    said, meant = letters[:2]
    reply = f"{first.format(said)}\n\n{between}\n\n{correction.format(meant)}{end}"
    assert extract_choice(reply).answer in (None, meant)
