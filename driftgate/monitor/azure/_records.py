"""Turns payloads into OpenTelemetry's own records, the same ones each time a payload is sent.

The records are built directly rather than through tracers and meters: their times are those of the facts, not of the
delivery, their identifiers follow from the facts, and what the service says of each must come back to its row, which
a processor or a metric reader keeps to itself. No global provider is touched.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from driftgate.monitor.azure import _names as names
from driftgate.monitor.azure._events import Event, dimensions, event_of, provider
from driftgate.monitor.azure._payloads import CellTrace, EvaluationResult, Payload, RunTrace, SignalValue
from driftgate.monitor.telemetry import _conventions as conventions

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LogData
    from opentelemetry.sdk.metrics.export import Metric
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

Channel = Literal["metrics", "events", "spans"]
Record = Any
"""A ``Metric``, a ``LogData`` or a ``ReadableSpan``, by channel."""

TOO_OLD = timedelta(hours=47)
"""The service refuses envelopes whose time is more than 48 hours ago (error 103): older facts are sent as of now."""

LONGEST_VALUE = 8192
"""Characters of an attribute's value that arrive; the exporter silently cuts the rest."""


def shorten(text: str, limit: int = LONGEST_VALUE) -> str:
    """Cut a text to ``limit`` characters and say so, which the exporter would not.

    Examples
    --------
    >>> shorten("a" * 100, limit=40)
    'aaaaaaaaaaaaaaaa … [100 characters, cut]'
    >>> len(shorten("가" * 10_000))
    8192
    """
    if len(text) <= limit:
        return text
    note = f" … [{len(text):,} characters, cut]"
    return text[: limit - len(note)] + note


def records(key: str, payload: Payload, resource: Resource, now: datetime) -> tuple[Channel, list[Record]]:
    """The records of one outbox row, and the channel they go through."""
    match payload:
        case SignalValue() if now - payload.at <= TOO_OLD:
            return "metrics", [_metric(payload)]
        case RunTrace():
            return "spans", list(_spans(key, payload, resource, now))
        case _:
            return "events", [_event(key, payload, resource, now)]


def _metric(value: SignalValue) -> Metric:
    from opentelemetry.sdk.metrics.export import Gauge, Metric, NumberDataPoint

    nanoseconds = _nanoseconds(value.at)
    point = NumberDataPoint(_present(dimensions(value)), nanoseconds, nanoseconds, value.value)
    return Metric(names.SIGNAL_METRIC + value.signal, None, value.unit, Gauge([point]))


def _event(key: str, payload: Event, resource: Resource, now: datetime) -> LogData:
    """A custom event. Its time is that of delivery, so that an alert rule's window holds it however late it comes."""
    from opentelemetry.sdk._logs import LogData, LogDeprecatedInitWarning, LogRecord
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, set_span_in_context

    name, attributes = event_of(payload)
    span = INVALID_SPAN_CONTEXT
    if isinstance(payload, EvaluationResult) and payload.run:
        span = _span_context(payload.run, payload.cell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LogDeprecatedInitWarning)  # renamed in 1.39, which prompt flow's pin excludes
        record = LogRecord(
            timestamp=_nanoseconds(now),
            context=set_span_in_context(NonRecordingSpan(span)),
            resource=resource,
            attributes=_present(
                {names.CUSTOM_EVENT: name, names.KEY: key, names.AT: payload.at.isoformat(), **attributes}
            ),
        )
        return LogData(record, InstrumentationScope(names.SERVICE))


def _spans(key: str, run: RunTrace, resource: Resource, now: datetime) -> Iterator[ReadableSpan]:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanKind, Status, StatusCode

    # A trace that is too old is moved as a whole, so that its spans keep their order and length.
    shift = now - run.finished_at if now - run.started_at > TOO_OLD else timedelta()
    complete = run.status == "complete"
    whole = _span_context(run.run, None)
    yield ReadableSpan(
        f"run {run.suite}",
        whole,
        resource=resource,
        kind=SpanKind.CONSUMER,  # a unit of work taken from a schedule: Azure Monitor's AppRequests
        attributes=_present(
            {
                names.KEY: key,
                names.AT: run.started_at.isoformat(),
                names.RUN: run.run,
                names.SUITE: run.suite,
                names.STATUS: run.status,
                names.VERDICT: run.verdict,
                names.CELLS: len(run.cells),
            }
        ),
        status=Status(StatusCode.OK) if complete else Status(StatusCode.ERROR, run.status),
        start_time=_nanoseconds(run.started_at + shift),
        end_time=_nanoseconds(run.finished_at + shift),
    )
    for cell in run.cells:
        yield ReadableSpan(
            f"{names.EVALUATE} {cell.model}",
            _span_context(run.run, cell.ordinal),
            parent=whole,
            resource=resource,
            kind=SpanKind.CLIENT,
            attributes=_present(
                {
                    names.KEY: f"{key}/{cell.ordinal}",
                    names.AT: cell.started_at.isoformat(),
                    names.RUN: run.run,
                    names.SUITE: run.suite,
                    **_cell_attributes(cell),
                }
            ),
            status=Status(StatusCode.OK if sum(cell.outcomes.values()) else StatusCode.ERROR),
            start_time=_nanoseconds(cell.started_at + shift),
            end_time=_nanoseconds(cell.finished_at + shift),
        )


def _cell_attributes(cell: CellTrace) -> dict[str, Any]:
    return {
        conventions.OPERATION: names.EVALUATE,
        **provider(cell.provider),
        conventions.REQUEST_MODEL: cell.request_model,
        conventions.INPUT_TOKENS: cell.input_tokens,
        conventions.OUTPUT_TOKENS: cell.output_tokens,
        names.CELL: cell.ordinal,
        names.MODEL: cell.model,
        names.FLOW: cell.flow,
        names.VARIANT: cell.variant,
        names.DATASET: cell.dataset,
        names.ASKED: sum(cell.outcomes.values()),
        **{names.OUTCOME + outcome: n for outcome, n in cell.outcomes.items()},
        names.ACCURACY: cell.accuracy,
        names.ACCURACY_LOW: cell.accuracy_low,
        names.ACCURACY_HIGH: cell.accuracy_high,
        names.COST: cell.cost,
        names.CURRENCY: cell.currency,
    }


def _span_context(run: str, cell: int | None) -> SpanContext:
    """Identifiers that follow from the run: a second delivery is the same trace, and events can be put into it."""
    from opentelemetry.trace import SpanContext, TraceFlags

    trace_id = int.from_bytes(hashlib.sha256(f"trace {run}".encode()).digest()[:16], "big")
    span_id = int.from_bytes(hashlib.sha256(f"span {run} {cell}".encode()).digest()[:8], "big")
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that have a value; texts cut to what arrives."""
    return {
        name: shorten(value) if isinstance(value, str) else value
        for name, value in attributes.items()
        if value is not None and value != ""
    }


def _nanoseconds(moment: datetime) -> int:
    # Whole microseconds: a float of seconds since 1970 is not exact in that digit.
    return round(moment.timestamp() * 1e6) * 1000
