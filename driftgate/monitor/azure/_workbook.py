"""The workbook: its parameters, and the queries of `driftgate.monitor.azure._queries` in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from driftgate.monitor.azure._expressions import parameter
from driftgate.monitor.azure._queries import SECTIONS, Query, read_query

_LOGS = {"queryType": 0, "resourceType": "microsoft.operationalinsights/workspaces"}
_HOURS_MS = 3_600_000
_RANGES = tuple(hours * _HOURS_MS for hours in (4, 24, 72, 168, 720, 2160))
_NOTHING = "Nothing arrived in this time range. That is no good news: see 'Is anybody watching?'."


def notebook(folder: Path | None, silent_hours: int) -> dict[str, Any]:
    """The workbook as it is stored, with expressions where the deployment has a say."""
    items = [{"type": 1, "content": {"json": "# driftgate\nThe models in production, and their benchmarks."}}]
    items.append(_parameters(folder, silent_hours))
    for section in SECTIONS:
        items.append({"type": 1, "content": {"json": f"## {section.heading}"}})
        items += [_item(query, folder) for query in section.queries]
    return {
        "version": "Notebook/1.0",
        "items": items,
        "fallbackResourceIds": [parameter("workspaceResourceId")],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def _parameters(folder: Path | None, silent_hours: int) -> dict[str, Any]:
    time_range = {
        "id": _identifier(1),
        "version": "KqlParameterItem/1.0",
        "name": "TimeRange",
        "label": "Time range",
        "type": 4,
        "isRequired": True,
        "value": {"durationMs": 168 * _HOURS_MS},
        "typeSettings": {"selectableValues": [{"durationMs": ms} for ms in _RANGES], "allowCustom": True},
    }
    several = [
        _choice(number, name, read_query(f"{name.lower()}_names", folder))
        | {
            "multiSelect": True,
            "quote": "'",
            "delimiter": ",",
            "value": ["value::all"],
            "typeSettings": {"additionalResourceOptions": ["value::all"], "selectAllValue": "*", "showDefault": False},
        }
        for number, name in enumerate(("Workspace", "Model", "Flow", "Slice"), 2)
    ]
    signal = _choice(6, "Signal", read_query("signal_names", folder)) | {
        "value": "value::1",
        "typeSettings": {"additionalResourceOptions": ["value::1"], "showDefault": False},
    }
    silent = {
        "id": _identifier(7),
        "version": "KqlParameterItem/1.0",
        "name": "SilentHours",
        "label": "Silent after hours",
        "type": 1,
        "isRequired": True,
        "value": str(silent_hours),
    }
    found = [time_range, *several, signal, silent]
    return {
        "type": 9,
        "content": {"version": "KqlParameterItem/1.0", "parameters": found, "style": "pills"} | _LOGS,
        "name": "parameters",
    }


def _choice(number: int, name: str, kql: str) -> dict[str, Any]:
    return {
        "id": _identifier(number),
        "version": "KqlParameterItem/1.0",
        "name": name,
        "type": 2,
        "isRequired": True,
        "query": kql,
        "timeContextFromParameter": "TimeRange",
    } | _LOGS


def _item(query: Query, folder: Path | None) -> dict[str, Any]:
    return {
        "type": 3,
        "content": {
            "version": "KqlItem/1.0",
            "query": read_query(query.name, folder),
            "size": 0,
            "title": query.title,
            "noDataMessage": _NOTHING,
            "noDataMessageStyle": 4,
            "timeContextFromParameter": "TimeRange",
            "visualization": query.visualisation,
            "showExportToExcel": query.visualisation == "table",
        }
        | _LOGS,
        "name": query.name,
    }


def _identifier(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
