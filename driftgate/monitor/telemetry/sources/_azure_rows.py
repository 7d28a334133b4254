"""From rows of Azure Monitor Logs to model calls, and to what was told of them apart.

Of every call it is known where its input and its answer are told, or why they are not. Application Insights moves seven
attributes into a table of their own and leaves a pointer whose wording is not documented, so a pointer is never told by
its words: what the conventions want as a list of messages and is none is taken for one, and the text comes from the
table, joined by trace and span.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.network import Unreadable, read_json
from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake, clean
from driftgate.monitor.telemetry._logs import EVENTS, part_of
from driftgate.monitor.telemetry._messages import parsed
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._record import OF_INPUT, OF_OUTPUT, ModelCall
from driftgate.monitor.telemetry._span import Span, first, of_log
from driftgate.monitor.telemetry._spans import in_dialect, step_of
from driftgate.monitor.telemetry.dialects import dialect_of

CUT_AT = 8192
"""Characters that the Azure Monitor exporter keeps of an attribute."""
_MOVED = {names.INPUT_MESSAGES: "input", names.OUTPUT_MESSAGES: "output", names.SYSTEM_INSTRUCTIONS: ""}
_COLUMNS = {
    "InputMessages": names.INPUT_MESSAGES,
    "OutputMessages": names.OUTPUT_MESSAGES,
    "SystemInstructions": names.SYSTEM_INSTRUCTIONS,
}
_OF_SIDE = {"input": ("input", "prompt"), "output": ("output", "completion", "generated")}
"""What the attributes are called that hold parts of an input, and of an answer."""
_KEPT = {"input": OF_INPUT, "output": (*OF_OUTPUT, "tool_calls")}


def call_of(row: Mapping[str, Any], intake: Intake) -> ModelCall | Reason:
    """The call that a span tells of, or why it is none."""
    span, half, untold = _span_of(row)
    dialect = dialect_of(span)
    if isinstance(dialect, Reason):
        return Reason.UNREADABLE if half is not None and not span.attributes else dialect
    call = in_dialect(span, intake, dialect)
    if row["Success"] in (None, "") and not call.error:  # empty tells nothing: true is what no failure is
        call = replace(call, error=None)
    for side, why in untold.items():
        if why == "cut" or not getattr(call, f"{side}_from"):
            changed: dict[str, Any] = {f"{side}_from": why, **dict.fromkeys(_KEPT[side])}
            call = replace(call, **changed)
    return call


def step_of_row(row: Mapping[str, Any], intake: Intake, kind: Reason) -> ModelCall:
    """What the span of an agent or a tool tells; nothing of what was said."""
    return step_of(_span_of(row)[0], intake, kind)


def _span_of(row: Mapping[str, Any]) -> tuple[Span, str | None, dict[str, str]]:
    """The span of a row, in which attribute it was cut off, and which sides it does not tell, and why."""
    attributes, half = properties_of(row["Properties"])
    name = clean(str(row["Name"] or ""))
    if half is not None:
        named = _by_name(name)
        attributes = named | {key: value for key, value in attributes.items() if value is not None or key not in named}
    whole, untold = _without_halves(attributes)
    untold |= dict.fromkeys(_sides_of(half or ""), "cut")
    span = Span(
        trace_id=clean(str(row["OperationId"])),
        span_id=clean(str(row["Id"])),
        start=time_of(row),
        latency=None if (milliseconds := _number(row["DurationMs"])) is None else milliseconds / 1000,
        attributes=whole,
        failed=row["Success"] in (False, 0, "False", "false"),
        weight=max(int(_number(row["ItemCount"]) or 1), 1),
        name=name,
        parent_id=clean(str(row["ParentId"] or "")),
    )
    return span, half, untold


def record_of(row: Mapping[str, Any]) -> Span:
    """A log record, or an event of a span, which Application Insights keeps as a trace of the span's."""
    attributes, _ = properties_of(row["Properties"])
    message = str(row["Message"] or "")
    named = (first(attributes, names.EVENT_NAMES), row["Name"], message)
    event = next((clean(str(one)) for one in named if one and one in EVENTS), "")
    body = None if message == event else parsed(message)
    if isinstance(body, str) and body[:1] in ("{", "["):
        body = None  # cut on the way: half a text is none
    held, _ = _without_halves(attributes)
    return of_log(
        clean(str(row["OperationId"])).lower(),
        clean(str(row["ParentId"] or "")).lower(),
        time_of(row),
        event,
        held,
        body or None,
        "",
    )


def content_of_row(row: Mapping[str, Any], intake: Intake) -> ModelCall:
    """What was asked and answered in a call, as the table of texts has it."""
    told: dict[str, Any] = {}
    untold: dict[str, str] = {}
    for column, name in _COLUMNS.items():
        text, side = row[column], _MOVED[name]
        if _is_messages(text):
            told[name] = text
        elif side:
            untold[side] = "cut" if text and text not in ("[]", "{}") else "empty"
    part = part_of(
        clean(str(row["TraceId"])), clean(str(row["SpanId"])), time_of(row), [(names.DETAILS_EVENT, told)], intake
    )
    places: dict[str, Any] = {f"{side}_from": why for side, why in untold.items()}
    for name, side in _MOVED.items():
        if side and side not in untold and len(_as_text(told[name])) >= CUT_AT:
            places[f"{side}_from"] = "apart_long"
    return replace(part, **places)


def time_of(row: Mapping[str, Any]) -> datetime:
    """When a row's span or record began.

    Raises
    ------
    DriftgateError
        The service gave no time.
    """
    moment = row["TimeGenerated"]
    if not isinstance(moment, datetime):
        raise DriftgateError(f"Azure Monitor Logs gave {moment!r} as TimeGenerated, expected a time")
    return moment.astimezone(UTC)


def properties_of(value: Any) -> tuple[dict[str, Any], str | None]:
    """The attributes of a row, and the name of the one in which they were cut off; None: they are whole.

    Azure Monitor keeps 64 KB of a row's attributes, and gives what was cut as a text that is no JSON any more.

    Examples
    --------
    >>> properties_of('{"gen_ai.system": "openai", "gen_ai.input.messages": "[{')
    ({'gen_ai.system': 'openai', 'gen_ai.input.messages': None}, 'gen_ai.input.messages')
    >>> properties_of('{"gen_ai.system": "openai"}')
    ({'gen_ai.system': 'openai'}, None)
    """
    if isinstance(value, dict):
        return value, None
    if not isinstance(value, str):
        return {}, None
    try:
        found = read_json(value)
    except Unreadable:
        return _until_the_cut(value)
    return (found, None) if isinstance(found, dict) else ({}, None)


def _until_the_cut(text: str) -> tuple[dict[str, Any], str]:
    decoder, found, name = json.JSONDecoder(), {}, ""
    place = text.find("{") + 1
    try:
        while True:
            name = ""
            key, place = decoder.raw_decode(text, _past(text, place, ","))
            name = str(key)
            place = _past(text, place, ":")
            found[name], place = decoder.raw_decode(text, place)
    except (ValueError, RecursionError):
        if name:
            found[name] = None
        return found, name


def _past(text: str, place: int, mark: str) -> int:
    """The place behind white space and one mark."""
    while place < len(text) and (text[place].isspace() or text[place] == mark):
        place += 1
    return place


def _by_name(name: str) -> dict[str, Any]:
    """What the name of a span tells by the conventions: ``{operation} {model}``."""
    operation, _, model = name.partition(" ")
    return {names.OPERATION: operation, names.REQUEST_MODEL: model} if operation in names.INFERENCE else {}


def _without_halves(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The attributes that say what the application said, and why the input or the answer is not among them."""
    whole: dict[str, Any] = {}
    untold: dict[str, str] = {}
    for name, value in attributes.items():
        if isinstance(value, str) and len(value) >= CUT_AT:
            untold |= dict.fromkeys(_sides_of(name), "cut")
        elif name in _MOVED and value is not None and not _is_messages(value):
            if side := _MOVED[name]:
                untold.setdefault(side, "withheld" if value not in ("", "[]", "{}", []) else "empty")
        else:
            whole[name] = value
    return whole, untold


def _is_messages(value: Any) -> bool:
    """Whether a value is what the conventions want of messages and of instructions: a list of objects."""
    found = parsed(value)
    return isinstance(found, list) and any(isinstance(entry, dict) for entry in found)


def _sides_of(name: str) -> list[str]:
    if "token" in name:
        return []
    return [side for side, words in _OF_SIDE.items() if any(word in name for word in words)]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> float | None:
    """A number of a column; None where there is none, or where it is no finite one."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
