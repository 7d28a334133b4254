"""Queries of Azure Monitor Logs: whole windows, or an error that says why not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import resolve
from driftgate.flows.network import NetworkRefused

if TYPE_CHECKING:
    from driftgate.monitor.telemetry.sources.log_analytics import LogAnalyticsConfig

log = logging.getLogger(__name__)

ROW_LIMIT = 500_000
"""Rows the service returns at most."""
SMALLEST = timedelta(seconds=1)
"""A window that is not halved any more."""
LONGEST_WAIT = 60.0
"""Seconds; a service that asks to wait longer is asked again by the next collection."""
_TOO_MUCH = (413, 504)
_GOES_ON = "what was read is kept; the next collection goes on from there"
_NO_TABLE = ("failed to resolve table", "sem0100")
"""What the service says where a table is not there for this identity."""

Query = Callable[[str, datetime, datetime], list[Any]]
Text = Callable[[datetime, datetime], str]


class Incomplete(Exception):
    """A window's result is not whole."""


class Denied(DriftgateError):
    """The identity may not read what was asked for, or it is not there for it."""


@contextmanager
def opened(credential: Any, config: LogAnalyticsConfig, options: Mapping[str, Any]) -> Iterator[Query]:
    """Open the client; a query that comes back in part, or not at all for its size, raises :class:`Incomplete`."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
    from azure.monitor.query import LogsQueryClient, LogsQueryStatus

    verify = {"connection_verify": config.certificate} if config.certificate else {}
    per_call: dict[str, Any] = {} if config.enforce_https else {"enforce_https": False}
    workspace = resolve(config.workspace_id, "telemetry.workspace_id")
    options = {"retry_policy": _retries(options), **options}
    client = LogsQueryClient(credential, endpoint=config.endpoint, **verify, **options)

    def query(text: str, start: datetime, end: datetime) -> list[Any]:
        try:
            result = client.query_workspace(workspace, text, timespan=(start, end), server_timeout=600, **per_call)
        except HttpResponseError as problem:
            if problem.status_code in _TOO_MUCH:
                raise Incomplete(f"status {problem.status_code}") from problem
            found = f"Azure Monitor Logs was not read: {str(problem.message).partition(chr(10))[0][:200]}"
            if isinstance(problem, ClientAuthenticationError) or problem.status_code in (401, 403):
                raise Denied(found, "sign in, and give the identity the role Log Analytics Reader") from problem
            if problem.status_code == 400 and any(said in str(problem).lower() for said in _NO_TABLE):
                raise Denied(found, "give the identity the role Log Analytics Reader on the workspace") from problem
            if problem.status_code == 429 or (problem.status_code or 0) >= 500:
                raise DriftgateError(f"{found} (status {problem.status_code})", _GOES_ON) from problem
            raise DriftgateError(found, "check 'workspace_id'") from problem
        except NetworkRefused as problem:
            raise DriftgateError(f"Azure Monitor Logs was not read: {problem.message}", problem.remedy) from problem
        except AzureError as problem:
            raise DriftgateError(
                f"Azure Monitor Logs at {config.endpoint} cannot be reached: {str(problem)[:200]}", _GOES_ON
            ) from problem
        if result.status != LogsQueryStatus.SUCCESS:
            raise Incomplete(str(result.partial_error and result.partial_error.code))
        rows = list(result.tables[0].rows) if result.tables else []
        if len(rows) >= ROW_LIMIT:
            raise Incomplete(f"{len(rows)} rows")
        return rows

    with client:
        yield query


def whole_windows(
    query: Query, text: Text, start: datetime, until: datetime, window: timedelta
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


def _retries(options: Mapping[str, Any]) -> Any:
    """The client's own retries, but for a wait that would hold up every other source."""
    from azure.core.pipeline.policies import RetryPolicy

    class Patient(RetryPolicy[Any, Any]):
        def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
            asked = self.get_retry_after(response)
            return (asked or 0.0) <= LONGEST_WAIT and super().is_retry(settings, response)

    return Patient(**options)
