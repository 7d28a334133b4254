"""The KQL that reads model calls from Azure Monitor Logs.

Every query covers a window ``[start, end)`` of ``AppDependencies``, where Application Insights keeps client spans.
Attributes are in ``Properties``, as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from driftgate.monitor.telemetry import _conventions as names

ROW_COLUMNS = ("TimeGenerated", "OperationId", "Id", "DurationMs", "Success", "ItemCount", "Properties")


def rows_query(start: datetime, end: datetime) -> str:
    """Return the query of single model calls.

    Examples
    --------
    >>> print(rows_query(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 1, tzinfo=UTC)))
    AppDependencies
    | where TimeGenerated >= datetime(2026-03-01T00:00:00.000000Z) and TimeGenerated < datetime(2026-03-01T01:00:00.000000Z)
    | extend operation = tolower(coalesce(tostring(Properties["gen_ai.operation.name"]), tostring(Properties["llm.request.type"]))), provider = coalesce(tostring(Properties["gen_ai.provider.name"]), tostring(Properties["gen_ai.system"])), model = coalesce(tostring(Properties["gen_ai.response.model"]), tostring(Properties["gen_ai.request.model"]))
    | where operation in ("chat", "text_completion", "generate_content", "completion") or (isempty(operation) and isnotempty(provider) and isnotempty(model))
    | project TimeGenerated, OperationId, Id, DurationMs, Success, ItemCount, Properties
    """  # noqa: E501
    return f"{_model_calls(start, end)}\n| project {', '.join(ROW_COLUMNS)}"


def _model_calls(start: datetime, end: datetime) -> str:
    inference = ", ".join(f'"{operation}"' for operation in names.INFERENCE)
    return "\n".join(
        [
            "AppDependencies",
            f"| where TimeGenerated >= datetime({_moment(start)}) and TimeGenerated < datetime({_moment(end)})",
            f"| extend operation = tolower({_any_of(names.OPERATION_NAMES)}), "
            f"provider = {_any_of(names.PROVIDER_NAMES)}, "
            f"model = {_any_of(names.RESPONSE_MODEL_NAMES + names.REQUEST_MODEL_NAMES)}",
            f"| where operation in ({inference}) or "
            "(isempty(operation) and isnotempty(provider) and isnotempty(model))",
        ]
    )


def _any_of(candidates: Sequence[str]) -> str:
    texts = [f'tostring(Properties["{name}"])' for name in candidates]
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
