"""An alert explained, on the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from driftgate.api.explaining import Explanation

_TITLES = {
    "template": "prompt template",
    "inputs": "what is asked",
    "provider": "the provider's model",
    "judge": "the judge",
    "extraction": "extraction or formatting",
    "telemetry": "telemetry",
    "service": "the service",
}


def print_explanation(console: Console, found: Explanation) -> None:
    """What moved, since when, the looks and slices, the suspects, and whether it calls for a repair."""
    alert = found.alert
    console.print(f"[bold]{escape(found.monitor)}[/] {alert.key}: {escape(alert.summary)}", soft_wrap=True)
    console.print(
        f"since {_when(found.since)}, told at {_when(found.at)}; compared with {alert.reference}", soft_wrap=True
    )
    console.print("[bold]looks[/]")
    for one in found.looks:
        console.print(f"  {_when(one.at)} {one.result}: {escape(one.told)}", soft_wrap=True)
    if found.slices:
        console.print("[bold]slices[/]")
    for name, told, moved in found.slices:
        mark = " [bold]moved[/]" if moved else ""
        console.print(f"  {escape(name) or '(none)'}: {escape(told)}{mark}", soft_wrap=True)
    if found.lost is not None:
        lost = found.lost
        console.print(
            f"[bold]canaries that are no longer right[/]: {lost.wrong} wrong, {lost.unparsed} that cannot be read, "
            f"{lost.refused} refused, {lost.unanswered} without a whole reply",
            soft_wrap=True,
        )
    console.print("[bold]suspects[/]")
    for suspect in sorted(found.suspects, key=lambda suspect: -len(suspect.for_it)):
        console.print(f"  {_TITLES[suspect.name]}{'' if suspect.told else ': nothing is known'}", soft_wrap=True)
        for words, side in (("for", suspect.for_it), ("against", suspect.against)):
            for told in side:
                console.print(f"    {words}: {escape(told)}", soft_wrap=True)
    if found.unread:
        console.print(f"of the calls {escape(found.unread)}", soft_wrap=True)
    console.print(f"[bold]repair[/]: {escape(found.repair)}", soft_wrap=True)


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
