"""The nightly job: suites and gates, looks at champions, remediations where they are called for, and what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from driftgate.api import watching
from driftgate.api.bench import gravest
from driftgate.api.champions import champion
from driftgate.api.display import ProgressDisplay
from driftgate.api.facade import Workspace
from driftgate.api.preflight import prepare_night
from driftgate.api.watching import LookResult
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.gate import GateVerdict
from driftgate.benchmarks.scores import CellScores
from driftgate.cli._console import console
from driftgate.cli.show.bench import carry_out
from driftgate.finetune.remediation import Remediation, events_of, remediations
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import resolve
from driftgate.ledger import Ledger, RunRow
from driftgate.monitor.looks import EXIT_CODES, Result
from driftgate.monitor.looks import gravest as gravest_look
from driftgate.monitor.watch import Watched

_COLOURS: Mapping[Result, str] = {
    "quiet": "green",
    "inconclusive": "yellow",
    "unmeasurable": "bold magenta",
    "moved": "bold red",
}


@dataclass(frozen=True)
class Looked:
    """What a monitor's canaries and its traffic came to."""

    canaries: LookResult
    traffic: Watched | None
    """None where the monitor does not look at traffic."""

    @property
    def exit_code(self) -> int:
        """The graver result's."""
        looks = [self.canaries.watched, *([self.traffic] if self.traffic else [])]
        return EXIT_CODES[gravest_look([look.conclusion.result for look in looks])]


def run_night(workspace: OpenWorkspace, ledger: Ledger) -> int:
    """Do everything the workspace names under ``nightly``; the exit code is the gravest of all its parts.

    What is to be mended is said of all parts before anything is asked. A part that cannot be done does not keep the
    others from being done.

    Raises
    ------
    DriftgateError
        There is nothing to do, or a part could not be done.
    """
    job = workspace.config.nightly
    if not job.suites and not job.monitors:
        raise DriftgateError("the workspace has nothing to do at night", "name suites or monitors under nightly")
    codes: list[int] = []
    refused = prepare_night(workspace, ledger)
    problems = list(refused.values())
    for part, problem in refused.items():
        _say_error(part, problem)
    for suite in job.suites:
        if f"suite {suite}" not in refused:
            with _set_aside(suite, problems):
                codes.append(_measure(workspace, ledger, suite))
    for name in job.monitors:
        with _set_aside(name, problems):
            codes.append(look(workspace, ledger, name).exit_code)
    with _set_aside("remediations", problems):
        mend(workspace, ledger)
    with _set_aside("Azure Monitor", problems):
        send(workspace, ledger)
    with _set_aside("keep", problems):
        keep_as_told(workspace, ledger)
    if problems:
        raise problems[0]
    return gravest(codes)


@contextmanager
def _set_aside(part: str, problems: list[DriftgateError]) -> Iterator[None]:
    try:
        yield
    except DriftgateError as problem:
        if str(problem) not in map(str, problems):  # it may have been said beforehand
            _say_error(part, problem)
        problems.append(problem)


def _say_error(part: str, problem: DriftgateError) -> None:
    console.print(f"{escape(part)}: [bold red]error[/]: {escape(str(problem))}", soft_wrap=True)


def _measure(workspace: OpenWorkspace, ledger: Ledger, suite: str) -> int:
    """Run a suite, judge it, and open a repair where a gate fails the champion; the exit code of its verdicts."""
    gates = [name for name in workspace.config.nightly.gates if workspace.config.gates[name].suite == suite]
    facade = Workspace(workspace, ledger)
    done = carry_out(console, facade, facade.begin(suite), gates)
    publish_run(workspace, ledger, done.run, done.scored, done.verdicts)
    for verdict in done.verdicts:
        repair_failure(workspace, ledger, verdict)
    return done.exit_code


def look(workspace: OpenWorkspace, ledger: Ledger, name: str) -> Looked:
    """Look at a monitor's canaries and traffic, say what was found, and open a remediation if the model got worse.

    Canaries alone call for a remediation. Traffic is looked at whatever became of them.
    """
    monitor = watching.find_monitor(workspace, name)
    canaries = watching.take_look(workspace, ledger, name, ProgressDisplay(console))
    _say(name, canaries.champion, canaries.watched)
    _publish_look(workspace, ledger, canaries.champion, canaries.watched)
    traffic = None
    if monitor.traffic is not None:
        traffic = watching.watch_traffic(workspace, ledger, name, monitor.traffic)
        _say(name, "traffic", traffic)
        _publish_look(workspace, ledger, canaries.champion, traffic)
        report = watching.evidence_folder(workspace) / f"{traffic.row.run_id}.html"
        if report.exists():
            console.print(f"  evidence: {escape(str(report))}", soft_wrap=True)
    regression = canaries.watched.regression
    if regression is not None and monitor.recipe is not None:
        _begin_repair(workspace, ledger, monitor.recipe, canaries.champion, {"alert": regression.to_json()})
    return Looked(canaries, traffic)


def _say(monitor: str, what: str, watched: Watched) -> None:
    row, found = watched.row, watched.conclusion
    if found.result == "reference":
        console.print(f"{escape(monitor)}: reference look at {escape(what)} ({row.run_id})")
        return
    about = what if row.of == "traffic" else f"look {row.number} at {what}" if row.number else f"look at {what}"
    why = f": {escape(found.why)}" if found.why else ""
    result = f"[{_COLOURS[found.result]}]{found.result}[/]"
    console.print(f"{escape(monitor)}: {escape(about)}: {result}{why}", soft_wrap=True)
    for alert in watched.alerts:
        console.print(f"[bold red]alert[/] {escape(alert.summary)}", soft_wrap=True)


def repair_failure(workspace: OpenWorkspace, ledger: Ledger, verdict: GateVerdict) -> None:
    """Open a remediation where a gate fails the champion of the recipe it names; a failing candidate needs none."""
    recipe = workspace.config.gates[verdict.gate].recipe
    if recipe is None:
        return
    live = champion(workspace, ledger, workspace.config.recipes[recipe].champion)
    failed = [rule for rule in verdict.rules if rule.verdict == "fail" and rule.model == live]
    if failed:
        why = [f"{rule.cell}: {rule.rule}: {rule.told}" for rule in failed]
        _begin_repair(workspace, ledger, recipe, live, {"gate": verdict.gate, "run": verdict.run, "why": why})


def _begin_repair(
    workspace: OpenWorkspace, ledger: Ledger, recipe: str, live: str, evidence: Mapping[str, Any]
) -> None:
    from driftgate.api.repair import begin_repair

    remediation, new = begin_repair(workspace, ledger, recipe, live, evidence)
    console.print(f"remediation {remediation.id} {'is opened' if new else 'was open already'}")


def mend(workspace: OpenWorkspace, ledger: Ledger) -> list[Remediation]:
    """Take every open remediation as far as it goes."""
    ended = []
    for remediation in remediations(ledger, state="open"):
        from driftgate.api.repair import check_recipe, go_on

        check_recipe(workspace, ledger, remediation)
        after = asyncio.run(go_on(workspace, ledger, remediation, ProgressDisplay(console)))
        ended.append(after)
        why = events_of(ledger, after.id)[-1].message
        told = f"remediation {after.id}: [bold]{after.state}[/]" + (f": {escape(why)}" if why else "")
        console.print(told, soft_wrap=True)
    return ended


def publish_run(
    workspace: OpenWorkspace,
    ledger: Ledger,
    run: RunRow,
    scored: Sequence[CellScores],
    verdicts: Sequence[GateVerdict],
) -> None:
    """Put a run and its scores into the outbox, where the workspace sends anything."""
    if workspace.config.azure_monitor is not None:
        from driftgate.monitor.azure import enqueue, evaluation_results, run_trace

        enqueue(ledger, f"run-{run.id}", run_trace(run, scored, verdicts[0].verdict if verdicts else ""))
        for place, result in enumerate(evaluation_results(run, scored)):
            enqueue(ledger, f"evaluation-{run.id}-{place}", result)


def send(workspace: OpenWorkspace, ledger: Ledger) -> None:
    """Send what waits in the outbox; what the service does not acknowledge waits for the next time."""
    if workspace.config.azure_monitor is not None:
        from driftgate.monitor.azure import drain

        connection = resolve(workspace.config.azure_monitor.connection_string, "azure_monitor.connection_string")
        sent = drain(ledger, connection, workspace=workspace.config.name)
        trouble = f"; {escape(sent.problem)}" if sent.problem else ""
        console.print(f"Azure Monitor: {sent.sent} sent, {sent.left} waiting, {sent.parked} parked{trouble}")


def keep_as_told(workspace: OpenWorkspace, ledger: Ledger) -> None:
    """Remove texts and move details that are older than the workspace keeps them, and say what went."""
    from driftgate.api.keeping import keep
    from driftgate.cli.show.ledger import print_archived, print_expired

    done = keep(workspace, ledger)
    if done.expired is not None and done.expired.runs:
        print_expired(console, done.expired, workspace.reports)
    if done.archived is not None and (done.archived.cells or done.archived.removed):
        print_archived(console, done.archived, ledger.archive)


def _publish_look(workspace: OpenWorkspace, ledger: Ledger, champion: str, watched: Watched) -> None:
    if workspace.config.azure_monitor is None:
        return
    from driftgate.monitor.azure import alert_event, enqueue, look_event, signal_values

    enqueue(ledger, f"look-{watched.row.run_id}", look_event(watched.row, watched.conclusion, champion))
    for value in signal_values(watched.look, champion) if watched.look is not None else ():
        enqueue(ledger, f"signal-{value.signal}-{value.model}-{value.slice}-{value.at.isoformat()}", value)
    for alert in watched.alerts:
        enqueue(ledger, f"alert-{alert.key}", alert_event(alert, champion))
