"""The workbook and the alert rule in Azure, as one ARM template.

Write it with ``driftgate azure workbook FILE`` and deploy it with
``az deployment group create --template-file FILE --parameters workspaceResourceId=…``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from driftgate.monitor.azure import _names as names
from driftgate.monitor.azure._queries import ALERT_RULE, MODEL_NAMES, QUERIES, SIGNAL_NAMES, Query, read_query

_LOGS = {"queryType": 0, "resourceType": "microsoft.operationalinsights/workspaces"}
_HOURS_MS = 3_600_000
_RANGES = tuple(hours * _HOURS_MS for hours in (4, 24, 72, 168, 720, 2160))


def arm_template(folder: Path | None = None) -> dict[str, Any]:
    """The template: parameters, the workbook, and the alert rule on what moved and on looks that could not be made.

    Parameters
    ----------
    folder : Path, optional
        A workspace whose own ``monitor/azure/*.kql`` are taken where it has them.

    Notes
    -----
    The workbook stands readable among the variables; Resource Manager makes it the string that a workbook is stored as.

    Examples
    --------
    >>> [resource["type"] for resource in arm_template()["resources"]]
    ['Microsoft.Insights/workbooks', 'Microsoft.Insights/scheduledQueryRules']
    """
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "workspaceResourceId": {
                "type": "string",
                "metadata": {"description": "Resource id of the Log Analytics workspace behind Application Insights."},
            },
            "location": {
                "type": "string",
                "defaultValue": "[resourceGroup().location]",
                "metadata": {"description": "Region; the alert rule wants the workspace's own."},
            },
            "displayName": {"type": "string", "defaultValue": names.SERVICE},
            "severity": {"type": "int", "defaultValue": 2, "minValue": 0, "maxValue": 4},
            "actionGroupIds": {
                "type": "array",
                "defaultValue": [],
                "metadata": {"description": "Resource ids of the action groups that a drift alert calls."},
            },
        },
        "variables": {"workbook": _notebook(folder)},
        "resources": [_workbook(), _alert_rule(folder)],
        "outputs": {
            "workbookId": {
                "type": "string",
                "value": f"[resourceId('Microsoft.Insights/workbooks', {_WORKBOOK_NAME})]",
            }
        },
    }


_WORKBOOK_NAME = f"guid(resourceGroup().id, parameters('displayName'), '{names.SERVICE}')"  # the same each deployment


def _workbook() -> dict[str, Any]:
    return {
        "type": "Microsoft.Insights/workbooks",
        "apiVersion": "2023-06-01",
        "name": f"[{_WORKBOOK_NAME}]",
        "location": "[parameters('location')]",
        "kind": "shared",
        "properties": {
            "displayName": "[parameters('displayName')]",
            "serializedData": "[string(variables('workbook'))]",
            "version": "Notebook/1.0",
            "category": "workbook",
            "sourceId": "[parameters('workspaceResourceId')]",
        },
    }


def _alert_rule(folder: Path | None) -> dict[str, Any]:
    # The rule is stateful: a model and signal that stay in alarm page once, and resolve when a window is quiet. The
    # window is longer than the frequency so that a record which takes ten minutes to be ingested is still counted.
    return {
        "type": "Microsoft.Insights/scheduledQueryRules",
        "apiVersion": "2023-12-01",
        "name": "[concat(parameters('displayName'), '-drift')]",
        "location": "[parameters('location')]",
        "kind": "LogAlert",
        "properties": {
            "displayName": "[concat(parameters('displayName'), ': drift alert')]",
            "description": "driftgate found that a model in production moved for the worse, or could not look at it.",
            "severity": "[parameters('severity')]",
            "enabled": True,
            "scopes": ["[parameters('workspaceResourceId')]"],
            "evaluationFrequency": "PT5M",
            "windowSize": "PT15M",
            "autoMitigate": True,
            "criteria": {
                "allOf": [
                    {
                        "query": read_query(ALERT_RULE, folder),
                        "timeAggregation": "Count",
                        "operator": "GreaterThan",
                        "threshold": 0,
                        "dimensions": [
                            {"name": name, "operator": "Include", "values": ["*"]} for name in ("Model", "Signal")
                        ],
                        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
                    }
                ]
            },
            "actions": {"actionGroups": "[parameters('actionGroupIds')]"},
        },
    }


def _notebook(folder: Path | None) -> dict[str, Any]:
    return {
        "version": "Notebook/1.0",
        "items": [
            {"type": 1, "content": {"json": "# driftgate\nDrift of the models in production, and their benchmarks."}},
            _parameters(folder),
            *(_item(query, folder) for query in QUERIES),
        ],
        "fallbackResourceIds": ["[parameters('workspaceResourceId')]"],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def _parameters(folder: Path | None) -> dict[str, Any]:
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
    model = _choice(2, "Model", read_query(MODEL_NAMES, folder)) | {
        "multiSelect": True,
        "quote": "'",
        "delimiter": ",",
        "value": ["value::all"],
        "typeSettings": {"additionalResourceOptions": ["value::all"], "selectAllValue": "*", "showDefault": False},
    }
    signal = _choice(3, "Signal", read_query(SIGNAL_NAMES, folder)) | {
        "value": "value::1",
        "typeSettings": {"additionalResourceOptions": ["value::1"], "showDefault": False},
    }
    return {
        "type": 9,
        "content": {"version": "KqlParameterItem/1.0", "parameters": [time_range, model, signal], "style": "pills"}
        | _LOGS,
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
            "timeContextFromParameter": "TimeRange",
            "visualization": query.visualisation,
            "showExportToExcel": query.visualisation == "table",
        }
        | _LOGS,
        "name": query.name,
    }


def _identifier(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
