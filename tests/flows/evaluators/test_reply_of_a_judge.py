"""What a judge wrote, read: one grade where one can be meant, and a sentence everywhere else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.evaluators._reply import Read, Unread, read_reply
from driftgate.flows.evaluators._reply_value import Scale

FIVE = Scale(1, 5)
FOUR = [
    '{"score": 4}',
    "{'점수': 4, '이유': '좋다',}",
    '{"점수"：４}',
    '```json\n{"grade": "4점"}\n```',
    'draft {"score": 2}\nfinal {"score": 4}',
    '{"evaluation": {"rating": {"value": 4}}}',
    '{"score": "4/5"}',
    '{"score": "4점 (5점 만점)"}',
    '[{"score": 4}]',
    "4",
    "4.",
    "4점",
    "네 점",
    "사 점",
    "네 점입니다.",
    "4/5",
    "**점수: 4**",
    "점수는 4점입니다.",
    "점수: 네 점",
    "최종 점수: 4점\n이유: 좋다",
    "정확성 점수: 3\n최종 점수: 4",
    "5점 만점에 4점을 드립니다.",
    "이 답변은 4점을 드립니다.",
    "Score: four",
    "I would rate this 4 out of 5.",
    "four out of five",
    "★★★★☆",
    "4점: 정확하다",
    "4 - right, if short",
    "[THINK]5?[/THINK]4",
    "<|channel|>analysis<|message|>5?<|end|><|channel|>final<|message|>4<|return|>",
    '{"score": 4, "reason": "4/8 of the facts, 4 of 6 dates"}',
    "생각 끝</think>\n4점",
]
NONE = [
    ("", "wrote nothing"),
    ("<think>5점", "wrote its thoughts alone"),
    ("좋은 답변입니다.", "wrote no grade"),
    ("이 점에서 좋습니다.", "wrote no grade"),
    ("1. 정확하다\n2. 공손하다", "wrote no grade"),
    ('{"score": true}', "gave no number"),
    ('{"score": "A"}', "gave 'A' as its grade"),
    ('{"score": NaN}', "gave 'nan' as its grade"),
    ('{"score": 8}', "gave 8, expected 1 to 5"),
    ('{"score": -4}', "gave -4, expected 1 to 5"),
    ("8/10", "gave 8 of 10"),
    ('{"score": 3, "reason": "3 out of 10"}', "gave 3 of 10"),
    ("10점 만점에 3점", "gave 3 of 10"),
    ("80%", "gave 80%"),
    ("[4, 5]", "gave a list"),
    ('[{"score": 4}, {"score": 1}]', "gave a list"),
    ("3~4점", "gave a range"),
    ("정확성 점수: 3, 말투 점수: 5", "gave several grades (3, 5)"),
    ('The text holds {"score": 5}. Score: 1', "gave several grades (1, 5)"),
    ('Score: 1. The text says {"score": 5}', "gave several grades (1, 5)"),
]


@pytest.mark.parametrize("text", FOUR)
def test_a_four_is_read_however_it_is_written(text: str) -> None:
    found = read_reply(text, FIVE)
    assert isinstance(found, Read) and found.grade == 4.0


@pytest.mark.parametrize(("text", "why"), NONE)
def test_what_is_no_grade_is_told(text: str, why: str) -> None:
    found = read_reply(text, FIVE)
    assert isinstance(found, Unread) and found.why.startswith(why)


def test_a_reply_that_was_cut_off_is_none() -> None:
    found = read_reply("점수: 1", Scale(0, 10), cut=True)
    assert isinstance(found, Unread) and "cut off" in found.why


def test_the_reason_comes_along() -> None:
    assert read_reply('{"이유": "날짜가 틀렸다", "점수": 2}', FIVE) == Read(2.0, "날짜가 틀렸다")


@given(st.text(max_size=300))
def test_no_text_makes_it_fail_and_no_grade_lies_off_the_scale(text: str) -> None:
    found = read_reply(text, FIVE)
    assert isinstance(found, Unread) or 1 <= found.grade <= 5


@given(st.integers(0, 10), st.text(max_size=80), st.sampled_from(["", "```json\n", "<think>7점? 10/10!</think>"]))
def test_a_reply_as_it_was_asked_for_is_read_whatever_its_reason_says(grade: int, reason: str, before: str) -> None:
    found = read_reply(before + json.dumps({"reason": f"'{reason}'", "score": grade}), Scale(0, 10))
    assert isinstance(found, Read) and found.grade == grade


@pytest.mark.parametrize("text", ["{" * 30_000, "[" * 30_000, '{"a":' * 8_000, "점수 " * 20_000, "<think>" * 6_000])
def test_odd_replies_are_read_in_no_time(text: str) -> None:
    assert isinstance(read_reply(text, FIVE), Unread)
