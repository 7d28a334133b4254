"""Replies that the rule set ``ko-v1`` read wrong or not at all, and what must not change beside them.

``written_replies.jsonl`` holds them, written by the author of the rules, in three groups: ``read``, read another way or
not at all before; ``taken_back``, whose first letter is not what they end with (``answer`` is, and none is right too);
``stands``, whose explanation speaks of other choices and takes nothing back, and others that are read as before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from driftgate.flows.extraction import extract_choice, rule_set_id

CITIES = ("서울", "부산", "대구", "광주")
WRITTEN = [
    json.loads(line)
    for line in Path(__file__).with_name("written_replies.jsonl").read_text(encoding="utf-8").splitlines()
]


def group(name: str) -> list[tuple[str, Sequence[str], str | None]]:
    """The written replies of a group: reply, choices, answer."""
    return [(row["reply"], row["choices"], row["answer"]) for row in WRITTEN if row["group"] == name]


TAKEN_BACK = group("taken_back")


@pytest.mark.parametrize(("reply", "choices", "answer"), group("read"))
def test_reads_what_ko_v1_did_not(reply: str, choices: Sequence[str], answer: str | None) -> None:
    assert extract_choice(reply, choices).answer == answer
    assert extract_choice(reply, choices, rule_set="ko-v2").answer == answer
    assert extract_choice(reply, choices, rule_set="ko-v1").answer != answer


@pytest.mark.parametrize(("reply", "choices", "end"), TAKEN_BACK)
def test_a_letter_that_the_reply_takes_back_is_not_its_answer(reply: str, choices: Sequence[str], end: str) -> None:
    assert extract_choice(reply, choices).answer in (None, end)
    assert extract_choice(reply, choices, rule_set="ko-v2").answer in (None, end)
    assert extract_choice(reply, choices, rule_set="ko-v1").answer not in (None, end)


@pytest.mark.parametrize(("reply", "choices", "answer"), group("stands"))
def test_what_explains_takes_nothing_back(reply: str, choices: Sequence[str], answer: str | None) -> None:
    assert extract_choice(reply, choices).answer == answer


def test_most_of_what_is_taken_back_is_read_to_its_end() -> None:
    read = [extract_choice(reply, choices).answer is not None for reply, choices, _ in TAKEN_BACK]
    assert sum(read) >= 0.7 * len(read)


@pytest.mark.parametrize(
    "token", ["<|im_end|>", "</s>", "<|eot_id|>", "<end_of_turn>", "<|endoftext|>", "<|end|>", "<eos>"]
)
@pytest.mark.parametrize("reply", ["B", "**B**", "정답: B", "B. 부산", "부산", "The answer is:\n\nB", "②"])
def test_an_end_token_and_what_follows_it_are_not_the_reply(reply: str, token: str) -> None:
    assert extract_choice(reply + token, CITIES).answer == "B"
    assert extract_choice(f"{reply}{token}\n<|im_start|>user\n정답: C", CITIES).answer == "B"


def test_a_choice_in_brackets_goes_by_either_name_unless_it_looks_like_a_letter() -> None:
    jobs = ("작업 수행 조사 체계(WPSS)", "중요사건 기록법(CIT)", "기능적 직무분석(DPT)")
    assert extract_choice("DPT입니다.", jobs).answer == extract_choice("기능적 직무분석", jobs).answer == "C"
    assert extract_choice("C입니다.", ("탄소(C)", "규소(Si)", "인(P)", "황(S)")).answer == "C"


def test_behind_a_question_number_only_a_letter_with_its_own_text_is_the_answer() -> None:
    assert extract_choice("질문 6의 정답은 C: 대구", CITIES).answer == "C"
    assert extract_choice("질문 1의 정답은 C: 새들", CITIES).answer is None
    assert extract_choice("질문 6의 정답은 C", CITIES).answer is None


def test_the_earlier_rule_set_stays_what_it_was() -> None:
    assert rule_set_id("ko-v1") == "ko-v1:f0ab7f"
