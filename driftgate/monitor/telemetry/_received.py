"""What a request brings, record by record: each is taken, or counted under the reason why it is not."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._nesting import Key, once_each
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._record import STEPS, ModelCall
from driftgate.monitor.telemetry._span import Span, first
from driftgate.monitor.telemetry._spans import Draft, completed, drafted, step_of
from driftgate.monitor.telemetry.dialects import dialect_of

log = logging.getLogger(__name__)

TOO_DEEP = 40
"""Values within each other that are read."""
_DRAFTS, _CHARACTERS = 512, 2**18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(ValueError):
    """A record that cannot be read; it costs itself only."""


@dataclass(frozen=True, slots=True)
class Received:
    """A span or a log record as it came, ids in hexadecimal digits and times in nanoseconds."""

    trace_id: str
    span_id: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    events: Sequence[tuple[str, Mapping[str, Any], int]] = ()
    failed: bool = False
    name: str = ""
    scope: str = ""
    parent_id: str = ""

    @classmethod
    def of_log(
        cls, trace_id: str, span_id: str, time: int, event: str, attributes: Mapping[str, Any], body: Any, scope: str
    ) -> Received:
        """A log record, as a span with one event; the event's name stands in an attribute in older releases."""
        named = event or first(attributes, names.EVENT_NAMES) or ""
        held = {**attributes, names.EVENT_CONTENT: body} if body is not None else attributes
        return cls(trace_id, span_id, time, time, {}, [(str(named), held, time)], scope=scope)

    @property
    def identified(self) -> bool:
        """Whether it has a trace and a span."""
        ids = len(self.trace_id) == 32 and len(self.span_id) == 16
        return ids and bool(self.trace_id.strip("0")) and bool(self.span_id.strip("0"))

    @property
    def span(self) -> Span:
        """As dialects read it."""
        moments: dict[str, float] = {}
        for name, _, time in self.events:
            if time >= self.start:
                moments.setdefault(name, (time - self.start) / 1e9)
        return Span(
            trace_id=self.trace_id,
            span_id=self.span_id,
            start=moment(self.start),
            latency=(self.end - self.start) / 1e9 if self.end >= self.start else None,
            attributes=self.attributes,
            events=[(name, held) for name, held, _ in self.events],
            failed=self.failed,
            name=self.name,
            scope=self.scope,
            parent_id=self.parent_id.strip("0") and self.parent_id,
            moments=moments,
        )


def moment(nanoseconds: int) -> datetime:
    """A time since 1970."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def out_of_time(record: Received, intake: Intake) -> Reason | None:
    """Why a record's time is not taken: it has none, or a clock that is far off."""
    if record.start <= 0:
        return Reason.NO_TIME
    if intake.clock is not None and not intake.clock.allows(moment(record.start)):
        return Reason.FAR_CLOCK
    return None


@dataclass
class Spans:
    """The spans of a request, as they are taken one after the other."""

    intake: Intake
    calls: list[ModelCall] = field(default_factory=list)
    steps: list[ModelCall] = field(default_factory=list)
    """What agents and tools did."""
    left: Counter[Reason] = field(default_factory=Counter)
    around: dict[Key, tuple[str, Reason]] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    """Calls whose texts are still to be counted, which is done for many at once."""
    size: int = 0
    """Characters of these."""

    def take(self, read: Callable[[], Received]) -> None:
        """Take a span; whatever is wrong with it is counted and concerns no other."""
        try:
            found = self._taken(read())
        except Exception as problem:
            log.debug("a span was not taken: %s", type(problem).__name__)
            found = Reason.UNREADABLE
        if isinstance(found, Reason):
            self.left[found] += 1
            return
        self.drafts.append(found)
        self.size += len(found.asked or "") + len(found.answered or "")
        if self.size > _CHARACTERS or len(self.drafts) == _DRAFTS:
            self._complete()

    def once(self) -> list[ModelCall]:
        """The calls, each once."""
        self._complete()
        calls, outer = once_each(self.calls, self.around)
        if outer:
            self.left[Reason.TOLD_TWICE] += outer
        return calls

    def _complete(self) -> None:
        self.calls += completed(self.drafts)
        self.drafts, self.size = [], 0

    def _taken(self, record: Received) -> Draft | Reason:
        span = record.span
        dialect = dialect_of(span)
        if isinstance(dialect, Reason):
            self.around[span.trace_id, span.span_id] = (span.parent_id, dialect)
            if dialect.value in STEPS and record.identified and out_of_time(record, self.intake) is None:
                self.steps.append(step_of(span, self.intake, dialect))
            if any(name == names.EVALUATION_EVENT for name, _ in span.events):
                self.left[Reason.EVALUATION] += 1
            return dialect
        if not record.identified:
            return Reason.NO_IDENTITY
        return out_of_time(record, self.intake) or drafted(span, self.intake, dialect)
