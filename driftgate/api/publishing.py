"""What happens in a workspace is put into Azure Monitor's outbox, where the workspace names one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.gate import GateVerdict
from driftgate.benchmarks.scores import CellScores
from driftgate.finetune.remediation import Remediation, events_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, RunRow
from driftgate.monitor.watch import Watched


def publish_run(
    workspace: OpenWorkspace,
    ledger: Ledger,
    run: RunRow,
    scored: Sequence[CellScores],
    verdicts: Sequence[GateVerdict],
) -> None:
    """Put a run, its scores and its verdicts into the outbox."""
    if workspace.config.azure_monitor is None:
        return
    from driftgate.monitor.azure import enqueue, evaluation_results, run_trace, verdict_events

    enqueue(ledger, f"run-{run.id}", run_trace(run, scored, verdicts[0].verdict if verdicts else ""))
    for place, result in enumerate(evaluation_results(run, scored)):
        enqueue(ledger, f"evaluation-{run.id}-{place}", result)
    for verdict in verdict_events(run, verdicts):
        enqueue(ledger, f"verdict-{run.id}-{verdict.gate}", verdict)


def publish_look(workspace: OpenWorkspace, ledger: Ledger, champion: str, watched: Watched) -> None:
    """Put a look, its signals, its findings and its alerts into the outbox."""
    if workspace.config.azure_monitor is None:
        return
    from driftgate.monitor.azure import alert_event, enqueue, finding_events, look_event, signal_values

    row = watched.row
    enqueue(ledger, f"look-{row.run_id}", look_event(row, watched.conclusion, champion))
    if watched.look is not None:
        for value in signal_values(watched.look, champion):
            enqueue(ledger, f"signal-{value.signal}-{value.model}-{value.slice}-{value.at.isoformat()}", value)
        for place, finding in enumerate(finding_events(watched.look, row, champion)):
            enqueue(ledger, f"finding-{row.run_id}-{place}", finding)
    for alert in watched.alerts:
        enqueue(ledger, f"alert-{row.run_id}-{alert.key}", alert_event(alert, champion, row))


def publish_night(workspace: OpenWorkspace, ledger: Ledger, exit_code: int, problems: Sequence[DriftgateError]) -> None:
    """Put it into the outbox that there was a night: that it was missing is told by this not being there."""
    if workspace.config.azure_monitor is None:
        return
    from driftgate.monitor.azure import NightEvent, enqueue

    now = datetime.now(UTC)
    why = told("; ".join(problem.message for problem in problems))
    enqueue(ledger, f"night-{now.isoformat()}", NightEvent(at=now, exit_code=exit_code, why=why))


def publish_remediation(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation) -> None:
    """Put the steps of a remediation into the outbox."""
    if workspace.config.azure_monitor is None:
        return
    from driftgate.monitor.azure import enqueue, remediation_events

    for place, event in enumerate(remediation_events(remediation, events_of(ledger, remediation.id))):
        enqueue(ledger, f"remediation-{remediation.id}-{place}", event)


def publish_incidents(workspace: OpenWorkspace, ledger: Ledger, now: datetime | None = None) -> None:
    """Put where incidents stand into the outbox: each change once, and each day once what is not resolved.

    A rule in Azure looks back over two days at most; what stands longer would be forgotten there.

    Parameters
    ----------
    now : datetime, optional
        The present, for tests.
    """
    if workspace.config.azure_monitor is None:
        return
    from driftgate.monitor.azure import enqueue, incident_event
    from driftgate.monitor.incidents import history, incidents

    moment = now or datetime.now(UTC)
    for incident in incidents(ledger, limit=_INCIDENTS):
        if incident.resolved_at is not None and incident.resolved_at < moment - _TOLD:
            continue
        change = max((one.id for one in history(ledger, incident.id, limit=1)), default=0)
        day = "" if incident.state == "resolved" else f"-{moment:%Y%m%d}"
        enqueue(ledger, f"incident-{incident.id}-{change}{day}", incident_event(incident, moment))


_INCIDENTS = 1000
"""Those opened last."""
_TOLD = timedelta(days=30)
"""How long after its end an incident's end is told of, to whom it could not be told before."""
