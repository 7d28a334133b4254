"""OTLP in protobuf, read span by span where it cannot be read in one.

A message that is malformed anywhere, or too deep, is refused as a whole by the parser. Its spans are then cut out by
their lengths, which is all that the wire format needs, and each is parsed on its own.

References
----------
.. [1] Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1 import trace_pb2

from driftgate.monitor.telemetry._received import TOO_DEEP, Unreadable
from driftgate.monitor.telemetry._span import Span, lasted, moment, moments_of, of_log, parent_of

_RESOURCES, _SCOPES, _SCOPE, _RECORDS = 1, 2, 1, 2  # field numbers, the same for spans and for log records
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class _Request(Protocol):
    def ParseFromString(self, data: bytes) -> Any: ...  # noqa: N802


def records(body: bytes, request: _Request, resources: str, scopes: str, of: str) -> Iterator[tuple[Any, str]]:
    """Every span or log record of a request, parsed or as its bytes, with the name of its scope.

    Parameters
    ----------
    request : message
        An empty one, of the request's kind.
    resources, scopes, of : str
        What it calls resources, scopes and records.

    Raises
    ------
    ValueError
        The body is no such request.
    """
    try:
        request.ParseFromString(body)
    except (DecodeError, RecursionError):
        yield from _cut_out(body)
        return
    for resource in getattr(request, resources):
        for scope in getattr(resource, scopes):
            name = scope.scope.name
            for record in getattr(scope, of):
                yield record, name


def span_of(record: trace_pb2.Span | bytes, scope: str) -> Span:
    """A span of a request."""
    told = trace_pb2.Span.FromString(record) if isinstance(record, bytes) else record
    start, events = told.start_time_unix_nano, told.events
    return Span(
        trace_id=told.trace_id.hex(),
        span_id=told.span_id.hex(),
        start=moment(start),
        latency=lasted(start, told.end_time_unix_nano),
        attributes=mapping(told.attributes),
        events=[(event.name, mapping(event.attributes)) for event in events] if events else (),
        failed=told.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        name=told.name,
        scope=scope,
        parent_id=parent_of(parent.hex()) if (parent := told.parent_span_id) else "",
        moments=moments_of(start, [(event.name, event.time_unix_nano) for event in events]) if events else {},
    )


def record_of(record: LogRecord | bytes, scope: str) -> Span:
    """A log record of a request, as a span with one event."""
    log = LogRecord.FromString(record) if isinstance(record, bytes) else record
    return of_log(
        log.trace_id.hex(),
        log.span_id.hex(),
        moment(log.time_unix_nano or log.observed_time_unix_nano),
        log.event_name,
        mapping(log.attributes),
        value(log.body),
        scope,
    )


def mapping(pairs: Any, depth: int = 0) -> dict[str, Any]:
    """Attributes by name."""
    found: dict[str, Any] = {}
    for pair in pairs:
        told = pair.value
        # A value is of one kind, and most are texts or whole numbers: one that is not empty need not be asked which.
        found[pair.key] = told.string_value or told.int_value or _of_kind(told, told.WhichOneof("value"), depth)
    return found


def value(told: Any, depth: int = 0) -> Any:
    """A value of an attribute.

    Raises
    ------
    Unreadable
        Values lie too deep within each other.
    """
    return _of_kind(told, told.WhichOneof("value"), depth)


def _of_kind(told: Any, kind: str | None, depth: int) -> Any:
    if kind is None:
        return None
    if kind in ("array_value", "kvlist_value"):
        if depth > TOO_DEEP:
            raise Unreadable("values lie too deep within each other")
        if kind == "kvlist_value":
            return mapping(told.kvlist_value.values, depth + 1)
        return [value(entry, depth + 1) for entry in told.array_value.values]
    found = getattr(told, kind)
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _cut_out(body: bytes) -> Iterator[tuple[bytes, str]]:
    """The records of a request by their lengths; of what is malformed within, one that no reader can read."""
    for resource in list(_within(body, _RESOURCES)):
        try:
            for scope in list(_within(resource, _SCOPES)):
                found = list(_within(scope, _RECORDS))
                name = _name(scope)
                yield from ((record, name) for record in found)
        except ValueError:
            yield b"\xff", ""


def _name(scope: bytes) -> str:
    try:
        return next((InstrumentationScope.FromString(told).name for told in _within(scope, _SCOPE)), "")
    except DecodeError:
        return ""


def _within(data: bytes, number: int) -> Iterator[bytes]:
    """What the fields of a number hold, where they hold bytes.

    Raises
    ------
    ValueError
        The data is no message.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _LENGTH:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("a field is longer than its message")
            if tag >> 3 == number:
                yield data[at : at + length]
            at += length
        elif kind == _VARINT:
            _, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
            if at > len(data):
                raise ValueError("a field is longer than its message")
        else:
            raise ValueError(f"there is no wire type {kind}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = 0
    for place in range(10):
        if at >= len(data):
            raise ValueError("a number ends before its end")
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return found, at
    raise ValueError("a number is too long")
