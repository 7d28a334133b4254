"""Flows of the kinds that prompt flow's documentation teaches, in words of our own: their files and their suites.

Each is what a team would bring: a flow's folder as prompt flow runs it, rows of data, a suite of ``driftgate.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chat_endpoint import Answer

TOOL = "from promptflow.core import tool\n\n\n@tool\n"
JUDGE = {"type": "open_ai", "configs": {"base_url": "${env:JUDGE_URL}"}, "secrets": {"api_key": "${env:JUDGE_KEY}"}}


@dataclass(frozen=True)
class Fault:
    """What a person gets wrong, and what they are told before anybody is asked."""

    kind: str
    """``missing input``, ``mistyped connection``, ``unused model`` or ``misnamed output``."""
    says: str
    """A pattern of the sentence."""
    suite: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the suite that are otherwise; None takes one out."""
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By file: a text of it, and what stands in its place."""


@dataclass(frozen=True)
class Example:
    """One flow with its data."""

    name: str
    files: Mapping[str, str]
    rows: tuple[Mapping[str, Any], ...]
    suite: Mapping[str, Any]
    answers: tuple[str, ...]
    """What each row is answered, in its order."""
    correct: float
    asked: int
    """Requests of a run."""
    faults: tuple[Fault, ...]
    aggregates: Mapping[str, float] = field(default_factory=dict)
    """Scores that aggregation nodes log."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """The model's settings, where it is not the service at the endpoint."""


def matched(response: str) -> dict[str, Any]:
    """The evaluator that holds a response against the right answer of the row."""
    inputs = {"response": response, "ground_truth": "${data.truth}"}
    return {"evaluator": "normalised_match", "inputs": inputs}


def reply(prompt: str) -> Answer:
    """What the service answers: it reads pages, writes code, greets, grades, whatever the example asks."""
    for pattern, said in _REPLIES:
        if found := re.search(pattern, prompt, re.DOTALL):
            return Answer(found.expand(said) if "\\" in said else said)
    return Answer("?")


_REPLIES = (
    (r"grade from 1 to 5.*answer: 모릅니다", "1"),
    (r"grade from 1 to 5", "The grade is 5"),
    (r"how true is '공손하다'", '{"score": 4, "explanation": "높임말"}'),
    (r"how true is", '{"score": 2, "explanation": "길다"}'),
    (r"one category.*지도", '{"category": "App", "evidence": "Text content"}'),
    (r"one category", '{"category": "Academic", "evidence": "Both"}'),
    (r"in one sentence", "요약: 길을 찾는 지도"),
    (r"write Python.*12 \* 3", "print(12 * 3)"),
    (r"write Python", "print(7 - 2)"),
    (r"greet (\w+)", r"안녕하세요, \1 님"),
    (r"이름은 하나.*내 이름은\?", "하나"),
    (r"내 이름은\?", "모릅니다"),
    (r"수도는", "서울"),
)
