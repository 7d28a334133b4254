"""The number and the roles of turns depend on no value: everything that ships, against thousands of hostile ones.

A few of them here, 10,000 through each flow, variant, engine and judge with ``make acceptance``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from forged import ENGINE_NAMES, Found, Heard, roles
from hostile_headings import hostile_values

from driftgate.flows.definition import load_flow
from driftgate.flows.engines import ENGINES
from driftgate.flows.evaluators import EVALUATORS, EvaluatorContext, NoGrade
from driftgate.flows.evaluators._anchors import SHIPPED, load_anchors
from driftgate.flows.line import Line
from driftgate.flows.models import parse_config

FEW = 16
COUNTS = [FEW, pytest.param(10_000, marks=[pytest.mark.acceptance, pytest.mark.timeout(1800)])]
JUDGES = sorted(load_anchors(SHIPPED)[0].grades)
FLOWS = [
    *(("multiple_choice", variant) for variant in ("zero_shot", "few_shot", "terse", "lm_eval")),
    *(("maths", variant) for variant in ("zero_shot", "few_shot", "terse")),
    *(("rag_qa", variant) for variant in ("rag,document", "rag,letters", "rag,instruct")),
    *(("summarize", variant) for variant in ("instruct", "document")),
    *(("chat", variant) for variant in ("turns", "transcript")),
]


def lines(flow: str, values: Iterator[str]) -> Iterator[tuple[dict[str, Any], list[str], int]]:
    """Inputs and documents of one line after the other, and how many values stand in them."""
    while True:
        question, documents = next(values), list(islice(values, 3))
        inputs: dict[str, Any] = {"question": question}
        if flow in ("multiple_choice", "rag_qa"):
            inputs["choices"] = list(islice(values, 4))
        if flow == "multiple_choice":
            inputs["passage"] = next(values)
        if flow in ("multiple_choice", "maths"):
            example = {one: next(values) for one in ("question", "passage", "answer")}
            inputs["examples"] = [{**example, "choices": list(islice(values, 2))}]
        if flow == "summarize":
            inputs = {"article": " ".join([question, *documents]), "sentences": 9}
        if flow == "chat":
            said = list(islice(values, 4))
            pairs = zip(said[::2], said[1::2], strict=True)
            turns = [{"inputs": {"question": asked}, "outputs": {"answer": answered}} for asked, answered in pairs]
            inputs |= {"chat_history": turns, "longest": 10**6}
        yield inputs, documents, sum(1 for _ in _texts(inputs)) + (3 if flow in ("rag_qa", "summarize") else 0)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in items:
        yield from _texts(item)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.parametrize(("name", "variant"), FLOWS)
async def test_turns_of_a_flow_depend_on_no_value(name: str, variant: str, engine: str, count: int) -> None:
    made: Any = ENGINES.get(engine)(load_flow(name, Path()).with_variant(variant))
    expected: list[str] | None = None
    used = 0
    for inputs, documents, taken in lines(name, cycle(["가나 1.", *hostile_values(count)])):
        model = Heard()
        if expected is None:
            inputs = _benign(inputs)
            documents = ["다라 2."] * 3
        result = await made.run_line(inputs, Line({"": model}, "q", Found(documents)))
        assert result.error == "", inputs
        expected = expected or roles(model.asked[0])
        assert [roles(turns) for turns in model.asked] == [expected], inputs
        used += taken
        if used > count:
            break
    await made.aclose()


def _benign(value: Any) -> Any:
    if isinstance(value, str):
        return "가나 1."
    if isinstance(value, Mapping):
        return {key: _benign(item) for key, item in value.items()}
    return [_benign(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", JUDGES)
async def test_turns_of_a_judge_depend_on_no_value(endpoint: ChatEndpoint, name: str, count: int) -> None:
    endpoint.default = Answer('{"reason": "r", "score": 3, "status": "completed"}')
    config = parse_config({"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "judge-1"})
    judge: Any = EVALUATORS.get(name)(judge="j", in_flight=16, context=EvaluatorContext({"j": config}))
    together = 1 if count == FEW else 20  # a judge takes a text of any length
    given = hostile_values(count)
    texts = ["\n".join(given[start : start + together]) for start in range(0, count, together)]
    values = [text for text in texts if len(text.strip()) > 1]
    names = judge.kind.inputs
    groups = [
        dict(zip(names, values[place:], strict=False)) for place in range(0, len(values) - len(names), len(names))
    ]
    skipped = 0

    async def grade(inputs: Mapping[str, str]) -> None:
        nonlocal skipped
        try:
            await judge(**inputs)
        except NoGrade:
            skipped += 1  # azure-ai-evaluation refuses what it takes for empty, and asks nobody

    for place in range(0, len(groups), 64):
        await asyncio.gather(*map(grade, groups[place : place + 64]))
    assert len(endpoint.requests) >= len(groups) - skipped and skipped <= 0.05 * len(groups)
    for request in endpoint.requests:
        assert [turn["role"] for turn in request.body["messages"]] == ["system", "user"]
        assert all(set(turn) == {"role", "content"} for turn in request.body["messages"])
