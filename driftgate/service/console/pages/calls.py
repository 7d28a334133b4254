"""The calls behind a finding: a sample of the newest window, with what telemetry keeps of each, redacted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftgate.api.explaining import find_alert
from driftgate.flows.errors import DriftgateError
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._table import Column, Table, in_memory

DRAWN = 200
"""Calls that are drawn of a window; whole traces, so that there may be some more."""
_TEXT = 2000
COLUMNS = (
    Column("time", "time"),
    Column("slice", filter=True),
    Column("request_model", filter=True),
    Column("response_model", filter=True),
    Column("finish_reason", filter=True),
    Column("error", "long", filter=True),
    Column("latency", "seconds"),
    Column("input_tokens", "number"),
    Column("output_tokens", "number"),
    Column("input_text", "long", sort=False),
    Column("output_text", "long", sort=False),
    Column("trace_id"),
)


@dataclass(frozen=True)
class CallFacts:
    """Which calls are shown."""

    key: str
    monitor: str
    summary: str
    start: datetime
    end: datetime
    shown: int
    share: float
    """Of the window's calls."""
    texts: bool
    """Whether telemetry keeps the content of any of them."""


def _load(console: Console, asked: Asked) -> Content:
    workspace = console.workspace
    try:
        row = find_alert(workspace.ledger, asked.path["key"])
    except DriftgateError as problem:
        raise Missing(problem.message, problem.remedy) from problem
    window = row.alert.current
    rows, share = console.memo.get(("calls", row.alert.key), 30.0, lambda: _drawn(console, row))
    facts = CallFacts(
        row.alert.key,
        row.monitor,
        row.alert.summary,
        window.start,
        window.end,
        len(rows),
        share,
        any(one["input_text"] or one["output_text"] for one in rows),
    )
    return Content(facts, (Table("calls", COLUMNS, in_memory(rows), sort="-time"),), row.alert.title)


def _drawn(console: Console, row: Any) -> tuple[list[dict[str, Any]], float]:
    from driftgate.monitor.telemetry import sample

    names = tuple(column.name for column in COLUMNS)
    config = console.workspace.files.config.monitors.get(row.monitor)
    model = config.traffic.request_model if config is not None and config.traffic is not None else ""
    window = row.alert.current
    found = sample(
        console.workspace.files.telemetry,
        window.start,
        window.end,
        only={"request_model": model} if model else {},
        columns=names,
        most=DRAWN,
    )
    calls = found.calls.head(DRAWN).astype(object)
    calls = calls.where(calls.notna(), None)
    rows = [{str(name): _cut(value) for name, value in one.items()} for one in calls.to_dict("records")]
    if row.alert.slices:
        rows = [one for one in rows if not one["slice"] or one["slice"] in row.alert.slices]
    return rows, found.share


def _cut(value: Any) -> Any:
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    return value[:_TEXT] if isinstance(value, str) else value


PAGE = Page("/findings/{key}/calls", "calls", _load, section="monitors")
