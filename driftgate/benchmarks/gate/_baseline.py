"""What a rule compares a cell with: the same cell before, the champion's, another model's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.benchmarks.costs import cell_frame
from driftgate.benchmarks.gate._config import CHAMPION, PREVIOUS, RuleConfig
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger, cells_of, find_run, latest_runs, why_unasked

_LOOKED_AT = 200
"""How many complete runs of a suite are looked through for a baseline, the newest first."""


@dataclass(frozen=True)
class Baseline:
    """A cell that is compared with, or why there is none."""

    scores: CellScores | None
    reason: str = ""
    first: bool = False
    """There is nothing to compare with yet."""
    itself: bool = False
    """The cell is what it would be compared with."""


def find_baseline(
    ledger: Ledger,
    rule: RuleConfig,
    scores: CellScores,
    scored: Sequence[CellScores],
    suite: str | None,
    champion: str | None,
) -> Baseline:
    """Find what a rule compares a cell with.

    Parameters
    ----------
    scored : sequence of CellScores
        All cells of the run.
    champion : str or None
        The model that the rule means by ``champion``.

    Raises
    ------
    DriftgateError
        The rule names a model that is not in the run.
    """
    cell = scores.cell
    if rule.opponent == PREVIOUS:
        found = _stored(ledger, cell.run_id, suite, cell.model, scores, before=True)
        reason = "there is no earlier complete run to compare with; this run becomes the first"
        return found or Baseline(None, reason, first=True)
    wanted = champion if rule.opponent == CHAMPION and champion is not None else rule.opponent
    assert wanted is not None
    if wanted == cell.model:
        return Baseline(None, f"{wanted} is the champion itself", itself=True)
    here = next((other for other in scored if _same_place(other, scores) and other.cell.model == wanted), None)
    if here is not None:
        return Baseline(here)
    if rule.opponent == CHAMPION and champion is not None:
        found = _stored(ledger, cell.run_id, suite, champion, scores, before=False)
        asked = f"run the suite with {champion} among its models"
        reason = f"the champion {champion} has no complete run of this suite to compare with; {asked}"
        return found or Baseline(None, reason, first=True)
    models = {other.cell.model for other in scored}
    raise DriftgateError(
        f"a rule compares with '{wanted}', which is not in the run", nearest(wanted, [CHAMPION, PREVIOUS, *models])
    )


def _stored(
    ledger: Ledger, run_id: str, suite: str | None, model: str, scores: CellScores, *, before: bool
) -> Baseline | None:
    """The newest complete run of the suite that holds the model's cell for this dataset, variant and flow.

    A benchmark, or a run of the kind that is judged: the proof of a repair may be compared with the proof before.
    """
    now = find_run(ledger, run_id)
    limit = now.created_at if before else None
    cell = scores.cell
    kinds = {"benchmark", now.kind}
    for run in latest_runs(ledger, _LOOKED_AT, suite=suite or now.suite, status="complete", kinds=kinds, before=limit):
        if run.id == run_id:
            continue
        for old in cells_of(ledger, run.id):
            if (old.model, old.variant, old.dataset, old.flow) == (model, cell.variant, cell.dataset, cell.flow):
                return Baseline(CellScores(old, cell_frame(ledger, old), [], unasked=why_unasked(ledger, old.id)))
    return None


def _same_place(one: CellScores, other: CellScores) -> bool:
    return (one.cell.variant, one.cell.dataset, one.cell.flow) == (
        other.cell.variant,
        other.cell.dataset,
        other.cell.flow,
    )


def described(baseline: CellScores, scores: CellScores) -> str:
    """Which run is compared with, and in what its signature differs from this one's."""
    old, new = _signature(baseline.cell.signature), _signature(scores.cell.signature)
    differing = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    where = "" if baseline.cell.run_id == scores.cell.run_id else f" of run {baseline.cell.run_id}"
    told = f"; its signature differs in {', '.join(differing)}" if differing else ""
    return f"compared with {baseline.cell.model}{where}{told}"


def _signature(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition(":") for part in text.split("|"))}
