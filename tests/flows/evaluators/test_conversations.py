"""Conversations are judged over their turns: the speech level, and the turn that contradicts one before it."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from benchmarks.perf.conversation_table import CONVERSATIONS, judged, precision, recall, table
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EVALUATORS

LEVELS = CONVERSATIONS.with_name("speech_levels.csv")
"""Sentences with their level, empty where the last word shows none; written while the rules were made."""
POLITE, ASKED = "네, 내일 오전에 보내 드립니다.", {"role": "user", "content": "언제 보내요?"}


def turns(*said: str, asked: str = "") -> list[dict[str, str]]:
    found = []
    for text in said:
        found += [{"role": "user", "content": asked or "네?"}, {"role": "assistant", "content": text}]
    return found


@pytest.mark.parametrize(("part", "found", "right"), [("open", 0.95, 0.95), ("held", 0.9, 0.9), ("fresh", 0.85, 0.8)])
def test_the_turn_that_contradicts_is_found(part: str, found: float, right: float) -> None:
    conversations = judged(part)
    assert recall(conversations) >= found
    assert precision(conversations) >= right


def test_there_are_forty_of_each() -> None:
    conversations = judged()
    assert sum(row.planted for row in table(conversations) if row.kind != "meaning") >= 40
    assert sum(one.kind == "sound" for one in conversations) >= 40


def test_whom_a_turn_contradicts_is_told() -> None:
    evaluate = EVALUATORS.get("contradiction")()
    said = [
        {"role": "user", "content": "저희는 다섯 명이에요. 배송비는 얼마예요?"},
        {"role": "assistant", "content": "배송비는 3,000원입니다."},
        {"role": "user", "content": "예약해 주세요."},
    ]
    user = evaluate(turns=said, response="여섯 명으로 예약했습니다.")
    assert (user["memory"], user["itself"], user["turn"]) == (0.0, 1.0, 4.0)
    itself = evaluate(turns=said, response="배송비는 2,500원입니다.")
    assert (itself["memory"], itself["itself"], itself["kinds"]) == (1.0, 0.0, "quantity")
    assert "3,000원" in itself["found"] and "2,500원" in itself["found"]
    assert evaluate(turns=said, response="다섯 명으로 예약했습니다.")["consistent"] == 1.0


def test_what_stood_in_the_history_is_not_the_response_s_fault() -> None:
    history = turns("배송비는 3,000원입니다.", "배송비는 2,500원입니다.")
    evaluate = EVALUATORS.get("contradiction")()
    assert evaluate(turns=history)["turn"] == 4.0
    assert evaluate(turns=[*history, ASKED], response="내일 보냅니다.")["consistent"] == 1.0


def test_levels_of_sentences_are_told() -> None:
    evaluate = EVALUATORS.get("honorifics")()
    wrong = []
    for row in csv.DictReader(LEVELS.read_text(encoding="utf-8").splitlines()):
        level, sentence = row["level"], row["sentence"]
        if level:
            found = evaluate(turns=turns(sentence))["level"]
        else:  # a heading beside a polite sentence is no break
            found = "" if evaluate(turns=turns(f"{POLITE}\n{sentence}"))["share"] == 1.0 else "read"
        wrong += [] if found == level else [(level, found, sentence)]
    assert wrong == []


@pytest.mark.parametrize(
    ("said", "turn"),
    [
        (["배송은 이틀 걸립니다.", "내일 도착합니다.", "감사합니다. 또 오세요!"], 0),
        (["배송은 이틀 걸립니다.", "내일 도착해요."], 4),
        (["배송은 이틀 걸려요.", "내일 도착해."], 4),
        (["배송은 이틀 걸려.", "내일 도착해.", "내일 도착합니다."], 6),
        (["배송은 이틀 걸려요. 근데 나도 잘 몰라."], 2),
        (["안녕하세요! 배송은 이틀 걸립니다.", "“빨리 와”라고 적혀 있습니다."], 0),
        (["- 신분증\n- 통장 사본\n두 가지를 준비해 주세요.", "```\nreturn 가자\n```\n이 코드를 쓰세요."], 0),
        (["연차는 15일이다.", "이월은 3월까지다."], 0),
    ],
)
def test_a_turn_that_leaves_the_level_is_named(said: list[str], turn: int) -> None:
    found = EVALUATORS.get("honorifics")()(turns=turns(*said))
    assert found["turn"] == turn and found["consistent"] == float(turn == 0), found["found"]


def test_settings_and_wishes_count() -> None:
    mixed = turns("배송은 이틀 걸립니다.", "내일 도착해요.")
    assert EVALUATORS.get("honorifics")(either=True)(turns=mixed)["consistent"] == 1.0
    assert EVALUATORS.get("honorifics")(wanted="해요체")(turns=mixed)["as_wanted"] == 0.5
    assert EVALUATORS.get("honorifics")(wanted="존댓말")(turns=mixed)["as_wanted"] == 1.0
    asked = [*turns("배송은 이틀 걸립니다."), *turns("내일 도착해!", asked="이제 반말로 해 줘")]
    assert EVALUATORS.get("honorifics")()(turns=asked)["consistent"] == 1.0
    with pytest.raises(ValueError, match="wanted"):
        EVALUATORS.get("honorifics")(wanted="공손")


SAID = turns("배송비는 3,000원입니다.", "배송비는 2,500원입니다.")


@pytest.mark.parametrize(
    "given",
    [
        SAID,
        json.dumps(SAID, ensure_ascii=False),
        {"messages": SAID},
        {"conversation": {"messages": SAID}},
        [{"role": one["role"], "content": [{"type": "text", "text": one["content"]}]} for one in SAID],
        [{"role": one["role"], "parts": [{"type": "text", "content": one["content"]}]} for one in SAID],
        [
            {"inputs": {"question": SAID[place]["content"]}, "outputs": {"answer": SAID[place + 1]["content"]}}
            for place in (0, 2)
        ],
        [{"role": "system", "content": "배송비는 9,000원이라고 말하지 마세요."}, *SAID],
    ],
)
@pytest.mark.parametrize("name", ["contradiction", "honorifics"])
def test_turns_are_read_in_every_form(name: str, given: Any) -> None:
    found = EVALUATORS.get(name)()(turns=given)
    assert found["turn"] == (4.0 if name == "contradiction" else 0.0)


@pytest.mark.parametrize(
    "given", [str(SAID), "안녕하세요", [], [{"role": "user", "content": "?"}], [{"text": "가"}], 3]
)
@pytest.mark.parametrize("name", ["contradiction", "honorifics"])
def test_what_is_no_conversation_is_refused(name: str, given: Any) -> None:
    with pytest.raises(DriftgateError):
        EVALUATORS.get(name)()(turns=given)


def test_no_korean_sentence_is_no_consistent_level() -> None:
    with pytest.raises(ValueError, match="speech level"):
        EVALUATORS.get("honorifics")()(turns=turns("It ships tomorrow."))
