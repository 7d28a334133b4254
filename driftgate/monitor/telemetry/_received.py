"""What a request brings, record by record: each is taken, or counted under the reason why it is not."""

from __future__ import annotations

import itertools
import logging
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._messages import Content
from driftgate.monitor.telemetry._nesting import Key, once_each
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._record import STEPS, ModelCall
from driftgate.monitor.telemetry._span import EPOCH, Span
from driftgate.monitor.telemetry._spans import Draft, completed, drafted, step_of
from driftgate.monitor.telemetry.dialects import Dialect, dialect_of

log = logging.getLogger(__name__)

TOO_DEEP = 40
"""Values within each other that are read."""
_TOGETHER = 32
"""Spans that go through a step together."""
_DRAFTS, _CHARACTERS = 512, 2**18
Before = TypeVar("Before")
After = TypeVar("After")


class Unreadable(ValueError):
    """A record that cannot be read; it costs itself only."""


def readers(read: Callable[[Any, str], Span], records: Iterable[tuple[Any, str]]) -> Iterator[Callable[[], Span]]:
    """A function for each record and its scope, which reads it."""
    return itertools.starmap(partial(partial, read), records)


def out_of_time(span: Span, intake: Intake) -> Reason | None:
    """Why a record's time is not taken: it has none, or a clock that is far off."""
    if span.start <= EPOCH:
        return Reason.NO_TIME
    if intake.clock is not None and not intake.clock.allows(span.start):
        return Reason.FAR_CLOCK
    return None


@dataclass
class Spans:
    """The spans of a request, as they are taken."""

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

    def take(self, reads: Iterable[Callable[[], Span]]) -> None:
        """Take spans, each given by a function that reads it; whatever is wrong with one concerns no other.

        What is done to a span is done to some spans before the next thing is done to any: the processor then has in
        its cache what it takes, and needs a sixth less time.
        """
        waiting = iter(reads)
        while some := list(itertools.islice(waiting, _TOGETHER)):
            spans = self._each(operator.call, some)
            calls = self._each(self._recognised, spans)
            with_content = self._each(_with_content, calls)
            drafts = self._each(self._drafted, with_content)
            self.drafts += drafts
            self.size += sum([len(asked or "") + len(answered or "") for _, asked, answered in drafts])
            if self.size > _CHARACTERS or len(self.drafts) >= _DRAFTS:
                self._complete()

    def _each(self, step: Callable[[Before], After | Reason], spans: Iterable[Before]) -> list[After]:
        """What a step makes of each span; one of which it makes nothing is counted under the reason."""
        made: list[After] = []
        for span in spans:
            try:
                found = step(span)
            except Exception as problem:
                log.debug("a span was not taken: %s", type(problem).__name__)
                found = Reason.UNREADABLE
            if isinstance(found, Reason):
                self.left[found] += 1
            else:
                made.append(found)
        return made

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

    def _recognised(self, span: Span) -> tuple[Span, Dialect] | Reason:
        dialect = dialect_of(span)
        if isinstance(dialect, Reason):
            self.around[span.trace_id, span.span_id] = (span.parent_id, dialect)
            if dialect.value in STEPS and span.identified and out_of_time(span, self.intake) is None:
                self.steps.append(step_of(span, self.intake, dialect))
            if any(name == names.EVALUATION_EVENT for name, _ in span.events):
                self.left[Reason.EVALUATION] += 1
            return dialect
        if not span.identified:
            return Reason.NO_IDENTITY
        return out_of_time(span, self.intake) or (span, dialect)

    def _drafted(self, told: tuple[Span, Dialect, Content]) -> Draft:
        span, dialect, content = told
        return drafted(span, self.intake, dialect, content)


def _with_content(told: tuple[Span, Dialect]) -> tuple[Span, Dialect, Content]:
    span, dialect = told
    return span, dialect, dialect.content(span)
