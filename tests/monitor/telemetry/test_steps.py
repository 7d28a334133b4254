"""What agents and tools did is kept as such, with the calls around it and within it; it is no call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import otlp_bodies as otlp
import pandas as pd
import pytest

from driftgate.monitor.telemetry import Decoded, Intake, Reason, Store, decode, forget_user, frame, pseudonyms, steps

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERIOD = NOON, NOON + timedelta(hours=1)
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 5}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "refunds", "gen_ai.conversation.id": "c-1"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}
FAILED: dict[str, Any] = {"status": {"code": 2}}


def within(number: int) -> dict[str, str]:
    return {"parentSpanId": f"{number:016x}"}


SPANS = [
    otlp.span(1, AGENT),
    otlp.span(2, {"http.request.method": "POST"}, **within(1)),
    otlp.span(3, CHAT, **within(2)),
    otlp.span(4, TOOL, **within(3), **FAILED),
    otlp.span(5, CHAT, **within(1)),
    otlp.span(6, CHAT),
]


def keep(store: Store, decoded: Decoded) -> None:
    store.append([*decoded.calls, *decoded.steps])


def table(folder: Path) -> pd.DataFrame:
    found = steps(folder, *PERIOD)
    return found.set_index(found["span_id"].map(lambda span: int(span, 16)))


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_agents_and_tools_are_kept_with_the_calls_around_and_within_them(
    tmp_path: Path, apart: bool, compacted: bool
) -> None:
    with Store(tmp_path) as store:
        for _ in range(2):  # again, as after a lost reply
            for bodies in [[span] for span in SPANS] if apart else [SPANS]:
                keep(store, decode(otlp.body(*bodies), otlp.JSON))
        if compacted:
            store.compact()
    found = table(tmp_path)
    assert found[["kind", "step", "operation"]].to_numpy().tolist() == [
        ["agent", "refunds", "invoke_agent"],
        ["tool", "look_up", "execute_tool"],
    ]
    assert found.loc[4, ["parent_id", "error", "latency"]].tolist() == [f"{3:016x}", "error", 0.8]
    # Where each span comes in a request of its own, nobody knows what an HTTP request stands within.
    made = [1, 5, "c-1"] if apart else [2, 10, "c-1"]
    assert found.loc[1, ["calls", "output_tokens", "conversation"]].tolist() == made
    assert found.loc[4, "calls"] == 0
    calls = frame(tmp_path, *PERIOD)
    assert [int(span, 16) for span in calls["span_id"]] == [3, 5, 6]
    assert calls["parent_id"].tolist() == [f"{2 if apart else 1:016x}", f"{1:016x}", ""]


def test_they_are_counted_as_before_and_nothing_said_is_kept_of_them() -> None:
    said = {"gen_ai.tool.call.arguments": "for kim@example.kr", "gen_ai.tool.description": "secret words"}
    decoded = decode(otlp.body(*SPANS[:3], otlp.span(4, TOOL | said)), otlp.JSON, intake=Intake(redact=str))
    assert decoded.left == {Reason.AGENT: 1, Reason.TOOL: 1, Reason.ORDINARY: 1}
    assert len(decoded.steps) == 2 and "secret words" not in repr(decoded.steps) and "kim" not in repr(decoded.steps)
    bad = decode(otlp.body(otlp.span(1, AGENT, spanId="x"), otlp.span(2, TOOL, startTimeUnixNano="0")), otlp.JSON)
    assert (bad.steps, bad.rejected) == ([], 0)


def test_a_user_who_is_forgotten_takes_what_agents_did_for_them_along(tmp_path: Path) -> None:
    intake = Intake(pseudonym=pseudonyms(tmp_path))
    theirs = [otlp.span(1, AGENT | {"user.id": "kim"}), *SPANS[1:5]]
    other = [{**span, "traceId": "ab" * 16} for span in (otlp.span(7, AGENT), otlp.span(8, CHAT, **within(7)))]
    with Store(tmp_path) as store:
        for bodies in (theirs, other):
            keep(store, decode(otlp.body(*bodies), otlp.JSON, intake=intake))
    assert forget_user(tmp_path, "kim").calls == 2
    assert [int(span, 16) for span in frame(tmp_path, *PERIOD)["span_id"]] == [8]
    assert table(tmp_path).index.tolist() == [7]
