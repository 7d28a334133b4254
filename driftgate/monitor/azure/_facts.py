"""From what driftgate knows to what it sends: alerts, looks and runs as payloads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from driftgate.ledger import RunRow
from driftgate.monitor.azure._payloads import (
    AlertEvent,
    CellTrace,
    EvaluationResult,
    LookEvent,
    RunTrace,
    SignalValue,
    bounded,
)
from driftgate.monitor.telemetry._conventions import PROVIDER_RENAMED

if TYPE_CHECKING:
    from driftgate.benchmarks.scores import CellScores
    from driftgate.monitor.alert import Alert
    from driftgate.monitor.drift import Look
    from driftgate.monitor.looks import Conclusion, LookRow


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


def alert_event(alert: Alert, model: str, *, report: str = "") -> AlertEvent:
    """An alert, at the end of the window it was raised for."""
    return AlertEvent(
        at=alert.current.end,
        alert=alert.key,
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


def evaluation_results(run: RunRow, scored: Sequence[CellScores]) -> list[EvaluationResult]:
    """Every score over the whole of a cell, in the run's trace."""
    at = run.finished_at or run.created_at
    return [
        EvaluationResult(
            at=at,
            name=row.metric,
            value=row.value,
            explanation=f"95% interval {row.low:.4g} to {row.high:.4g}, n = {row.n}; {scores.cell.signature}"
            if row.low is not None and row.high is not None
            else f"n = {row.n}; {scores.cell.signature}",
            model=scores.cell.model,
            provider=_provider(scores),
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
