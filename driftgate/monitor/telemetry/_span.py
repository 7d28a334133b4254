"""A span as driftgate reads it, wherever it came from, and how its values are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from driftgate.monitor.telemetry._content import clean
from driftgate.monitor.telemetry._conventions import OPERATION_NAMES

LABEL_LIMIT = 256
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Span:
    """What driftgate reads of a span, the same from OTLP and from Azure Monitor."""

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
    moments: Mapping[str, float] = field(default_factory=dict)
    """Seconds from the start to the first event of each name."""

    @cached_property
    def operation(self) -> str:
        """The name of the operation, in lower case; empty where none is told."""
        return label(first(self.attributes, OPERATION_NAMES)).lower()


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
    try:
        found = int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found <= _LARGEST else None


def seconds(value: Any) -> float | None:
    """A finite number of at least 0; None for what is none."""
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < float("inf") else None
