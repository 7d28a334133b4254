"""A night on the terminal, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from driftgate.api.display import ProgressDisplay
from driftgate.api.night import NightDisplay
from driftgate.api.terminal import PlainConsole
from driftgate.benchmarks.progress import Display
from driftgate.cli.show.bench import carry_out
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import ends_soon
from driftgate.monitor.looks import Result
from driftgate.monitor.watch import Watched

if TYPE_CHECKING:
    from driftgate.api.bench import Begun, Done
    from driftgate.api.keeping import Kept
    from driftgate.api.workspace import OpenWorkspace
    from driftgate.finetune.remediation import Remediation
    from driftgate.ledger import Ledger
    from driftgate.monitor.azure import Drained
    from driftgate.monitor.notifications import Delivered

_COLOURS: Mapping[Result, str] = {
    "quiet": "green",
    "inconclusive": "yellow",
    "unmeasurable": "bold magenta",
    "moved": "bold red",
}


@dataclass(frozen=True)
class NightOnTerminal(NightDisplay):
    """It prints."""

    console: PlainConsole
    workspace: OpenWorkspace
    ledger: Ledger

    @property
    def progress(self) -> Display:
        """A bar, or a line now and then."""
        return ProgressDisplay(self.console)

    def benched(self, begun: Begun, finish: Callable[[Display], Done]) -> Done:
        """Print the run, its scores and its verdicts."""
        return carry_out(self.console, begun, finish)

    def looked(self, monitor: str, what: str, watched: Watched, evidence: Path | None) -> None:
        """Print a look's result and its alerts."""
        row, found = watched.row, watched.conclusion
        if found.result == "reference":
            told = f"{escape(monitor)}: reference look at {escape(what)} ({row.run_id}): {escape(found.reason)}"
            self.console.print(told, soft_wrap=True)
            return
        about = what if row.of != "canaries" else f"look {row.number} at {what}" if row.number else f"look at {what}"
        why = f": {escape(found.why)}" if found.why else ""
        result = f"[{_COLOURS[found.result]}]{found.result}[/]"
        self.console.print(f"{escape(monitor)}: {escape(about)}: {result}{why}", soft_wrap=True)
        for alert in watched.alerts:
            self.console.print(f"[bold red]alert[/] {escape(alert.summary)}", soft_wrap=True)
        if evidence is not None:
            self.console.print(f"  evidence: {escape(str(evidence))}", soft_wrap=True)

    def opened(self, remediation: Remediation, new: bool) -> None:
        """Print that a remediation is open."""
        self.console.print(f"remediation {remediation.id} {'is opened' if new else 'was open already'}")

    def not_opened(self, recipe: str, reason: DriftgateError) -> None:
        """Print why none is opened."""
        self.console.print(escape(str(reason)), soft_wrap=True)

    def halted(self, why: str) -> None:
        """Print why none goes on."""
        self.console.print(f"no remediation goes on: {escape(why)}", soft_wrap=True)

    def mended(self, remediation: Remediation, why: str) -> None:
        """Print how far a remediation went."""
        told = f"remediation {remediation.id}: [bold]{remediation.state}[/]" + (f": {escape(why)}" if why else "")
        self.console.print(told, soft_wrap=True)

    def sent(self, drained: Drained) -> None:
        """Print what Azure Monitor took."""
        trouble = f"; {escape(drained.problem)}" if drained.problem else ""
        told = f"{drained.sent} sent, {drained.left} waiting, {drained.parked} parked"
        self.console.print(f"Azure Monitor: {told}{trouble}")

    def told(self, delivered: Delivered) -> None:
        """Print how many messages were taken, and which channel fails."""
        if delivered.sent:
            self.console.print(f"notifications: {delivered.sent} sent")
        for one in delivered.channels:
            if one.fails:
                told = f"channel {escape(one.channel)} fails, {one.waiting} messages wait: {escape(one.failure)}"
                self.console.print(f"notifications: {told}", soft_wrap=True)

    def kept(self, kept: Kept) -> None:
        """Print what was moved and removed."""
        from driftgate.cli.show.ledger import print_archived, print_expired

        if kept.expired is not None and kept.expired.runs:
            print_expired(self.console, kept.expired, self.workspace.reports)
        for page in kept.pages:
            self.console.print(f"removed with it: {escape(str(page))}", soft_wrap=True)
        if kept.telemetry:
            from driftgate.monitor.telemetry import removed_in_words

            self.console.print(f"telemetry: {escape(removed_in_words(kept.telemetry))}", soft_wrap=True)
        if kept.archived is not None and (kept.archived.cells or kept.archived.removed):
            print_archived(self.console, kept.archived, self.ledger.archive)

    def ends(self, slot: str, model: str, day: date) -> None:
        """Print the last day of a champion's deployment."""
        self.console.print(f"{escape(slot)}: {escape(model)}: [yellow]{ends_soon(day)}[/]", soft_wrap=True)

    def unmeasured(self, slot: str, model: str) -> None:
        """Print that nobody would see a champion get worse."""
        told = f"champion {slot}: {model} is live, no suite of the night asks it and no monitor watches it"
        self.console.print(f"[yellow]unmeasurable[/] {escape(told)}", soft_wrap=True)

    def failed(self, part: str, problem: DriftgateError) -> None:
        """Print what could not be done."""
        self.console.print(f"{escape(part)}: [bold red]error[/]: {escape(str(problem))}", soft_wrap=True)
