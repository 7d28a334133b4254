"""What a rule compares a cell with: the cell of the run before, of the champion, the anchor or a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from driftgate.benchmarks.costs import cell_frame
from driftgate.benchmarks.gate._config import ANCHOR, BASELINE, CHAMPION, PREVIOUS, GateConfig, RuleConfig
from driftgate.benchmarks.gate._lost import most_failed
from driftgate.benchmarks.scores import CellScores
from driftgate.benchmarks.signature import differing
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import (
    SEQUENTIAL,
    CellRow,
    Ledger,
    baseline_named,
    cells_of,
    find_run,
    latest_runs,
    names_of_baselines,
    why_unasked,
)

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
    called: str = ""
    """What an imported baseline is called, and where it is from."""


def find_baseline(
    ledger: Ledger,
    gate: GateConfig,
    rule: RuleConfig,
    scores: CellScores,
    scored: Sequence[CellScores],
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
        The rule names a model that is not in the run, or another baseline than those that were imported.
    """
    found = _found(ledger, gate, rule, scores, scored, champion)
    if found.scores is None or not _measured_nothing(rule, found.scores):
        return found
    cell = found.scores.cell
    return Baseline(
        None, f"{cell.model} of run {cell.run_id} cannot be compared with: none of its samples got an answer"
    )


def _found(
    ledger: Ledger,
    gate: GateConfig,
    rule: RuleConfig,
    scores: CellScores,
    scored: Sequence[CellScores],
    champion: str | None,
) -> Baseline:
    cell = scores.cell
    if rule.opponent == ANCHOR and gate.anchor is not None:
        return _anchored(ledger, gate.anchor, scores)
    if rule.opponent == PREVIOUS:
        found = _stored(ledger, gate.suite, cell.model, rule, scores, before=True)
        return found or Baseline(
            None, "there is no earlier complete run to compare with; this run becomes the first", first=True
        )
    if rule.opponent is not None and rule.opponent.startswith(BASELINE):
        return _imported(ledger, rule.opponent.removeprefix(BASELINE), scores)
    wanted = champion if rule.opponent == CHAMPION and champion is not None else rule.opponent
    assert wanted is not None
    if wanted == cell.model:
        return Baseline(None, f"{wanted} is the champion itself", itself=True)
    here = next((other for other in scored if _same_place(other, scores) and other.cell.model == wanted), None)
    if here is not None:
        return Baseline(here)
    if rule.opponent == CHAMPION and champion is not None:
        # A run that its gate may stop is judged at every look, and anew later: each time against the same run.
        found = _stored(ledger, gate.suite, champion, rule, scores, before=SEQUENTIAL in cell.details)
        asked = f"run the suite with {champion} among its models"
        reason = f"the champion {champion} has no complete run of this suite to compare with; {asked}"
        return found or Baseline(None, reason, first=True)
    if rule.opponent == CHAMPION:
        raise DriftgateError(
            "a rule compares with the champion, and there is none whom it could mean",
            "name one under champions, and where there are several the gate's slot",
        )
    models = {other.cell.model for other in scored}
    raise DriftgateError(
        f"a rule compares with '{wanted}', which is not in the run", nearest(wanted, [CHAMPION, PREVIOUS, *models])
    )


def _measured_nothing(rule: RuleConfig, compared: CellScores) -> bool:
    """Whether to be no worse than this cell is no achievement, as nothing of it was answered.

    How many were filtered, cut off or unreadable can be told of it, and only that.
    """
    told = rule.metric.startswith("share.") and rule.metric != "share.answered"
    return not told and compared.answered_nothing


def _stored(
    ledger: Ledger, suite: str | None, model: str, rule: RuleConfig, scores: CellScores, *, before: bool
) -> Baseline | None:
    """The newest complete run of the suite that measured the model's cell for this dataset, variant and flow.

    One that its gate stopped is passed over: its score leans the way it was stopped.

    One in which more of its samples failed than its suite allows, or none got an answer, measured nothing: to be as
    good as an outage is no achievement. Where all that there are did not, there is none, and this run is not the first.

    A benchmark, or a run of the kind that is judged: the proof of a repair may be compared with the proof before. A
    trial is compared with benchmarks only: what another pull request did is not what this one is to be as good as.
    """
    cell = scores.cell
    now = find_run(ledger, cell.run_id)
    limit = now.created_at if before else None
    kinds = {"benchmark", now.kind} - {"trial"}
    unmeasured: list[str] = []
    stopped: list[str] = []
    for run in latest_runs(ledger, _LOOKED_AT, suite=suite or now.suite, status="complete", kinds=kinds, before=limit):
        if run.id == now.id:
            continue
        for old in cells_of(ledger, run.id):
            if (old.model, old.variant, old.dataset, old.flow) == (model, cell.variant, cell.dataset, cell.flow):
                if old.stopped:  # it was stopped because it looked good or bad, and looks so more than it is
                    stopped.append(f"run {run.id} was {old.stopped}")
                    continue
                found = _scores(ledger, old)
                if found.failed_share <= most_failed(run.plan) and not _measured_nothing(rule, found):
                    return Baseline(found)
                unmeasured.append(run.id)
    if unmeasured:
        others = f" and {len(unmeasured) - 1} before it" if len(unmeasured) > 1 else ""
        return Baseline(
            None,
            f"run {unmeasured[0]}{others} cannot be compared with: more of its samples failed than max_failed allows, "
            "or none got an answer",
        )
    if stopped:
        return Baseline(None, f"{stopped[0]}, which leans the way it was stopped: run the suite once with all samples")
    return None


def _imported(ledger: Ledger, name: str, scores: CellScores) -> Baseline:
    """The cell of an imported baseline: the model's own, or the only one of the dataset, variant and flow.

    Raises
    ------
    DriftgateError
        Others were imported, and none of that name.
    """
    run_id, known = baseline_named(ledger, name), names_of_baselines(ledger)
    if run_id is None and known:
        raise DriftgateError(f"a rule compares with '{BASELINE}{name}', which was not imported", nearest(name, known))
    if run_id is None:
        how = f"import it with: driftgate baseline import FILE --name {name}"
        return Baseline(None, f"the ledger has no baseline '{name}'; {how}", first=True)
    found = _same_or_only(ledger, run_id, scores.cell, scores.cell.model)
    if isinstance(found, str):
        return Baseline(None, f"the baseline '{name}' {found}", first=True)
    return Baseline(found, called=f"baseline '{name}', {find_run(ledger, run_id).reason}")


def _anchored(ledger: Ledger, anchor: str, scores: CellScores) -> Baseline:
    """The cell of what stays until a person moves it; that there is none is never a first run.

    Raises
    ------
    DriftgateError
        The ledger has no such run, or more than one whose id has this part, or no such baseline among others.
    """
    if anchor.startswith(BASELINE):
        return replace(_imported(ledger, anchor.removeprefix(BASELINE), scores), first=False)
    name, _, model = anchor.partition("/")
    run = find_run(ledger, name)
    if run.status != "complete":
        return Baseline(None, f"the anchor, run {run.id}, is {run.status}: a run that ended is needed")
    found = _same_or_only(ledger, run.id, scores.cell, model or scores.cell.model, only=not model)
    if isinstance(found, str):
        return Baseline(None, f"the anchor, run {run.id}, {found}; name one: RUN/MODEL")
    if found.cell.id == scores.cell.id:
        return Baseline(None, "the run is the anchor itself", itself=True)
    if found.cell.stopped:
        return Baseline(None, f"the anchor, run {run.id}, was {found.cell.stopped}: a run that asked all is needed")
    if found.failed_share > most_failed(run.plan):
        return Baseline(None, f"the anchor, run {run.id}, cannot be compared with: too many of its samples failed")
    return Baseline(found, called=f"the anchor, run {run.id}")


def _same_or_only(ledger: Ledger, run_id: str, cell: CellRow, model: str, *, only: bool = True) -> CellScores | str:
    """The model's cell in the place of another cell, or the only one that stands there; else why there is none."""
    there = [one for one in cells_of(ledger, run_id) if _place(one) == _place(cell)]
    fitting = [one for one in there if one.model == model] or (there if only else [])
    if len(fitting) == 1:
        return _scores(ledger, fitting[0])
    models = f", only of {', '.join(one.model for one in there)}" if there else ""
    return f"has no cell of {model} on {cell.dataset} with this flow and variant{models}"


def _scores(ledger: Ledger, cell: CellRow) -> CellScores:
    return CellScores(cell, cell_frame(ledger, cell), [], unasked=why_unasked(ledger, cell.id))


def _place(cell: CellRow) -> tuple[str, str, str]:
    return cell.variant, cell.dataset, cell.flow


def _same_place(one: CellScores, other: CellScores) -> bool:
    return _place(one.cell) == _place(other.cell)


def described(baseline: Baseline, scores: CellScores) -> str:
    """Which run is compared with, and in what its signature differs from this one's."""
    assert baseline.scores is not None
    compared = baseline.scores.cell
    names = differing(compared.signature, scores.cell.signature)
    where = "" if compared.run_id == scores.cell.run_id else f" of {baseline.called or f'run {compared.run_id}'}"
    told = f"; its signature differs in {', '.join(names)}" if names else ""
    return f"compared with {compared.model}{where}{told}"
