"""From what driftgate knows to what it sends: alerts, looks, runs, verdicts and remediations as payloads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from driftgate.ledger import RunRow
from driftgate.monitor.azure._payloads import (
    AlertEvent,
    CellTrace,
    EvaluationResult,
    FindingEvent,
    IncidentEvent,
    LookEvent,
    RemediationEvent,
    RunTrace,
    SignalValue,
    VerdictEvent,
    bounded,
)
from driftgate.monitor.telemetry._conventions import PROVIDER_RENAMED

if TYPE_CHECKING:
    from driftgate.benchmarks.gate import GateVerdict
    from driftgate.benchmarks.scores import CellScores
    from driftgate.finetune.remediation import Event, Remediation
    from driftgate.monitor.alert import Alert
    from driftgate.monitor.detectors import Evidence
    from driftgate.monitor.drift import Finding, Look
    from driftgate.monitor.incidents import Incident
    from driftgate.monitor.looks import Conclusion, LookRow


_LARGEST = 8
"""Slices of a signal that are told with their band; each is an event a look."""


def signal_values(look: Look, model: str) -> list[SignalValue]:
    """The level of every signal of a look in its current window, everywhere and by slice; texts have none.

    Slices are named by the application. One whose name looks like an identifier is left out, as it would be a new time
    series each day; the ledger has it all the same.
    """
    return [
        SignalValue(
            at=finding.windows.current.end,
            signal=finding.signal.name,
            model=model,
            slice=place,
            unit=finding.signal.unit,
            value=evidence.current_value,
        )
        for finding in look.findings
        if finding.windows.looks == finding.windows.periods == 1  # what is pooled was sent with its own looks
        for place, evidence in (("all", finding.everywhere), *finding.slices.items())
        if finding.signal.kind != "text" and evidence.current_value is not None and _is_dimension(place)
    ]


def finding_events(look: Look, row: LookRow, model: str) -> list[FindingEvent]:
    """Every signal of a look with its band: everywhere, where it moved, and in the largest slices.

    A signal without a level, of counts or of texts, is told by its distance from the reference. What was pooled of
    several looks is told by its alert only: it has no time of its own.
    """
    moved = {alert.signal: alert.slices for alert in look.alerts}
    events = []
    for finding in look.findings:
        if finding.windows.looks == finding.windows.periods == 1:
            where = moved.get(finding.signal.name, ()) or (("all",) if finding.signal.name in moved else ())
            largest = sorted(finding.slices, key=lambda name: -finding.slices[name].n_current)[:_LARGEST]
            for place in dict.fromkeys(("all", *(name for name in where if name in finding.slices), *largest)):
                evidence = finding.everywhere if place == "all" else finding.slices[place]
                event = _finding(finding, evidence, row, model, place, place in where)
                events += [event] if event is not None else []
    return events


def _finding(
    finding: Finding, found: Evidence, row: LookRow, model: str, place: str, moved: bool
) -> FindingEvent | None:
    """None where there is no value or nothing to compare it with."""
    signal, effect = finding.signal, found.effect
    distance = signal.kind in ("histogram", "text")
    reference = 0.0 if distance else found.reference_value
    value = effect.estimate if distance else found.current_value
    if reference is None or value is None:
        return None
    scale = reference if signal.kind == "continuous" else 1.0  # an effect is a relative change there
    unit = {"histogram": "index", "text": "share"}.get(signal.kind, signal.unit)
    return FindingEvent(
        at=finding.windows.current.end,
        look=row.run_id,
        monitor=row.monitor,
        of=row.of,
        model=model,
        signal=signal.name,
        slice=place,
        unit=unit,
        value=value,
        low=None if effect.low is None else reference + effect.low * scale,
        high=None if effect.high is None else reference + effect.high * scale,
        reference=reference,
        band_low=None if distance or signal.bad == "higher" else reference - finding.floor * scale,
        band_high=None if signal.bad == "lower" and not distance else reference + finding.floor * scale,
        moved=moved,
        n=found.n_current,
    )


def alert_event(alert: Alert, model: str, row: LookRow, *, report: str = "") -> AlertEvent:
    """An alert, at the end of the window it was raised for."""
    return AlertEvent(
        at=alert.current.end,
        alert=alert.key,
        look=row.run_id,
        monitor=row.monitor,
        of=row.of,
        model=model,
        signal=alert.signal,
        moved=alert.moved,
        slices=alert.slices,
        cause=alert.cause,
        detector=alert.detector,
        p_value=alert.adjusted_p_value,
        effect=alert.effect,
        effect_low=alert.effect_low,
        effect_high=alert.effect_high,
        effect_unit=alert.effect_unit,
        floor=alert.floor,
        summary=alert.summary,
        report=report,
    )


def look_event(row: LookRow, conclusion: Conclusion, model: str) -> LookEvent:
    """What a look came to; also of one that could not be made."""
    return LookEvent(
        at=row.at,
        look=row.run_id,
        monitor=row.monitor,
        of=row.of,
        model=model,
        result=conclusion.result,
        reason=conclusion.reason,
        remedy=conclusion.remedy,
    )


def incident_event(incident: Incident, at: datetime) -> IncidentEvent:
    """Where an incident stands at a time."""
    return IncidentEvent(
        at=at,
        incident=incident.id,
        monitor=incident.monitor,
        cause=incident.cause,
        name=incident.kind,
        state=incident.state,
        severity=incident.severity,
        since=incident.since,
        summary=incident.summary,
        remedy=incident.remedy,
        acknowledged_by=incident.acknowledged_by,
    )


def run_trace(run: RunRow, scored: Sequence[CellScores], verdict: str = "") -> RunTrace:
    """A run and its cells. A cell lasts from the end of the one before it to its own last outcome."""
    cells: list[CellTrace] = []
    started = run.created_at
    for scores in scored:
        finished = max(started, _last_outcome(scores) or started)
        cells.append(_cell(scores, started, finished))
        started = finished
    return RunTrace(
        run=run.id,
        suite=run.suite,
        status=run.status,
        verdict=verdict,
        started_at=run.created_at,
        finished_at=max(started, run.finished_at or started),
        cells=tuple(cells),
    )


def verdict_events(run: RunRow, verdicts: Sequence[GateVerdict]) -> list[VerdictEvent]:
    """What every gate said of a run, with the gravest of its rules."""
    return [
        VerdictEvent(
            at=run.finished_at or run.created_at,
            gate=verdict.gate,
            run=run.id,
            suite=run.suite,
            verdict=verdict.verdict,
            champion=verdict.champion or "",
            why="; ".join(f"{rule.cell}: {rule.rule}: {rule.told}" for rule in verdict.worst_first[:1]),
        )
        for verdict in verdicts
    ]


def remediation_events(remediation: Remediation, events: Sequence[Event]) -> list[RemediationEvent]:
    """The steps of a remediation, in order."""
    return [
        RemediationEvent(
            at=event.at,
            remediation=remediation.id,
            slot=remediation.slot,
            cause=remediation.cause,
            champion=remediation.champion,
            state=remediation.state if event is events[-1] else "open",
            step=event.step,
            status=event.status,
            why=event.message,
        )
        for event in events
    ]


def evaluation_results(run: RunRow, scored: Sequence[CellScores]) -> list[EvaluationResult]:
    """Every score over the whole of a cell, in the run's trace."""
    at = run.finished_at or run.created_at
    return [
        EvaluationResult(
            at=at,
            name=row.metric,
            value=row.value,
            low=row.low,
            high=row.high,
            n=row.n,
            explanation=f"95% interval {row.low:.4g} to {row.high:.4g}, n = {row.n}; {scores.cell.signature}"
            if row.low is not None and row.high is not None
            else f"n = {row.n}; {scores.cell.signature}",
            model=scores.cell.model,
            provider=_provider(scores),
            flow=scores.cell.flow,
            dataset=scores.cell.dataset,
            run=run.id,
            cell=scores.cell.ordinal,
        )
        for scores in scored
        for row in scores.rows
        if row.slice_kind == "all" and row.value is not None
    ]


def _is_dimension(name: str) -> bool:
    try:
        bounded(name)
    except ValueError:
        return False
    return True


def _cell(scores: CellScores, started: datetime, finished: datetime) -> CellTrace:
    accuracy, cost = scores.get("accuracy"), scores.get("cost")
    return CellTrace(
        ordinal=scores.cell.ordinal,
        model=scores.cell.model,
        request_model=str(_settings(scores).get("model") or _settings(scores).get("deployment") or ""),
        provider=_provider(scores),
        flow=scores.cell.flow,
        variant=scores.cell.variant,
        dataset=scores.cell.dataset,
        started_at=started,
        finished_at=finished,
        outcomes=scores.outcomes,
        accuracy=accuracy.value if accuracy else None,
        accuracy_low=accuracy.low if accuracy else None,
        accuracy_high=accuracy.high if accuracy else None,
        input_tokens=_tokens(scores, "input_tokens"),
        output_tokens=_tokens(scores, "output_tokens"),
        cost=cost.value if cost else None,
        currency=scores.currency,
    )


def _tokens(scores: CellScores, name: str) -> int | None:
    row = scores.get(name)
    return None if row is None or row.value is None else int(row.value)


def _settings(scores: CellScores) -> dict[str, Any]:
    return dict(scores.cell.details.get("model_config") or {})


def _provider(scores: CellScores) -> str:
    name = str(_settings(scores).get("provider") or "unknown")
    return PROVIDER_RENAMED.get(name, name)


def _last_outcome(scores: CellScores) -> datetime | None:
    import pandas as pd

    moments = pd.to_datetime(scores.frame["finished_at"], utc=True).dropna()
    return None if moments.empty else moments.max().to_pydatetime()
