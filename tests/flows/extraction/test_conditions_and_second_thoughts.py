"""What is said under a condition or only thought of is no answer; what a reply settles on in spite of it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.perf.extractor_table import BLIND_2, BLIND_3, blind_batch
from driftgate.flows.extraction import extract_choice, rule_set_id

CITIES = ("서울", "부산", "대구", "광주")
CURRENTS = ("2 A", "3 A", "4 A")
CONDITIONS = st.sampled_from(
    [
        "항구를 묻는다면 {}", "만약 바다에 접한다면 {}", "수도라면 정답은 {}", "분지가 아니라면 답은 {}",
        "내륙이었다면 {}가 맞았을 것이고",
        "정렬되어 있다면 이진 탐색을 쓸 수 있으므로 {}",
    ]
)  # fmt: skip
LETTERS = st.lists(st.sampled_from("ABCD"), min_size=2, max_size=3, unique=True)


@pytest.mark.parametrize(
    ("reply", "choices"),
    [
        ("항구를 묻는 경우 B, 분지를 묻는 경우 C가 정답입니다.", CITIES),
        ("항구가 있으면 B, 없으면 A를 고르면 됩니다. 어느 쪽인지는 문제에 없습니다.", CITIES),
        ("항구라면 B가 정답이 됩니다. 무엇을 묻는지 알려 주세요.", CITIES),
        ("항구라면 정답은 부산입니다.", CITIES),
        ("If it asks for a port, the answer is B; if it asks for a basin, the answer is C.", CITIES),
        ("따라서 정답은 30 A입니다.", CURRENTS),
        ("12를 0.4로 나누면 30 A이므로 정답은 30 A입니다.", CURRENTS),
    ],
)
def test_an_answer_under_a_condition_or_that_is_no_choice_is_none(reply: str, choices: Sequence[str]) -> None:
    assert extract_choice(reply, choices).answer is None


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("항구를 묻는 경우 B, 분지를 묻는 경우 C입니다. 여기서는 항구를 물었으므로 정답은 B입니다.", "B"),
        ("수도를 물었다면 A겠지만, 항구를 물었으므로 B가 맞습니다.", "B"),
        ("대구라면 분지이지만 항구를 물었으므로 답은 부산입니다.", "B"),
        ("①이라면 모순이고 ②라면 모순이므로 정답은 ③입니다.", "C"),
        ("하나만 고른다면 B를 선택하겠습니다.", "B"),
        ("그렇다면 정답은 B입니다.", "B"),
        ("계산하면 B입니다.", "B"),
        ("검토하면 A는 오답이고 정리하면 B가 정답입니다.", "B"),
        ("C로 할까 하다가 B로 결정했습니다.", "B"),
        ("서울(A)이 더 크니까 A로 할까 했습니다만, 항구를 묻고 있습니다. B로 확정하겠습니다.", "B"),
        ("A... 아니, 다시 보니 항구를 묻네요. B로 하겠습니다.", "B"),
        ("A입니다. 아니, 정정합니다. B입니다.", "B"),
        ("A와 B 중 고민했지만 A가 아닌 B가 정답입니다.", "B"),
        ("A와 B는 모두 대도시라서 헷갈립니다. 바다에 접했으므로 A보다는 B가 정확한 답입니다.", "B"),
        ("A와 B 모두 큰 도시입니다. 항구를 물었으므로 둘 중 B가 정답입니다.", "B"),
        ("A, C, D는 내륙이므로 제외. 결국 B만 남습니다.", "B"),
        ("A와 C는 탈락입니다. 따라서 바다에 접한 B가 답이 됩니다.", "B"),
        ("[정답] B\n[해설] 부산은 항구입니다.", "B"),
        ("A) 서울 B) 부산 C) 대구 D) 광주 중에서 항구를 찾는 문제입니다.\n\n바다와 접하므로 B입니다.", "B"),
        ("맞는 표기는 ‘B’입니다.", "B"),
        ("항구가 '아닌' 것은 C입니다. A, B, D는 참고할 필요가 없습니다.", "C"),
        ("A - 서울은 수도입니다. 부산은 항구, 대구는 분지입니다.", "A"),
    ],
)  # fmt: skip
def test_what_the_reply_settles_on_is_read(reply: str, answer: str) -> None:
    assert extract_choice(reply, CITIES).answer == answer


@pytest.mark.parametrize(
    "reply",
    [
        "정답은 B로 확정하기 어렵습니다.",
        "B로 할까 했지만 확신이 없어 고르지 않겠습니다.",
        "A와 B는 모두 도시입니다. 둘 중 A가 아닌 것이 답입니다.",
        "A와 B가 모두 정답입니다. A보다 B가 더 큽니다.",
        "항구인 도시는 B이고 분지인 도시는 C입니다.",
        "A - 부산은 항구입니다. 서울은 수도입니다.",
        "A가 아닌 B가 틀린 답입니다.",
        "바다에 접한 경우는 B입니다. 어느 쪽인지 알려 주세요. A일 때도 있습니다.",
        "정답은 C입니다. 그런데 A보다는 B가 더 적절합니다.",
    ],
)
def test_what_looks_like_a_second_thought_gives_no_letter(reply: str) -> None:
    assert extract_choice(reply, CITIES).answer is None


@given(
    letters=LETTERS,
    said=st.lists(CONDITIONS, min_size=3, max_size=3),
    end=st.sampled_from(["", " 어느 쪽인지 알려 주세요."]),
)
def test_letters_under_conditions_alone_are_never_the_answer(letters: list[str], said: list[str], end: str) -> None:
    reply = ". ".join(one.format(letter) + "입니다" for one, letter in zip(said, letters, strict=False)) + "." + end
    assert extract_choice(reply, CITIES).answer is None
    settled = extract_choice(f"{reply} 문제의 조건에 따라 정답은 {letters[0]}입니다.", CITIES)
    assert settled.answer == letters[0]


@pytest.mark.parametrize(("batch", "answers", "needless"), [(BLIND_2, 130, 0.1), (BLIND_3, 110, 0.2)])
def test_of_later_blind_replies_one_letter_in_100_is_wrong_and_few_abstentions_are_needless(
    batch: Path, answers: int, needless: float
) -> None:
    read = blind_batch("ko-v3", batch)
    letters, silent = read[read.found != ""], read[read.found == ""]
    assert len(letters) >= answers and len(silent) >= 30
    assert letters.wrong.mean() <= 0.01, letters[letters.wrong].id.tolist()
    assert silent.missed.mean() <= needless, silent[silent.missed].id.tolist()


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("정답은 A도 B도 아닌 C입니다.", "C"),
        ("정답은 A, B도 아니고 D예요.", "D"),
        ("A 말고 C요.", "C"),
        ("It's not A but C.", "C"),
        ("I'm changing my answer to D.", "D"),
        ("흔히 B로 착각하지만 실제로는 A이다.", "A"),
        ("처음에는 B라고 생각했으나 다시 보니 D가 맞습니다.", "D"),
        ("저라면 C를 고르겠어요. 나머지는 내륙이니까요.", "C"),
        ("C를 골랐습니다. 많은 분이 D를 고르시는데, D는 원인이 아니라 결과예요.", "C"),
        ("A와 C는 내륙이므로 제외. D는 섬이라 제외. 남는 것은 B.", "B"),
        ("모르겠지만 찍자면 D!", "D"),
        ("∴ D", "D"),
        ("A도 B도 정답이 아닙니다.", None),
        ("많은 분이 D를 고르십니다.", None),
        ("A도 B도 아닙니다.", None),
        ("It's not A.", None),
    ],
)
def test_one_that_is_told_from_others_is_the_answer(reply: str, answer: str | None) -> None:
    assert extract_choice(reply, CITIES).answer == answer


def test_the_first_figures_of_the_second_blind_batch_are_those_that_the_page_states() -> None:
    read = blind_batch("ko-v2", BLIND_2)
    assert (len(read), int(read.wrong.sum()), int(read.missed.sum())) == (200, 8, 26)
    assert (rule_set_id("ko-v1"), rule_set_id("ko-v2")) == ("ko-v1:f0ab7f", "ko-v2:7b6845")
