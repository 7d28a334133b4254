"""Spans that Application Insights keeps in Azure Monitor Logs, read with KQL.

The service neither pages nor promises an order, so the telemetry is read in windows ``[start, end)``: each is whole or
is halved. A watermark in the ledger says how far; it stays behind the service's ingestion lag, and each collection
begins somewhat before it, for spans that arrived late. What arrives later still, as from an exporter that was cut off,
is asked for by when the service took it in. A span read twice counts once.

Spans, log records and texts are three streams, each with a watermark of its own. Texts that the identity may not read
keep no call from being read: their watermark stays, and they are read once the identity may.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from driftgate.flows.models import resolve, signed_in
from driftgate.ledger import Ledger
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._logs import Logs
from driftgate.monitor.telemetry._nesting import Key, once_each
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._record import STEPS, ModelCall
from driftgate.monitor.telemetry._tables import advance, watermark
from driftgate.monitor.telemetry.sources._azure_rows import (
    call_of,
    content_of_row,
    record_of,
    step_of_row,
    time_of,
)
from driftgate.monitor.telemetry.sources._kql import content_query, records_query, spans_query
from driftgate.monitor.telemetry.sources._logs_client import SMALLEST, Denied, Query, opened, whole_windows
from driftgate.monitor.telemetry.sources._source import Collected, Source, SourceConfig

if TYPE_CHECKING:
    from driftgate.monitor.telemetry._store import Store

log = logging.getLogger(__name__)

_CHUNK = 5_000
_ROLES = {
    "records": "log records in AppTraces and AppEvents were not read; {0}",
    "content": "texts in AppGenAIContent were not read, which takes the role Privileged Monitoring Data Reader where "
    "they are protected; {0}",
}
"""Streams that are read where the identity may, and what to say where it may not."""


class LogAnalyticsConfig(SourceConfig):
    """A Log Analytics workspace."""

    workspace_id: str
    """The workspace's id, a GUID; ``${env:NAME}`` is replaced."""
    endpoint: str = "https://api.loganalytics.io"
    """Address of the service; another one in a sovereign cloud."""
    since: AwareDatetime | None = None
    """Where reading begins the first time; without it, a day back."""
    window: timedelta = Field(timedelta(hours=1), ge=SMALLEST)
    """What is asked for at once, at most."""
    lag: timedelta = Field(timedelta(minutes=10), ge=timedelta(0))
    """How far behind the present reading stops: spans take minutes to become visible."""
    overlap: timedelta = Field(timedelta(minutes=30), ge=timedelta(0))
    """How far before the watermark reading begins, for spans that took longer than ``lag``."""
    late: timedelta = Field(timedelta(days=2), ge=timedelta(0))
    """How old a span may be when the service takes it in, and still be read: exporters keep what they cannot send for
    two days."""
    certificate: str | None = None
    """A file with the certificate of the endpoint, if it is not signed by a public authority."""
    enforce_https: bool = True
    """Whether an endpoint without TLS is refused; it would see the token."""


def collect(config: LogAnalyticsConfig, store: Store, ledger: Ledger, intake: Intake, now: datetime) -> Collected:
    """Read what has come since the last collection, with ``DefaultAzureCredential``; see :func:`collect_with`."""
    return collect_with(signed_in(), config, store, ledger, intake, now)


def collect_with(
    credential: Any,
    config: LogAnalyticsConfig,
    store: Store,
    ledger: Ledger,
    intake: Intake,
    now: datetime,
    client_options: Mapping[str, Any] | None = None,
) -> Collected:
    """Read what has come since the last collection into the store.

    Parameters
    ----------
    credential : TokenCredential
        Reads the workspace.
    client_options : mapping, optional
        Further arguments of ``LogsQueryClient``, such as ``retry_total``.

    Raises
    ------
    DriftgateError
        The service refuses, cannot be reached, or does not give even one second's telemetry whole.
    """
    source = f"log_analytics:{resolve(config.workspace_id, 'telemetry.workspace_id')}"
    until = now - config.lag
    begun = watermark(ledger, source)
    first = begun - config.overlap if begun else config.since or until - timedelta(days=1)
    taking = _Taking(intake)
    streams = (
        _Stream("", source, spans_query, taking.spans),
        _Stream("records", f"{source}:records", records_query, taking.records),
        _Stream("content", f"{source}:content", content_query, taking.content),
    )
    calls, notes = 0, []
    with opened(credential, config, client_options or {}) as query:
        for stream in streams:
            try:
                found = _read(stream, query, config, store, ledger, first, until)
            except Denied as problem:
                if stream.name not in _ROLES:
                    raise
                notes.append(_ROLES[stream.name].format(problem.message))
                log.warning("%s: %s", source, notes[-1])
            else:
                calls += 0 if stream.name else found
    return Collected(calls, max(until, begun or until), "; ".join(notes))


@dataclass(frozen=True)
class _Stream:
    """One kind of rows, with a watermark of its own."""

    name: str
    """Empty: the calls themselves."""
    source: str
    """What the ledger calls it."""
    text: Callable[..., str]
    """Its query."""
    take: Callable[[Sequence[Any]], tuple[list[ModelCall], Mapping[Reason, int]]]
    """From rows to calls, and counts of what is none."""


def _read(
    stream: _Stream,
    query: Query,
    config: LogAnalyticsConfig,
    store: Store,
    ledger: Ledger,
    first: datetime,
    until: datetime,
) -> int:
    reached = watermark(ledger, stream.source)
    if reached is None and stream.name in _ROLES:
        advance(ledger, stream.source, first, 0)  # where to begin once the identity may read it
    start = reached - config.overlap if reached else first
    total = 0
    if reached is not None and config.late:  # before the watermark moves, or what came meanwhile would be passed over
        for _, _, rows in whole_windows(
            query, _ingested_from(stream.text, start), start - config.late, start, config.late
        ):
            total += _keep(store, stream.take(rows)[0], {})  # they are asked for again and again
    for begin, end, rows in whole_windows(query, stream.text, start, until, config.window):
        found, left = stream.take(rows)
        if reached is not None and begin < reached:  # these were counted when they were read first
            _, left = stream.take([row for row in rows if time_of(row) >= reached])
        total += _keep(store, found, left)
        if reached is None or end > reached:
            advance(ledger, stream.source, end, sum(call.part not in STEPS for call in found))
    return total


def _ingested_from(text: Callable[..., str], moment: datetime) -> Callable[[datetime, datetime], str]:
    return lambda start, end: text(start, end, moment)


def _keep(store: Store, calls: Sequence[ModelCall], left: Mapping[Reason, int]) -> int:
    store.note(left)
    for begin in range(0, len(calls), _CHUNK):
        store.append(calls[begin : begin + _CHUNK])
    return sum(call.part not in STEPS for call in calls)


class _Taking:
    """Rows of the three streams, as they are taken one window after the other."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def spans(self, rows: Sequence[Any]) -> tuple[list[ModelCall], Mapping[Reason, int]]:
        """Calls, each once, and what agents and tools did around and within them."""
        calls: list[ModelCall] = []
        steps: list[ModelCall] = []
        left: Counter[Reason] = Counter()
        around: dict[Key, tuple[str, Reason]] = {}
        for row in rows:
            found = call_of(row, self._intake)
            key = (str(row["OperationId"]), str(row["Id"]))
            if isinstance(found, Reason):
                left[found] += 1
                around[key] = (str(row["ParentId"] or ""), found)
                if found.value in STEPS:
                    steps.append(step_of_row(row, self._intake, found))
            else:
                calls.append(found)
        kept, outer = once_each(calls, around)
        if outer:
            left[Reason.TOLD_TWICE] += outer
        return [*kept, *steps], left

    def records(self, rows: Sequence[Any]) -> tuple[list[ModelCall], Mapping[Reason, int]]:
        """What log records tell of calls."""
        logs = Logs(self._intake)
        for row in rows:
            logs.take(lambda row=row: record_of(row))  # type: ignore[misc]
        return logs.parts(), logs.left

    def content(self, rows: Sequence[Any]) -> tuple[list[ModelCall], Mapping[Reason, int]]:
        """What was asked and answered."""
        return [content_of_row(row, self._intake) for row in rows], {}


SOURCE = Source(config=LogAnalyticsConfig, collect=collect)
