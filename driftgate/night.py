"""The nightly job: suites and gates, looks at champions, remediations where they are called for, and what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.markup import escape

from benchmarks.gate import GateVerdict
from benchmarks.ledger import Ledger, RunRow
from benchmarks.scores import CellScores
from driftgate import watching
from driftgate.champions import champion
from driftgate.commands import carry_out, console, gravest
from driftgate.display import ProgressDisplay
from driftgate.workspace import OpenWorkspace
from finetune.remediation import Remediation, events_of, remediations
from flows.errors import DriftgateError
from flows.models import resolve
from monitor.alert import Alert
from monitor.watch import look_at_traffic

MOVED = 1
"""Exit code where a signal moved."""


def run_night(workspace: OpenWorkspace, ledger: Ledger) -> int:
    """Do everything the workspace names under ``nightly``; the exit code is the gravest of all its parts.

    Raises
    ------
    DriftgateError
        There is nothing to do, or a part could not be done.
    """
    job = workspace.config.nightly
    if not job.suites and not job.monitors:
        raise DriftgateError("the workspace has nothing to do at night", "name suites or monitors under nightly")
    codes = []
    for suite in job.suites:
        gates = [name for name in job.gates if workspace.config.gates[name].suite == suite]
        done = carry_out(workspace, ledger, suite, gates)
        codes.append(done.exit_code)
        publish_run(workspace, ledger, done.run, done.scored, done.verdicts)
        for verdict in done.verdicts:
            repair_failure(workspace, ledger, verdict)
    for name in job.monitors:
        alerts = look(workspace, ledger, name)
        codes.append(MOVED if alerts else 0)
    mend(workspace, ledger)
    send(workspace, ledger)
    return gravest(codes)


def look(workspace: OpenWorkspace, ledger: Ledger, name: str) -> Sequence[Alert]:
    """Look at a monitor's canaries and traffic, say what was found, and open a remediation if the model moved."""
    monitor = watching.find_monitor(workspace, name)
    result = watching.take_look(workspace, ledger, name, ProgressDisplay(console))
    alerts = list(result.watched.alerts)
    row = result.watched.row
    if row.number == 0:
        console.print(f"{escape(name)}: reference look at {escape(result.champion)} ({result.run.id})")
    elif not alerts:
        console.print(f"{escape(name)}: look {row.number} at {escape(result.champion)}: [green]quiet[/]")
    _publish_look(workspace, ledger, result.champion, result.watched.look, alerts)
    if monitor.traffic is not None:
        evidence = workspace.reports / "evidence"
        now = datetime.now(UTC)
        seen = look_at_traffic(
            ledger, name, workspace.telemetry, monitor.traffic, now, floors=monitor.floors, evidence=evidence
        )
        if seen is None:
            console.print(f"{escape(name)}: not enough telemetry for two windows")
        else:
            alerts += seen.alerts
            console.print(f"{escape(name)}: traffic: {len(seen.alerts)} alerts")
            _publish_look(workspace, ledger, result.champion, seen.look, seen.alerts)
            if seen.alerts:
                console.print(f"  evidence: {escape(str(evidence / f'{seen.row.run_id}.html'))}", soft_wrap=True)
    for alert in alerts:
        console.print(f"[bold red]alert[/] {escape(alert.summary)}", soft_wrap=True)
    moved = [alert for alert in alerts if alert.cause == "model"]
    if moved and monitor.recipe is not None:
        _begin_repair(workspace, ledger, monitor.recipe, result.champion, {"alert": moved[0].to_json()})
    return alerts


def repair_failure(workspace: OpenWorkspace, ledger: Ledger, verdict: GateVerdict) -> None:
    """Open a remediation where a gate fails the champion of the recipe it names; a failing candidate needs none."""
    recipe = workspace.config.gates[verdict.gate].recipe
    if recipe is None:
        return
    live = champion(workspace, ledger, workspace.config.recipes[recipe].champion)
    failed = [rule for rule in verdict.rules if rule.verdict == "fail" and rule.model == live]
    if failed:
        why = [f"{rule.cell}: {rule.rule}: {rule.reason}" for rule in failed]
        _begin_repair(workspace, ledger, recipe, live, {"gate": verdict.gate, "run": verdict.run, "why": why})


def _begin_repair(
    workspace: OpenWorkspace, ledger: Ledger, recipe: str, live: str, evidence: Mapping[str, Any]
) -> None:
    from driftgate.repair import begin_repair

    remediation, new = begin_repair(workspace, ledger, recipe, live, evidence)
    console.print(f"remediation {remediation.id} {'is opened' if new else 'was open already'}")


def mend(workspace: OpenWorkspace, ledger: Ledger) -> list[Remediation]:
    """Take every open remediation as far as it goes."""
    ended = []
    for remediation in remediations(ledger, state="open"):
        from driftgate.repair import go_on

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
        from monitor.azure import enqueue, evaluation_results, run_trace

        enqueue(ledger, f"run-{run.id}", run_trace(run, scored, verdicts[0].verdict if verdicts else ""))
        for place, result in enumerate(evaluation_results(run, scored)):
            enqueue(ledger, f"evaluation-{run.id}-{place}", result)


def send(workspace: OpenWorkspace, ledger: Ledger) -> None:
    """Send what waits in the outbox; what the service does not acknowledge waits for the next time."""
    if workspace.config.azure_monitor is not None:
        from monitor.azure import drain

        connection = resolve(workspace.config.azure_monitor.connection_string, "azure_monitor.connection_string")
        sent = drain(ledger, connection, workspace=workspace.config.name)
        trouble = f"; {escape(sent.problem)}" if sent.problem else ""
        console.print(f"Azure Monitor: {sent.sent} sent, {sent.left} waiting, {sent.parked} parked{trouble}")


def _publish_look(
    workspace: OpenWorkspace, ledger: Ledger, champion: str, found: object, alerts: Sequence[Alert]
) -> None:
    if workspace.config.azure_monitor is None or found is None:
        return
    from monitor.azure import alert_event, enqueue, signal_values
    from monitor.drift import Look

    assert isinstance(found, Look)
    for value in signal_values(found, champion):
        enqueue(ledger, f"signal-{value.signal}-{value.model}-{value.slice}-{value.at.isoformat()}", value)
    for alert in alerts:
        enqueue(ledger, f"alert-{alert.key}", alert_event(alert, champion))
