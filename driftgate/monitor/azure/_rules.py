"""The alert rules and whom they call.

Each rule asks for a state and not for what is new: what is open now, over two days, the most that a rule may look back.
So an alert fires once, stays while the state does, however often driftgate looks, restarts or resends, and resolves
when driftgate says so. What is not resolved is told again each day. Where nothing arrives any more the rule for silence
fires, which makes its rows from the names that are expected: it stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from driftgate.monitor.azure._expressions import (
    Expression,
    Resource,
    array,
    call,
    choose,
    identifier,
    negated,
    parameter,
    variable,
)
from driftgate.monitor.azure._queries import read_query

MOST_HOURS = 46
"""Hours of silence that a rule can tell: it looks back over 48, and records take minutes to be ingested."""


@dataclass(frozen=True)
class Rule:
    """A scheduled query rule that fires while its query has rows."""

    name: str
    """Of its query, ``rule_NAME.kql``, and in its resource's name."""
    title: str
    description: str
    dimensions: tuple[str, ...]
    """Columns: one alert for each of their values."""
    hours: str = ""
    """Parameter that takes the place of ``{Hours}``."""
    condition: str = ""
    """Parameter, true or false, that says whether there is this rule."""


RULES = (
    Rule(
        "incident",
        "incident opened",
        "An incident is open: a model in production moved for the worse, or nobody could look at it.",
        ("Incident", "Kind", "Monitor"),
    ),
    Rule(
        "silent",
        "monitor silent",
        "A monitor came to no conclusion for hours: nobody knows how the model does.",
        ("Monitor",),
        hours="silentHours",
    ),
    Rule(
        "nightly",
        "nightly missing",
        "No night came to a result for hours.",
        ("Workspace",),
        hours="nightlyHours",
        condition="hasNightly",
    ),
    Rule("gate", "gate failed", "A gate's last verdict is fail or unmeasurable.", ("Gate", "Verdict")),
)

ACTION_GROUP = Resource(
    "actionGroup",
    "Microsoft.Insights/actionGroups",
    "2023-01-01",
    call("concat", parameter("displayName"), "-on-call"),
    {
        "location": "Global",
        "properties": {
            "groupShortName": call("take", parameter("displayName"), 12),
            "enabled": True,
            "emailReceivers": [
                {"name": "on-call", "emailAddress": parameter("email"), "useCommonAlertSchema": True},
            ],
        },
    },
    condition=negated(call("empty", parameter("email"))),
)
"""Made where an e-mail address is given; other action groups are given by their ids."""
_WHOM = choose(
    call("empty", parameter("email")),
    parameter("actionGroupIds"),
    call("union", parameter("actionGroupIds"), array(identifier(ACTION_GROUP))),
)


def rule(rule: Rule) -> Resource:
    """The resource of a rule; its query is the variable ``queryNAME``."""
    query = variable(query_variable(rule))
    for placeholder, value in _placeholders(rule):
        query = call("replace", query, placeholder, value)
    criterion = {
        "query": query,
        "timeAggregation": "Count",
        "operator": "GreaterThan",
        "threshold": 0,
        "dimensions": [{"name": name, "operator": "Include", "values": ["*"]} for name in rule.dimensions],
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    return Resource(
        f"{rule.name}Rule",
        "Microsoft.Insights/scheduledQueryRules",
        "2023-12-01",
        call("concat", parameter("displayName"), f"-{rule.name}"),
        {
            "location": parameter("location"),
            "kind": "LogAlert",
            "properties": {
                "displayName": call("concat", parameter("displayName"), f": {rule.title}"),
                "description": rule.description,
                "severity": parameter("severity"),
                "enabled": True,
                "scopes": [parameter("workspaceResourceId")],
                "evaluationFrequency": "PT15M",
                "windowSize": "PT15M",
                "overrideQueryTimeRange": "P2D",
                "autoMitigate": True,
                "criteria": {"allOf": [criterion]},
                "actions": {"actionGroups": _WHOM},
            },
        },
        after=(ACTION_GROUP.symbol,),
        condition=parameter(rule.condition) if rule.condition else None,
    )


def query_variable(rule: Rule) -> str:
    """What the variable of its query is called."""
    return f"query{rule.name.capitalize()}"


def rule_query(rule: Rule, folder: Path | None) -> str:
    """Its KQL, with placeholders that the deployment fills."""
    return read_query(f"rule_{rule.name}", folder)


def _placeholders(rule: Rule) -> list[tuple[str, Expression]]:
    found: list[tuple[str, Expression]] = [("{Workspace}", parameter("roleName"))]
    if rule.hours:
        found.append(("{Hours}", call("string", parameter(rule.hours))))
    if rule.name == "silent":
        found.append(("{Monitors}", call("string", parameter("monitors"))))
    return found
