"""What a preflight found, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape

from driftgate.api.preflight import Finding

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
