"""What stands in Azure Monitor: the workbook, the alert rules and whom they call, as one template."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from driftgate.monitor.azure import _names as names
from driftgate.monitor.azure._expressions import Expression, Parameter, Resource, Template, call, parameter, variable
from driftgate.monitor.azure._rules import ACTION_GROUP, MOST_HOURS, RULES, query_variable, rule, rule_query
from driftgate.monitor.azure._workbook import notebook

SILENT_HOURS = 26
"""A day and what a look may be late by."""


@dataclass(frozen=True)
class Expected:
    """What a workspace is to send; that it is missing is told by its name."""

    name: str = ""
    """Of the workspace."""
    monitors: tuple[str, ...] = field(default=())
    """Each as ``MONITOR/canaries``, ``MONITOR/traffic`` or ``MONITOR/answers``."""
    nightly: bool = True
    """Whether a night has anything to do."""

    @property
    def role(self) -> str:
        """The role name in which it sends."""
        return f"{self.name}.{names.SERVICE}" if self.name else names.SERVICE


def monitoring(expected: Expected | None = None, folder: Path | None = None) -> Template:
    """The template: parameters, workbook, alert rules and an action group.

    Parameters
    ----------
    expected : Expected, optional
        Of whom silence is to be told: the defaults of the template's parameters.
    folder : Path, optional
        A workspace whose own ``monitor/azure/*.kql`` are taken where it has them.

    Notes
    -----
    The workbook and the queries stand readable among the variables; the deployment makes the workbook the string that
    it is stored as, and puts parameters into the queries.

    Examples
    --------
    >>> [resource.symbol for resource in monitoring().resources]
    ['workbook', 'actionGroup', 'incidentRule', 'silentRule', 'nightlyRule', 'gateRule']
    """
    expected = expected or Expected()
    return Template(
        parameters=_parameters(expected),
        variables={
            "workbookContent": notebook(folder, SILENT_HOURS),
            **{query_variable(one): rule_query(one, folder) for one in RULES},
        },
        resources=(_WORKBOOK, ACTION_GROUP, *(rule(one) for one in RULES)),
        outputs={"workbookId": Expression(f"resourceId('{_WORKBOOK.type}', {_WORKBOOK.name.json})", "workbook.id")},
    )


def _parameters(expected: Expected) -> tuple[Parameter, ...]:
    return (
        Parameter(
            "workspaceResourceId",
            "string",
            "Resource id of the Log Analytics workspace behind Application Insights.",
        ),
        Parameter(
            "location", "string", "Region; the alert rules want the workspace's own.", call("resourceGroup").location
        ),
        Parameter("displayName", "string", "What the workbook and the rules are called.", names.SERVICE),
        Parameter("roleName", "string", "Role in which driftgate sends: NAME.driftgate.", expected.role),
        Parameter(
            "monitors",
            "array",
            "What has to come to a conclusion, each as MONITOR/canaries, MONITOR/traffic or MONITOR/answers.",
            list(expected.monitors),
        ),
        Parameter("silentHours", "int", "Hours without a conclusion.", SILENT_HOURS, 1, MOST_HOURS),
        Parameter("hasNightly", "bool", "Whether a night is expected.", expected.nightly),
        Parameter("nightlyHours", "int", "Hours without a night's result.", SILENT_HOURS, 1, MOST_HOURS),
        Parameter("severity", "int", "Of the alerts: 0 is the gravest.", 2, 0, 4),
        Parameter("email", "string", "Whom the alerts are sent to; empty: no action group is made.", ""),
        Parameter("actionGroupIds", "array", "Resource ids of other action groups that they call.", []),
    )


_WORKBOOK = Resource(
    "workbook",
    "Microsoft.Insights/workbooks",
    "2023-06-01",
    call("guid", call("resourceGroup").id, parameter("displayName"), names.SERVICE),  # the same each deployment
    {
        "location": parameter("location"),
        "kind": "shared",
        "properties": {
            "displayName": parameter("displayName"),
            "serializedData": call("string", variable("workbookContent")),
            "version": "Notebook/1.0",
            "category": "workbook",
            "sourceId": parameter("workspaceResourceId"),
        },
    },
)
