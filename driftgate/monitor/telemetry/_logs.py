"""Log records that belong to calls: their messages, and results of their evaluation.

Several instrumentations put what was asked and answered into one log record a message, beside the span. What the
records of a request tell of a call becomes a row of its own, which is joined to the call by trace and span when the
telemetry is read or compacted; which of the two came first does not matter, and nothing waits in memory.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from driftgate.flows.finish import finish_reason
from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import JSON, Intake, features
from driftgate.monitor.telemetry._evaluations import results_of
from driftgate.monitor.telemetry._messages import genai_content, joined
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._received import out_of_time
from driftgate.monitor.telemetry._record import ModelCall
from driftgate.monitor.telemetry._span import Span, first, output_format
from driftgate.monitor.telemetry._spans import hash_of, system_of, tool_calls

log = logging.getLogger(__name__)

EVENTS = (
    *names.EVENT_ROLES,
    names.CHOICE_EVENT,
    names.EVALUATION_EVENT,
    names.PROMPT_EVENT,
    names.COMPLETION_EVENT,
    names.DETAILS_EVENT,
)
_Told = tuple[str, Mapping[str, Any]]


@dataclass
class Logs:
    """The log records of a request, as they are taken one after the other."""

    intake: Intake
    left: Counter[Reason] = field(default_factory=Counter)
    told: dict[tuple[str, str], tuple[datetime, list[_Told]]] = field(default_factory=dict)

    def take(self, read: Callable[[], Span]) -> None:
        """Take a record; whatever is wrong with it is counted and concerns no other."""
        try:
            reason = self._taken(read())
        except Exception as problem:
            log.debug("a log record was not taken: %s", type(problem).__name__)
            reason = Reason.UNREADABLE
        if reason is not None:
            self.left[reason] += 1

    def parts(self) -> list[ModelCall]:
        """What the records tell of each call."""
        found = []
        for (trace_id, span_id), (time, events) in self.told.items():
            try:
                part = part_of(trace_id, span_id, time, events, self.intake)
            except Exception as problem:
                log.debug("log records of a call were not taken: %s", type(problem).__name__)
                self.left[Reason.UNREADABLE] += len(events)
                continue
            found.append(part)
        return found

    def _taken(self, record: Span) -> Reason | None:
        (name, held), *_ = record.events
        if name not in EVENTS:
            return Reason.UNKNOWN if name.startswith("gen_ai.") else Reason.ORDINARY
        if not record.identified:
            return Reason.EVALUATION if name == names.EVALUATION_EVENT else Reason.NO_IDENTITY
        if (reason := out_of_time(record, self.intake)) is not None:
            return reason
        _, events = self.told.setdefault((record.trace_id, record.span_id), (record.start, []))
        events.append((name, _held(name, held)))
        return None


def _held(name: str, held: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of a record, with its body where an event of a span would have it."""
    place = {names.PROMPT_EVENT: "gen_ai.prompt", names.COMPLETION_EVENT: "gen_ai.completion"}.get(name)
    body = held.get(names.EVENT_CONTENT)
    if place is not None and body:
        return {place: body, **held}
    if name in (names.EVALUATION_EVENT, names.DETAILS_EVENT) and isinstance(body, dict):
        return {**body, **held}
    return held


def part_of(trace_id: str, span_id: str, time: datetime, events: Sequence[_Told], intake: Intake) -> ModelCall:
    """What events that were told apart from a call tell of it."""
    content = genai_content({}, events)
    system_hash = hash_of(system_of(content))
    reason = next((said.finish_reason for said in content.answered or () if said.finish_reason), "")
    wanted = next(filter(None, (output_format(first(held, names.OUTPUT_TYPE_NAMES)) for _, held in events)), "")
    told = json.dumps(sorted(map(repr, events))).encode()
    asked, answered = joined(content.sent, {"user", "human", ""}), joined(content.answered)
    return ModelCall(
        time=time,
        trace_id=trace_id,
        span_id=span_id,
        prompt_hash=system_hash,
        system_hash=system_hash,
        finish_reason=finish_reason(reason)[:64],
        tool_calls=tool_calls(content),
        evaluations=results_of(events),
        part=hashlib.sha256(told).hexdigest()[:16],
        input_from="" if asked is None else "apart",
        output_from="" if answered is None else "apart",
        asked_for=wanted,
        # Whether it is JSON; that it should be, the call's span says, and only then that is told of the call.
        **features(asked, answered, intake.of(trace_id, span_id), JSON),
    )
