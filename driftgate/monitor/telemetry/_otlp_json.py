"""OTLP in JSON, read span by span, so that what is wrong with one concerns no other.

References
----------
.. [1] OpenTelemetry, "OTLP specification 1.8: JSON Protobuf Encoding",
   https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from driftgate.monitor.telemetry._received import TOO_DEEP, Unreadable
from driftgate.monitor.telemetry._span import Span, lasted, moment, moments_of, of_log, parent_of

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_DEEPEST = 400
"""Levels of JSON that are read; what lies deeper is cut out, which its span does not survive."""


def document_of(body: bytes) -> dict[str, Any]:
    """The request's document.

    Raises
    ------
    ValueError
        It is no JSON object.
    """
    text = body.decode("utf-8")
    try:
        document = json.loads(text)
    except RecursionError:
        document = json.loads(_shallow(text))
    if not isinstance(document, dict):
        raise ValueError("expected an object")
    return document


def scoped(document: Mapping[str, Any], of: tuple[str, str, str]) -> Iterator[tuple[Any, str]]:
    """Every span or log record of a document, with the name of its scope; one that is none comes as it is.

    What stands for a resource or for a scope and is none comes as a record that is none: nobody knows what it held.

    Parameters
    ----------
    of : tuple of str
        What resources, scopes and records are called: ``resourceSpans``, ``scopeSpans``, ``spans``.

    Raises
    ------
    ValueError
        There is no list of resources.
    """
    resources = document.get(of[0]) or []
    if not isinstance(resources, list):
        raise ValueError(f"'{of[0]}' is no list")
    for resource in resources:
        for scope in _within(resource, of[1]):
            named = scope.get("scope") if isinstance(scope, dict) else None
            name = named.get("name") if isinstance(named, dict) else ""
            for record in _within(scope, of[2]):
                yield record, name if isinstance(name, str) else ""


def _within(holder: Any, name: str) -> list[Any]:
    """What an object lists under a name; None alone where it is no object, or lists nothing there."""
    found = (holder.get(name) or []) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else [None]


def span_of(record: Any, scope: str) -> Span:
    """A span of a document.

    Raises
    ------
    Unreadable
        It is none.
    """
    if not isinstance(record, dict):
        raise Unreadable("a span is no object")
    start, status = _nanoseconds(record.get("startTimeUnixNano")), record.get("status")
    events = [event for event in record.get("events") or () if isinstance(event, dict)]
    return Span(
        trace_id=_identity(record.get("traceId")),
        span_id=_identity(record.get("spanId")),
        start=moment(start),
        latency=lasted(start, _nanoseconds(record.get("endTimeUnixNano"))),
        attributes=mapping(record.get("attributes")),
        events=[(_text(event.get("name")), mapping(event.get("attributes"))) for event in events],
        failed=isinstance(status, dict) and status.get("code") in (2, "STATUS_CODE_ERROR"),
        name=_text(record.get("name")),
        scope=scope,
        parent_id=parent_of(_identity(record.get("parentSpanId"))),
        moments=moments_of(
            start, [(_text(event.get("name")), _nanoseconds(event.get("timeUnixNano"))) for event in events]
        ),
    )


def record_of(record: Any, scope: str) -> Span:
    """A log record of a document, as a span with one event.

    Raises
    ------
    Unreadable
        It is none.
    """
    if not isinstance(record, dict):
        raise Unreadable("a log record is no object")
    time = _nanoseconds(record.get("timeUnixNano")) or _nanoseconds(record.get("observedTimeUnixNano"))
    return of_log(
        _identity(record.get("traceId")),
        _identity(record.get("spanId")),
        moment(time),
        _text(record.get("eventName")),
        mapping(record.get("attributes")),
        value(record.get("body")),
        scope,
    )


def mapping(pairs: Any, depth: int = 0) -> dict[str, Any]:
    """Attributes by name."""
    if not isinstance(pairs, list):
        return {}
    return {
        pair["key"]: value(pair.get("value"), depth)
        for pair in pairs
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }


def value(told: Any, depth: int = 0) -> Any:
    """A value of an attribute.

    Raises
    ------
    Unreadable
        Values lie too deep within each other, or one is no number where it says so.
    """
    if not isinstance(told, dict):
        return None
    if depth > TOO_DEEP:
        raise Unreadable("values lie too deep within each other")
    for kind, found in told.items():
        if kind == "stringValue":
            return found if isinstance(found, str) else None
        if kind == "intValue":
            return _whole(found)
        if kind == "doubleValue":
            return _finite(found)
        if kind == "boolValue":
            return found if isinstance(found, bool) else None
        if kind == "bytesValue":
            return _bytes(found)
        if kind == "arrayValue":
            return [value(entry, depth + 1) for entry in _listed(found, "values")]
        if kind == "kvlistValue":
            return mapping(found.get("values") if isinstance(found, dict) else None, depth + 1)
    return None


def _listed(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _text(told: Any) -> str:
    return told if isinstance(told, str) else ""


def _identity(told: Any) -> str:
    """An id in lower case; empty for what is no hexadecimal number."""
    try:
        return bytes.fromhex(told).hex() if isinstance(told, str) else ""
    except ValueError:
        return ""


def _nanoseconds(told: Any) -> int:
    found = _whole(told)
    return found if found is not None and 0 <= found < 2**64 else 0


def _whole(told: Any) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int | str | float):
        return None
    try:
        found = int(told)
    except (ValueError, OverflowError):
        return None
    return found if -(2**63) <= found < 2**64 else None


def _finite(told: Any) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | str | float):
        return None
    try:
        found = float(told)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _bytes(told: Any) -> bytes | None:
    try:
        return base64.b64decode(told, validate=False) if isinstance(told, str) else None
    except ValueError:
        return None


def _shallow(text: str) -> str:
    """A JSON text with null in the place of what lies too deep."""
    kept, depth, copied = [], 0, 0
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            if depth == _DEEPEST:
                kept.append(text[copied : token.start()] + "null")
        elif mark in "]}":
            if depth == _DEEPEST:
                copied = token.end()
            depth -= 1
    if depth >= _DEEPEST:
        raise ValueError("the body ends before its end")
    return "".join(kept) + text[copied:]
