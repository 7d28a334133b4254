"""Calls of tools in spans of OpenTelemetry's GenAI conventions.

What a model asked for stands in the messages of its ``chat`` spans, what was carried out in ``execute_tool`` spans.
Both are read, and a call that stands in both counts once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from driftgate.flows import genai
from driftgate.flows.errors import DriftgateError
from driftgate.flows.tool_calls._items import MadeCall, arguments_of, of_items
from driftgate.flows.tracing import CONTENT

_CALL_ID = "gen_ai.tool.call.id"
_ARGUMENTS = ("gen_ai.tool.call.arguments", "gen_ai.tool.arguments", "tool_arguments")
_EVENT_CONTENT = ("gen_ai.event.content", "gen_ai.choice", "gen_ai.completion")
_SAYING = ("gen_ai.client.inference.operation.details", "gen_ai.choice", "gen_ai.assistant.message")
"""Events that hold what was said, the surest first."""
_ASKED = ("chat", "generate_content", "text_completion")
_STARTS = ("start_time_unix_nano", "startTimeUnixNano", "start_time", "startTime", "timestamp", "time")


def is_span(item: Any) -> bool:
    """Whether an item is a span: it has attributes, and is no message."""
    return isinstance(item, Mapping) and "attributes" in item and "role" not in item


def calls_of_spans(spans: Sequence[Mapping[str, Any]]) -> list[MadeCall]:
    """The calls in spans, in the order in which they began.

    Raises
    ------
    DriftgateError
        The spans do not hold what was said, so that nobody knows whether there were calls, or with which arguments.
    """
    read = [(span, attributes_of(span)) for span in _in_order(spans)]
    operations = {str(attributes.get(genai.OPERATION, "")) for _, attributes in read}
    # An agent's own span says again what the spans of its model say.
    chats = bool(operations & set(_ASKED))
    told = []
    for span, attributes in read:
        operation = attributes.get(genai.OPERATION, "")
        if operation in _ASKED if chats else operation != "execute_tool":
            told += _told(span, attributes)
    asked = [call for one in told for call in _of_told(one)]
    found = list({call.id or f"#{place}": call for place, call in enumerate(asked)}.values())
    carried_out = [(span, own) for span, own in read if own.get(genai.OPERATION) == "execute_tool"]
    executed = [_executed(span, own) for span, own in carried_out]
    recorded = any(name in own for _, own in carried_out for name in _ARGUMENTS)
    if not found and not recorded and (executed or not told):
        what = "with which arguments its tools were called" if executed else "what its model said"
        raise DriftgateError(f"the trace does not hold {what}", f"set {CONTENT}=true where the agent runs")
    if not found:
        return executed
    known = {call.id for call in found if call.id}
    failed = {call.id for call in executed if call.id and call.failed}
    found = [replace(call, failed=call.failed or call.id in failed) for call in found]
    return found + [call for call in executed if call.id and known and call.id not in known]


def attributes_of(span: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by name, also where they are written as OTLP writes them in JSON."""
    told = span.get("attributes") or {}
    if isinstance(told, Mapping):
        return dict(told)
    return {str(one.get("key")): _value(one.get("value")) for one in told if isinstance(one, Mapping)}


def definitions_in(spans: Any) -> Any:
    """The tools that the model of some span could call; None where no span says so."""
    for span in spans if isinstance(spans, list) else ():
        if is_span(span) and (told := attributes_of(span).get("gen_ai.tool.definitions")):
            return json.loads(told) if isinstance(told, str) else told
    return None


def _in_order(spans: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    name = next((name for name in _STARTS if all(name in span for span in spans)), None)
    if name is None:
        return list(spans)
    starts = [span[name] for span in spans]
    if all(isinstance(start, (int, float)) or str(start).isdigit() for start in starts):
        return sorted(spans, key=lambda span: float(span[name]))
    return sorted(spans, key=lambda span: str(span[name]))


def _told(span: Mapping[str, Any], attributes: Mapping[str, Any]) -> list[Any]:
    """What a model said in a span, from its output messages, or its events where it has none."""
    if (told := attributes.get(genai.OUTPUT_MESSAGES)) is not None:
        return [told]
    events = [event for event in span.get("events") or () if isinstance(event, Mapping)]
    for name in _SAYING:  # beside what a model said, an assistant's message is what it is told that it said before
        said = [attributes_of(event) for event in events if event.get("name") == name]
        keys = (genai.OUTPUT_MESSAGES, *_EVENT_CONTENT)
        if found := [own[key] for own in said for key in keys if key in own]:
            return found
    return []


def _of_told(told: Any) -> Iterator[MadeCall]:
    read = json.loads(told) if isinstance(told, str) else told
    if isinstance(read, Mapping):
        message = read.get("message", read)
        read = [{"role": "assistant", **message}] if isinstance(message, Mapping) else []
    yield from of_items([{"role": "assistant", **one} if isinstance(one, Mapping) else one for one in read])


def _executed(span: Mapping[str, Any], attributes: Mapping[str, Any]) -> MadeCall:
    told = next((attributes[name] for name in _ARGUMENTS if name in attributes), None)
    status = span.get("status") or {}
    code = status.get("code", status.get("status_code")) if isinstance(status, Mapping) else status
    failed = bool(attributes.get(genai.ERROR_TYPE)) or str(code).upper() in ("2", "ERROR", "STATUS_CODE_ERROR")
    name = str(attributes.get(genai.TOOL) or str(span.get("name", "")).removeprefix("execute_tool").strip())
    return MadeCall(name, arguments_of(told), str(attributes.get(_CALL_ID) or ""), failed)


def _value(told: Any) -> Any:
    """A value as OTLP writes it in JSON."""
    if not isinstance(told, Mapping):
        return told
    for kind, value in told.items():
        if kind == "intValue":
            return int(str(value))
        if kind in ("arrayValue", "kvlistValue") and isinstance(value, Mapping):
            values = value.get("values", ())
            return [_value(one) for one in values] if kind == "arrayValue" else attributes_of({"attributes": values})
        return value
    return None
