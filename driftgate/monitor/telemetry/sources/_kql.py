"""The KQL that reads model calls, and what was asked and answered in them, from Azure Monitor Logs.

Every query covers a window ``[start, end)`` of ``TimeGenerated``. Application Insights keeps client spans in
``AppDependencies`` and those of servers, such as vLLM's, in ``AppRequests``; log records and events of spans in
``AppTraces`` and ``AppEvents``; since September 2026 the texts in ``AppGenAIContent``. Attributes are in
``Properties``, as text. Of spans those are asked for whose attributes name generative AI in any dialect of the
registry; which of them are calls is decided here, by the same code as for what is received. The whole text is searched
rather than single attributes, since what was cut at 64 KB is no JSON any more and has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from driftgate.monitor.telemetry._logs import EVENTS
from driftgate.monitor.telemetry.dialects import all_marks

SPAN_COLUMNS = (
    *("TimeGenerated", "OperationId", "Id", "ParentId", "Name", "DurationMs", "Success", "ItemCount"),
    "Properties",
)
RECORD_COLUMNS = ("TimeGenerated", "OperationId", "ParentId", "Name", "Message", "Properties")
CONTENT_COLUMNS = ("TimeGenerated", "TraceId", "SpanId", "InputMessages", "OutputMessages", "SystemInstructions")


def spans_query(start: datetime, end: datetime, ingested_from: datetime | None = None) -> str:
    """Return the query of spans that may be model calls.

    Parameters
    ----------
    ingested_from : datetime, optional
        Only what the service took in from then on.

    Examples
    --------
    >>> print(spans_query(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 1, tzinfo=UTC)))
    union AppDependencies, AppRequests
    | where TimeGenerated >= datetime(2026-03-01T00:00:00.000000Z) and TimeGenerated < datetime(2026-03-01T01:00:00.000000Z)
    | where tostring(Properties) has_any ("gen_ai", "langfuse", "llm", "openinference", "promptflow", "traceloop")
    | project TimeGenerated, OperationId, Id, ParentId, Name, DurationMs, Success, ItemCount, Properties
    """  # noqa: E501
    marked = f"where tostring(Properties) has_any ({_listed(all_marks())})"
    return _query("union AppDependencies, AppRequests", start, end, ingested_from, marked, SPAN_COLUMNS)


def records_query(start: datetime, end: datetime, ingested_from: datetime | None = None) -> str:
    """Return the query of log records, and events of spans, that tell of model calls; see :func:`spans_query`."""
    events = _listed(EVENTS)
    named = f"where Name in ({events}) or Message in ({events}) or tostring(Properties) has_any ({events})"
    return _query("union AppTraces, AppEvents", start, end, ingested_from, named, RECORD_COLUMNS)


def content_query(start: datetime, end: datetime, ingested_from: datetime | None = None) -> str:
    """Return the query of what was asked and answered, by trace and span; see :func:`spans_query`."""
    return _query("AppGenAIContent", start, end, ingested_from, "", CONTENT_COLUMNS)


def _query(
    tables: str, start: datetime, end: datetime, ingested_from: datetime | None, chosen: str, columns: Iterable[str]
) -> str:
    steps = [
        tables,
        f"where TimeGenerated >= datetime({_moment(start)}) and TimeGenerated < datetime({_moment(end)})",
        f"where ingestion_time() >= datetime({_moment(ingested_from)})" if ingested_from is not None else "",
        chosen,
        f"project {', '.join(columns)}",
    ]
    return "\n| ".join(filter(None, steps))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
