"""The workspace's tables as Azure Monitor fills them from envelopes, and KQL asked of them on DuckDB.

duckdb-kql runs the language that the workbook and the alert rules are written in; what is valid in it is said by
Microsoft's own engine (tests/monitor/azure/check_kusto.js), what it comes to by this one.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
from ingestion_endpoint import Envelope, properties

BASE_TYPES = {
    "AppMetrics": "MetricData",
    "AppEvents": "EventData",
    "AppRequests": "RequestData",
    "AppDependencies": "RemoteDependencyData",
}
"""Envelopes by the table they become."""

_COLUMNS = {
    "TimeGenerated": "TIMESTAMP",
    "Name": "VARCHAR",
    "AppRoleName": "VARCHAR",
    "ItemCount": "INTEGER",
    "OperationId": "VARCHAR",
    "Properties": "JSON",
}
_MORE = {
    "AppMetrics": {"Sum": "DOUBLE"},
    "AppEvents": {},
    "AppRequests": {"DurationMs": "DOUBLE", "Success": "BOOLEAN"},
    "AppDependencies": {"DurationMs": "DOUBLE", "Success": "BOOLEAN"},
}


class Workspace:
    """A Log Analytics workspace that has ingested envelopes."""

    def __init__(self, envelopes: Iterable[Envelope] = ()) -> None:
        import duckdb_kql

        self._kql = duckdb_kql
        self.connection: duckdb.DuckDBPyConnection = duckdb_kql.connect()
        for table, more in _MORE.items():
            columns = ", ".join(f'"{name}" {kind}' for name, kind in (_COLUMNS | more).items())
            self.connection.execute(f"CREATE TABLE {table} ({columns})")
        self.ingest(envelopes)

    def ingest(self, envelopes: Iterable[Envelope]) -> None:
        """Put envelopes into the tables."""
        tables = {base: table for table, base in BASE_TYPES.items()}
        for envelope in envelopes:
            table = tables[envelope["data"]["baseType"]]
            row = _row(envelope, table)
            marks = ", ".join("?" * len(row))
            self.connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def ask(self, kql: str, now: datetime | None = None) -> list[dict[str, Any]]:
        """The rows that a query has."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            moment = None if now is None else now.astimezone(UTC).replace(tzinfo=None)
            result = self._kql.query(self.connection, kql, query_now=moment)
            columns = list(result.columns)
            return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def filled(kql: str, values: Mapping[str, str]) -> str:
    """A query with its parameters put in, as the workbook or the deployment does."""
    for name, value in values.items():
        kql = kql.replace("{" + name + "}", value)
    return kql


def _row(envelope: Envelope, table: str) -> dict[str, Any]:
    base = envelope["data"]["baseData"]
    metric = base["metrics"][0] if "metrics" in base else None
    row: dict[str, Any] = {
        "TimeGenerated": datetime.fromisoformat(envelope["time"]).astimezone(UTC).replace(tzinfo=None),
        "Name": metric["name"] if metric else base["name"],
        "AppRoleName": envelope["tags"]["ai.cloud.role"],
        "ItemCount": 1,
        "OperationId": envelope["tags"].get("ai.operation.id", ""),
        "Properties": json.dumps(properties(envelope), ensure_ascii=False),
    }
    if metric:
        row["Sum"] = metric["value"]
    if "DurationMs" in _MORE[table]:
        row |= {"DurationMs": _milliseconds(base["duration"]), "Success": base["success"]}
    return row


def _milliseconds(duration: str) -> float:
    days, _, rest = duration.partition(".")
    hours, minutes, seconds = rest.split(":")
    return 1000 * (86_400 * int(days) + 3600 * int(hours) + 60 * int(minutes) + float(seconds))
