"""Spans that Application Insights keeps in Azure Monitor Logs, read with KQL.

The service neither pages nor promises an order, so the telemetry is read in windows ``[start, end)``: each is whole or
is halved. A watermark in the ledger says how far; it stays behind the service's ingestion lag, and each collection
begins somewhat before it, for spans that arrived late. A span read twice counts once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import resolve, signed_in
from driftgate.flows.network import NetworkRefused, Unreadable, read_json
from driftgate.ledger import Ledger
from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake, clean
from driftgate.monitor.telemetry._record import ModelCall
from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry._spans import is_model_call, model_call
from driftgate.monitor.telemetry._tables import advance, watermark
from driftgate.monitor.telemetry.sources._kql import rows_query
from driftgate.monitor.telemetry.sources._source import Collected, Source, SourceConfig

if TYPE_CHECKING:
    from driftgate.monitor.telemetry._store import Store

log = logging.getLogger(__name__)

ROW_LIMIT = 500_000
"""Rows the service returns at most."""
SMALLEST = timedelta(seconds=1)
"""A window that is not halved any more."""
_CUT_AT = 8192  # characters the Azure Monitor exporter keeps of an attribute
_CHUNK = 5_000
_TOO_MUCH = (413, 504)

Query = Callable[[str, datetime, datetime], list[Any]]


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
    certificate: str | None = None
    """A file with the certificate of the endpoint, if it is not signed by a public authority."""
    enforce_https: bool = True
    """Whether an endpoint without TLS is refused; it would see the token."""


class Incomplete(Exception):
    """A window's result is not whole."""


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
    reached = watermark(ledger, source)
    start = reached - config.overlap if reached else config.since or until - timedelta(days=1)
    total = 0
    with _opened(credential, config, client_options or {}) as query:
        for _, end, rows in _whole_windows(query, rows_query, start, until, config.window):
            calls = [call for call in (_call(row, intake) for row in rows) if call]
            for first in range(0, len(calls), _CHUNK):
                store.append(calls[first : first + _CHUNK])
            if reached is None or end > reached:
                advance(ledger, source, end, len(calls))
            total += len(calls)
    return Collected(total, max(until, reached or until))


@contextmanager
def _opened(credential: Any, config: LogAnalyticsConfig, options: Mapping[str, Any]) -> Iterator[Query]:
    """Open the client; a query that comes back in part, or not at all for its size, raises :class:`Incomplete`."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
    from azure.monitor.query import LogsQueryClient, LogsQueryStatus

    verify = {"connection_verify": config.certificate} if config.certificate else {}
    per_call: dict[str, Any] = {} if config.enforce_https else {"enforce_https": False}
    workspace = resolve(config.workspace_id, "telemetry.workspace_id")
    client = LogsQueryClient(credential, endpoint=config.endpoint, **verify, **options)

    def query(text: str, start: datetime, end: datetime) -> list[Any]:
        try:
            result = client.query_workspace(workspace, text, timespan=(start, end), server_timeout=600, **per_call)
        except HttpResponseError as problem:
            if problem.status_code in _TOO_MUCH:
                raise Incomplete(f"status {problem.status_code}") from problem
            denied = isinstance(problem, ClientAuthenticationError) or problem.status_code in (401, 403)
            raise DriftgateError(
                f"Azure Monitor Logs was not read: {str(problem.message).partition(chr(10))[0][:200]}",
                "sign in, and give the identity the role Log Analytics Reader" if denied else "check 'workspace_id'",
            ) from problem
        except NetworkRefused as problem:
            raise DriftgateError(f"Azure Monitor Logs was not read: {problem.message}", problem.remedy) from problem
        except AzureError as problem:
            raise DriftgateError(
                f"Azure Monitor Logs at {config.endpoint} cannot be reached: {str(problem)[:200]}",
                "what was read is kept; the next collection goes on from there",
            ) from problem
        if result.status != LogsQueryStatus.SUCCESS:
            raise Incomplete(str(result.partial_error and result.partial_error.code))
        rows = list(result.tables[0].rows) if result.tables else []
        if len(rows) >= ROW_LIMIT:
            raise Incomplete(f"{len(rows)} rows")
        return rows

    with client:
        yield query


def _whole_windows(
    query: Query, text: Callable[[datetime, datetime], str], start: datetime, until: datetime, window: timedelta
) -> Iterator[tuple[datetime, datetime, list[Any]]]:
    """Yield windows with their rows, in order and without gaps; one that is not whole is halved."""
    step = window
    while start < until:
        end = min(start + step, until)
        try:
            rows = query(text(start, end), start, end)
        except Incomplete as why:
            if end - start <= SMALLEST:
                raise DriftgateError(
                    f"Azure Monitor Logs gives the second from {start.isoformat()} only in part ({why})",
                    "sample the spans at their source (OTEL_TRACES_SAMPLER)",
                ) from why
            log.warning("window %s to %s came in part (%s): halved", start.isoformat(), end.isoformat(), why)
            step = max((end - start) / 2, SMALLEST)
            continue
        yield start, end, rows
        start, step = end, min(step * 2, window)


def _call(row: Any, intake: Intake) -> ModelCall | None:
    attributes = _decoded(row["Properties"])
    if not isinstance(attributes, dict) or not is_model_call(attributes):
        return None
    if not isinstance(row["TimeGenerated"], datetime):
        raise DriftgateError(f"Azure Monitor Logs gave {row['TimeGenerated']!r} as TimeGenerated, expected a time")
    content = {*names.INPUT_CONTENT_NAMES, *names.OUTPUT_CONTENT_NAMES, names.SYSTEM_INSTRUCTIONS}
    whole = {
        name: value
        for name, value in attributes.items()
        # Half a text would be taken for a shorter one; it is as good as not sent.
        if not (name in content and isinstance(value, str) and len(value) >= _CUT_AT)
    }
    span = Span(
        trace_id=clean(str(row["OperationId"])),
        span_id=clean(str(row["Id"])),
        start=row["TimeGenerated"].astimezone(UTC),
        latency=None if (seconds := _number(row["DurationMs"])) is None else seconds / 1000,
        attributes=whole,
        failed=row["Success"] in (False, 0, "False", "false"),
        weight=max(int(_number(row["ItemCount"]) or 1), 1),
    )
    return model_call(span, intake)


def _number(value: Any) -> float | None:
    """A number of a column; None where there is none, or where it is no finite one."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _decoded(value: Any) -> Any:
    """A dynamic column comes as JSON text."""
    try:
        return read_json(value) if isinstance(value, str) else value
    except Unreadable:
        return None


SOURCE = Source(config=LogAnalyticsConfig, collect=collect)
