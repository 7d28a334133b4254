"""What ``ko-v3`` reads that ``ko-v2`` did not, and where it abstains: an answer in words, an end that leaves open.

``closing_replies.jsonl`` holds replies written by the author of the rules: ``read`` (``ko-v2`` read another or none),
``open`` (``ko-v2`` read a letter that the end leaves open) and ``same`` (read alike, and to stay so). The blind batch
beside the table is by another hand: see ``docs/extractor.md``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.perf.extractor_table import BLIND, blind_batch
from driftgate.flows.extraction import extract_choice, rule_set_id

CITIES = ("서울", "부산", "대구", "광주")
CLOSING = [
    json.loads(line)
    for line in Path(__file__).with_name("closing_replies.jsonl").read_text(encoding="utf-8").splitlines()
]


def group(name: str) -> list[tuple[str, Sequence[str], str | None]]:
    """The written replies of a group: reply, choices, answer."""
    return [(row["reply"], row["choices"], row["answer"]) for row in CLOSING if row["group"] == name]


@pytest.mark.parametrize(("reply", "choices", "answer"), group("read"))
def test_reads_what_ko_v2_did_not(reply: str, choices: Sequence[str], answer: str | None) -> None:
    assert extract_choice(reply, choices).answer == answer
    assert extract_choice(reply, choices, rule_set="ko-v2").answer != answer


@pytest.mark.parametrize(("reply", "choices", "answer"), group("open"))
def test_a_letter_that_the_end_leaves_open_is_no_answer(reply: str, choices: Sequence[str], answer: None) -> None:
    assert extract_choice(reply, choices).answer is answer
    assert extract_choice(reply, choices, rule_set="ko-v2").answer is not None


@pytest.mark.parametrize(("reply", "choices", "answer"), group("same"))
def test_what_ko_v2_read_rightly_stays(reply: str, choices: Sequence[str], answer: str | None) -> None:
    assert extract_choice(reply, choices).answer == answer


@pytest.fixture(scope="module")
def blind() -> dict[str, Any]:
    return {name: blind_batch(name) for name in ("ko-v2", "ko-v3")}


def test_of_the_blind_replies_one_letter_in_100_is_wrong_and_one_abstention_in_10_needless(
    blind: dict[str, Any],
) -> None:
    read = blind["ko-v3"]
    letters, silent = read[read.found != ""], read[read.found == ""]
    assert len(letters) >= 100 and len(silent) >= 35
    assert letters.wrong.mean() <= 0.01
    assert silent.missed.mean() <= 0.10


def test_the_first_figures_of_the_blind_batch_are_those_that_the_page_states(blind: dict[str, Any]) -> None:
    read = blind["ko-v2"]
    assert (int(read.wrong.sum()), int(read.missed.sum())) == (5, 14)
    assert len({json.loads(line)["reply"] for line in BLIND.read_text(encoding="utf-8").splitlines()}) >= 148


FIRST = ("정답은 {}입니다.", "정답: {}\n", "**{}**\n", "{}가 정답입니다.", "따라서 답은 {}예요.", "옳은 것은 {}입니다.")
ENDS = (
    "어느 것이 맞는지 판단하기 어렵습니다.",
    "하나로 정할 수 없습니다.",
    "솔직히 잘 모르겠습니다.",
    "두 값이 모두 나올 수 있어 정답을 정하지 못하겠습니다.",
    "그런데 {other}도 정답이 될 수 있습니다.",
    "그러나 {own}는 옳은 설명이므로 정답이 될 수 없습니다.",
    "다시 보면 {own}는 아닌 것 같습니다.",
    "위의 답은 잘못되었습니다.",
    "I cannot determine which option is correct.",
)


@given(
    st.permutations("ABCD"),
    st.sampled_from(FIRST),
    st.sampled_from(ENDS),
    st.sampled_from(("", "<|im_end|>", "\n")),
)
def test_an_end_that_leaves_the_answer_open_takes_it_away(letters: list[str], first: str, end: str, token: str) -> None:
    own, other = letters[:2]
    reply = f"{first.format(own)} {end.format(own=own, other=other)}{token}"
    assert extract_choice(reply, CITIES).answer is None
    settled = f"{reply.removesuffix(token)} 따라서 최종 답은 {own}입니다.{token}"
    assert extract_choice(settled, CITIES).answer == own


@given(
    st.permutations(CITIES),
    st.sampled_from(
        ("입니다.", "이에요", "입니다!", "이 되겠습니다.", "에 해당합니다.", "이라고 합니다.", "**입니다.**")
    ),
    st.sampled_from(("우리나라에서 둘째로 큰 도시는 ", "바다에 닿아 있으므로 ", "따라서 ", "항구가 있는 곳은 바로 ")),
)
def test_one_choice_said_of_the_subject_is_the_answer_and_denied_or_joined_it_is_not(
    cities: list[str], ending: str, subject: str
) -> None:
    named, other = cities[:2]
    letter = "ABCD"[CITIES.index(named)]
    marked = ending.replace("이 ", "가 ", 1) if ending.startswith("이 ") and named in ("대구", "광주") else ending
    assert extract_choice(f"{subject}{named}{marked}", CITIES).answer == letter
    for denied in ("{0}이 아닙니다.", "{0}과 {1}입니다.", "{1}이나 {0}입니다.", "{0}일까요?"):
        assert extract_choice(subject + denied.format(named, other), CITIES).answer is None


def test_the_earlier_rule_set_stays_what_it_was() -> None:
    assert rule_set_id("ko-v2") == "ko-v2:7b6845"
