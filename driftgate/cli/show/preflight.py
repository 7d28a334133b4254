"""What a preflight found, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.api.deployments import Deployment
from driftgate.api.preflight import Finding
from driftgate.flows.models import RESPONSES, effort_of

_MARKS = {
    "good": "[green]good[/]",
    "unchecked": "[cyan]open[/]",
    "warning": "[yellow]warn[/]",
    "error": "[red]mend[/]",
}


def print_finding(console: Console, finding: Finding) -> None:
    """One line for what was found, and one for what to do and where."""
    said = f"{_MARKS[finding.severity]}  [bold]{escape(finding.subject)}[/]: {escape(finding.found)}"
    console.print(said, soft_wrap=True)
    place = finding.where if finding.where not in finding.found else ""
    then = f"{finding.remedy} ({place})" if finding.remedy and place else finding.remedy or (place and f"see {place}")
    if then and finding.severity != "good":
        console.print(f"      {escape(then)}", soft_wrap=True)


_SHOWN = ("temperature", "logprobs", "response_format")
_TAKEN = {True: "taken", False: "refused", None: "-"}


def print_deployments(console: Console, deployments: Sequence[Deployment]) -> None:
    """What each deployment takes, as far as it was asked; ``-`` is what nobody sent it."""
    if not any(one.known for one in deployments):
        return
    table = Table(title="what deployments take", title_justify="left", header_style="bold")
    for column in ("model", "asked by", "limit on tokens", "effort", "temperature", "log-probs", "JSON", "ends"):
        table.add_column(column, overflow="fold")
    for one in deployments:
        if one.known is None:
            table.add_row(escape(one.model), "not asked", *[""] * 5, _day(one))
            continue
        effort = effort_of(one.config.parameters)
        levels = ", ".join(one.known.efforts)
        table.add_row(
            escape(one.model),
            "Responses" if one.known.wire == RESPONSES else "Chat Completions",
            one.known.cap or "-",
            escape(" of ".join(part for part in (str(effort or ""), levels) if part) or "-"),
            *(_TAKEN[one.known.takes(name)] for name in _SHOWN),
            _day(one),
        )
    console.print(table)


def _day(one: Deployment) -> str:
    return "not known" if one.ends is None else f"{one.ends}"


def as_data(findings: Sequence[Finding], deployments: Sequence[Deployment]) -> dict[str, Any]:
    """The same for a program."""
    told = ("severity", "subject", "found", "remedy", "where")
    return {
        "findings": [{name: getattr(finding, name) for name in told} for finding in findings],
        "deployments": [
            {
                "model": one.model,
                "served": one.served,
                "capabilities": None if one.known is None else {**one.known.as_json(), "cap": one.known.cap},
                "ends": None if one.ends is None else f"{one.ends}",
                "at": None if one.at is None else one.at.isoformat(),
            }
            for one in deployments
        ],
    }


def in_all(counts: Mapping[str, int]) -> str:
    """What it comes to.

    Examples
    --------
    >>> in_all({"good": 9}), in_all({"error": 2, "warning": 1})
    ('everything is in order', '2 to mend, 1 warning')
    >>> in_all({"unchecked": 3})
    'nothing to mend, 3 not to be known beforehand'
    """
    bad, doubtful, open_ = (counts.get(name, 0) for name in ("error", "warning", "unchecked"))
    if not (bad or doubtful or open_):
        return "everything is in order"
    parts = [f"{bad} to mend" if bad else "nothing to mend"]
    if doubtful:
        parts.append(f"{doubtful} warning{'s' * (doubtful > 1)}")
    if open_:
        parts.append(f"{open_} not to be known beforehand")
    return ", ".join(parts)
