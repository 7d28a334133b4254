"""``tool_calls``: planted faults are found by kind, sound traces are let be, and what is not read is not nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.perf.tool_call_table import TOOLS, TRACES, judged, table
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EVALUATORS
from driftgate.flows.tool_calls import KINDS, MadeCall, read_calls

ROWS: list[dict[str, Any]] = [json.loads(line) for line in TRACES.read_text(encoding="utf-8").splitlines()]
SOUND = [row for row in ROWS if not row["kinds"] and read_calls(row["calls"])]
SCHEMAS = json.loads(TOOLS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", ["open", "held"])
def test_planted_faults_are_found_by_kind_and_sound_traces_are_let_be(part: str) -> None:
    traces = judged(part)
    rows = table(traces)
    assert {row.kind for row in rows if row.planted >= 2} == set(KINDS)
    assert all(row.found >= 0.9 * row.planted for row in rows), [row for row in rows if row.found < row.planted]
    assert sum(row.false for row in rows) <= 1
    assert sum(bool(one.found) for one in traces if not one.planted) == 0


def test_there_are_sixty_faulty_traces_in_every_form() -> None:
    assert sum(bool(row["kinds"]) for row in ROWS) >= 60
    faulty = {row["form"] for row in ROWS if row["kinds"]}
    assert faulty == {"messages", "calls", "responses", "anthropic", "azure", "gemini", "spans", "otlp", "events"}


def evaluate(row: dict[str, Any], calls: Any, **more: Any) -> dict[str, Any]:
    evaluator = EVALUATORS.get("tool_calls")(**row.get("settings", {}))
    return dict(evaluator(calls=calls, expected=row["expected"], tools=SCHEMAS[row["tools"]], **more))


def written(calls: list[MadeCall]) -> list[dict[str, Any]]:
    return [{"name": call.name, "arguments": call.arguments, "id": f"n{place}"} for place, call in enumerate(calls)]


@pytest.mark.parametrize("row", SOUND, ids=[row["id"] for row in SOUND])
def test_a_sound_trace_that_is_spoilt_is_sound_no_more(row: dict[str, Any]) -> None:
    """A tool under another name, a call with an argument of its own, and a call once more: never better than before."""
    calls = [call for call in read_calls(row["calls"]) if not call.failed]
    before = evaluate(row, written(calls))
    assert before["correct"] == 1.0
    renamed = [MadeCall(f"{calls[0].name}_v2", calls[0].arguments), *calls[1:]]
    invented = [*calls[:-1], MadeCall(calls[-1].name, {**calls[-1].arguments, "zzz": 1})]
    again = [*calls, next(call for call in calls if call.name not in row.get("settings", {}).get("repeatable", []))]
    for spoilt in (renamed, invented, again):
        after = evaluate(row, written(spoilt))
        assert after["correct"] == 0.0, after["found"]
        shares = ("name", "arguments", "order", "adherence")
        assert all(after[name] <= before[name] for name in shares if name in before and name in after)


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        ("재시도하겠습니다.", "text"),
        ({"answer": "서울"}, "answer"),
        ([{"question": "?"}], "question"),
        (3, "int"),
        ([{"name": "chat gpt", "attributes": {"gen_ai.operation.name": "chat"}}], "what its model said"),
        (
            [{"name": "x", "attributes": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "pay"}}],
            "with which arguments",
        ),
    ],
)
def test_what_holds_no_calls_is_not_read_as_no_call(calls: Any, says: str) -> None:
    with pytest.raises(DriftgateError, match=says if says != "text" else "str"):
        EVALUATORS.get("tool_calls")()(calls=calls, expected=[])


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        (None, "expected is empty"),
        ("", "expected is empty"),
        ([{"nam": "x"}], "nam"),
        ([{"name": "x", "argument": {}}], "'argument'"),
        ({"call": []}, "'call'"),
        ({"calls": [], "order": "sorted"}, "sorted"),
        ([{"name": "x", "arguments": {"a": {"$regexp": "b"}}}], "regexp"),
        ([{"name": "x", "arguments": {"a": {"$regex": "("}}}], "no pattern"),
        ([{"name": "x", "arguments": {"a": {"$numeric": "many"}}}], "numeric"),
        ([{"name": "x", "arguments": {"a": {"$numeric": 1, "$about": 2}}}], "about"),
    ],
)
def test_expected_calls_that_cannot_be_read_are_refused_before_a_run(expected: Any, says: str) -> None:
    evaluator = EVALUATORS.get("tool_calls")()
    assert says in evaluator.unfit("expected", expected)
    with pytest.raises(DriftgateError):
        evaluator(calls=[], expected=expected)


def test_tools_alone_are_enough_and_neither_is_refused() -> None:
    evaluator = EVALUATORS.get("tool_calls")()
    tools = SCHEMAS["weather"]
    found = evaluator(calls=[{"name": "get_weather", "arguments": {"days": "3"}}], tools=tools)
    assert found["kinds"] == "missing_argument, wrong_type" and found["adherence"] == 0.0 and "name" not in found
    with pytest.raises(DriftgateError, match="neither expected nor tools"):
        evaluator(calls=[])


def test_tools_that_a_trace_defines_are_used() -> None:
    span = {
        "name": "chat gpt",
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.tool.definitions": json.dumps(SCHEMAS["weather"]),
            "gen_ai.output.messages": json.dumps(
                [{"role": "assistant", "parts": [{"type": "tool_call", "name": "get_news", "arguments": {}}]}]
            ),
        },
    }
    assert EVALUATORS.get("tool_calls")()(calls=[span])["kinds"] == "unknown_tool"
