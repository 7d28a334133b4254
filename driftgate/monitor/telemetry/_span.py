"""A span as driftgate reads it, wherever it came from, and how its values are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from driftgate.monitor.telemetry._content import clean
from driftgate.monitor.telemetry._conventions import EVENT_CONTENT, EVENT_NAMES, OPERATION_NAMES

LABEL_LIMIT = 256
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1
_NUMBERS = (int, float, str)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class Span(NamedTuple):
    """What driftgate reads of a span, the same from OTLP and from Azure Monitor; a log record is one with one event."""

    trace_id: str
    span_id: str
    start: datetime
    latency: float | None
    """Seconds."""
    attributes: Mapping[str, Any]
    events: Sequence[tuple[str, Mapping[str, Any]]] = ()
    failed: bool = False
    weight: int = 1
    name: str = ""
    scope: str = ""
    """The name of the library that made it."""
    parent_id: str = ""
    """The span around it; empty where there is none."""
    moments: Mapping[str, float] = MappingProxyType({})
    """Seconds from the start to the first event of each name."""

    @property
    def operation(self) -> str:
        """The name of the operation, in lower case; empty where none is told."""
        return label(first(self.attributes, OPERATION_NAMES)).lower()

    @property
    def identified(self) -> bool:
        """Whether it has a trace and a span, as OTLP writes them: 32 and 16 hexadecimal digits that are not all 0."""
        ids = len(self.trace_id) == 32 and len(self.span_id) == 16
        return ids and self.trace_id != _NO_TRACE and self.span_id != _NO_SPAN


def parent_of(span_id: str) -> str:
    """The id of a span around another; one that is all zeros is none."""
    return span_id.strip("0") and span_id


def moment(nanoseconds: int) -> datetime:
    """A time since 1970."""
    return EPOCH + timedelta(0, 0, nanoseconds // 1000)


def lasted(start: int, end: int) -> float | None:
    """Seconds between two times in nanoseconds; None where the second is before the first."""
    return (end - start) / 1e9 if end >= start else None


def moments_of(start: int, events: Sequence[tuple[str, int]]) -> dict[str, float]:
    """Seconds from the start to the first event of each name, of times in nanoseconds."""
    found: dict[str, float] = {}
    for name, time in events:
        if time >= start:
            found.setdefault(name, (time - start) / 1e9)
    return found


def of_log(
    trace_id: str, span_id: str, time: datetime, event: str, attributes: Mapping[str, Any], body: Any, scope: str
) -> Span:
    """A log record, as a span with one event; the event's name stands in an attribute in older releases."""
    named = event or first(attributes, EVENT_NAMES) or ""
    held = {**attributes, EVENT_CONTENT: body} if body is not None else attributes
    return Span(trace_id, span_id, time, None, {}, [(str(named), held)], scope=scope)


def first(attributes: Mapping[str, Any], candidates: Sequence[str]) -> Any:
    """The value of the first name that has one."""
    for name in candidates:
        if (value := attributes.get(name)) is not None and value != "":
            return value
    return None


def label(value: Any) -> str:
    """A short text; empty for what is no scalar."""
    if isinstance(value, str):
        short = value if len(value) <= LABEL_LIMIT else value[:LABEL_LIMIT]
        return short if short.isascii() else clean(short)
    if value is None or isinstance(value, list | tuple | dict | bytes):
        return ""
    return str(value)[:LABEL_LIMIT]


def count(value: Any) -> int | None:
    """A whole number of at least 0; None for what is none."""
    if type(value) is int:
        return value if 0 <= value <= _LARGEST else None
    try:
        found = int(value) if isinstance(value, _NUMBERS) and not isinstance(value, bool) else -1
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found <= _LARGEST else None


def negated(value: Any) -> bool | None:
    """The opposite of a truth, which some write as a word; None for what is none."""
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower())
    return not value if isinstance(value, bool) else None


def output_format(value: Any) -> str:
    """The name of the format that a call asked for; a schema may be there in its place."""
    return "json" if isinstance(value, Mapping) else label(value).lower()


def seconds(value: Any) -> float | None:
    """A finite number of at least 0; None for what is none."""
    try:
        found = float(value) if isinstance(value, _NUMBERS) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < float("inf") else None
