"""The checks of a gate on the cells of a run: each rule on each cell that it is about, with what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from driftgate.benchmarks.costs import cell_frame
from driftgate.benchmarks.gate._aggregated import aggregated
from driftgate.benchmarks.gate._baseline import Baseline, find_baseline
from driftgate.benchmarks.gate._columns import Column, column_of
from driftgate.benchmarks.gate._config import CHAMPION, GateConfig, RuleConfig
from driftgate.benchmarks.gate._corrected import corrected
from driftgate.benchmarks.gate._evidence import Evidence, over_slices, weigh
from driftgate.benchmarks.gate._lost import held_back, most_failed
from driftgate.benchmarks.gate._path import Decision, Path, decisions, joined
from driftgate.benchmarks.gate._sequential import Asked, at_the_end, only_at_the_end, weigh_at_looks
from driftgate.benchmarks.looks import Looks
from driftgate.benchmarks.scores import CellScores
from driftgate.benchmarks.stats import benjamini_hochberg, holm
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, find_run

_COSTS = ("cost", "cost_per_sample")


@dataclass(frozen=True)
class Check:
    """A rule on a cell."""

    rule: RuleConfig
    scores: CellScores
    baseline: Baseline | None
    """What the rule compares with; None where it compares with nothing."""
    evidence: Evidence


def seen(
    ledger: Ledger, scored: Sequence[CellScores], counts: Mapping[int, int] | None = None
) -> tuple[list[CellScores], dict[int, Asked]]:
    """The cells of a run that its gate may stop, with all their samples, and how far each was asked.

    Parameters
    ----------
    counts : Mapping, optional
        How many samples of each cell were asked, by its id, while the run goes on; by default all but those that are
        not needed.

    Returns
    -------
    tuple
        The cells as they are, and nothing, where the run asks everything.
    """
    found, asked = [], {}
    for scores in scored:
        cell = scores.cell
        looks = Looks.of(cell.details)
        if looks is not None:
            scores = replace(scores, asks=cell_frame(ledger, cell, whole=True))
            count = len(scores.frame) - cell.not_needed if counts is None else counts[cell.id]
            asked[cell.id] = Asked.of(looks, scores.frame, count)
        found.append(scores)
    return found, asked


def gather(
    ledger: Ledger,
    name: str,
    gate: GateConfig,
    run_id: str,
    scored: Sequence[CellScores],
    asked: Mapping[int, Asked],
    *,
    champion: str | None = None,
) -> list[Check]:
    """Every rule on every cell that it is about.

    Parameters
    ----------
    asked : Mapping
        As :func:`seen` gives it; empty of a run that asks everything.
    champion : str, optional
        The model that rules mean by ``champion``.

    Raises
    ------
    DriftgateError
        A rule fits no cell, or names a metric, a slice or a baseline that does not exist.
    """
    checks: list[Check] = []
    allowed = most_failed(find_run(ledger, run_id).plan)
    for rule in gate.rules:
        cells = cells_for(rule, scored, champion)
        if not cells:
            known = sorted({scores.cell.name for scores in scored})
            raise DriftgateError(
                f"gate '{name}': the rule '{rule.text}' fits no cell of run {run_id}", f"cells: {known}"
            )
        for scores in cells:
            baseline = None
            if rule.opponent is None and rule.metric in _COSTS and len(found := _currencies(cells)) > 1:
                told = f"one limit cannot mean costs in {' and '.join(found)}; give each model a rule of its own"
                checks.append(Check(rule, scores, None, Evidence(len(scores.frame), depends=True, why_none=told)))
                continue
            if rule.opponent is not None:
                baseline = find_baseline(ledger, gate, rule, scores, scored, champion)
            evidence = evidence_of(ledger, gate, rule, scores, baseline, asked)
            whole = held_back(evidence, scores, asked.get(scores.cell.id), allowed)
            checks.append(Check(rule, scores, baseline, whole))
    return checks


def cells_for(rule: RuleConfig, scored: Sequence[CellScores], champion: str | None) -> list[CellScores]:
    """The cells that a rule is about."""
    cells = [scores for scores in scored if _fits(rule, scores)]
    if rule.opponent == CHAMPION:
        # About the champion itself such a rule says nothing; it is told only where nobody else is there.
        return [scores for scores in cells if scores.cell.model != champion] or cells
    return cells


def decided_of(checks: Sequence[Check]) -> list[Decision]:
    """What is decided of the checks of a run that its gate may stop, each at the look at which it was."""
    paths = [one.evidence.path for one in checks]
    return decisions(paths, [one.rule.alpha for one in checks], holm)


def evidence_of(
    ledger: Ledger,
    gate: GateConfig,
    rule: RuleConfig,
    scores: CellScores,
    baseline: Baseline | None,
    asked: Mapping[int, Asked],
) -> Evidence:
    """What the samples of a cell say of a rule."""
    compared = baseline.scores if baseline is not None else None
    for one in filter(None, (scores, compared)):
        if one.unasked:
            who = "" if one is scores else f"what it is compared with, run {one.cell.run_id}: "
            return Evidence(len(one.frame), depends=True, why_none=f"{who}{one.unasked}")
        if reason := one.unjudged(rule.metric):
            return Evidence(len(one.frame), depends=True, why_none=reason)
        if not rule.corrected and (doubt := one.doubt(rule.metric)):
            return Evidence(len(one.frame), depends=True, why_none=f"an AI judge gave it: {doubt}")
    far = asked.get(scores.cell.id)
    late = only_at_the_end(rule, scores.cell.details) if far is not None else ""
    if rule.corrected:
        weighed_by_people = corrected(ledger, rule, scores)
        return weighed_by_people if far is None else at_the_end(weighed_by_people, far, late)
    if (made := aggregated(rule, scores)) is not None:
        return made if far is None else at_the_end(made, far, late)
    if compared is not None and rule.metric in _COSTS and len(found := _currencies([scores, compared])) > 1:
        told = f"costs in {' and '.join(found)} are not compared with one another"
        return Evidence(len(scores.frame), depends=True, why_none=told)
    ours = column_of(ledger, rule, scores)
    theirs = None
    if baseline is not None:
        if baseline.scores is None:
            return _compares_nothing(gate, rule, baseline, ours)
        theirs = column_of(ledger, rule, baseline.scores, reference=True)

    def weighed(mine: Column, other: Column | None) -> Evidence:
        if far is None:
            return weigh(rule, mine, other)
        there = asked.get(compared.cell.id) if compared is not None else None
        return weigh_at_looks(rule, mine, other, far.within(there), late)

    if rule.slices is None:
        return weighed(ours, theirs)
    names = ours.slices(rule.slices)
    if not names:
        return Evidence(len(ours.frame), depends=True, why_none=f"no sample has a {rule.slices.replace('_', '-')}")
    parts = {
        name: weighed(ours.of(rule.slices, name), None if theirs is None else theirs.of(rule.slices, name))
        for name in names
    }
    whole = over_slices(rule, parts)
    if far is None:
        return whole
    paths = [part.path for part in parts.values() if part.path is not None]
    correct = holm if rule.correction == "holm" else benjamini_hochberg
    return replace(whole, path=joined(paths, correct) if len(paths) == len(parts) else None)


def _compares_nothing(gate: GateConfig, rule: RuleConfig, baseline: Baseline, ours: Column) -> Evidence:
    lost = "" if ours.missing < len(ours.frame) else f"none of its {len(ours.frame):,} samples could be measured"
    passes = baseline.itself or (baseline.first and gate.first_run == "pass")
    # Where nothing is compared nothing is worse, and nothing is better either.
    p_value = 0.0 if passes and rule.better_than is None else None
    # A first run is what the next one is compared with, so that no gate stops it.
    holds = baseline.itself and p_value is not None and not lost
    path = Path(np.zeros(1), np.ones(1), counted=True) if holds else None
    depends, why = not baseline.first, baseline.reason
    return Evidence(0, p_pass=p_value, counted=True, depends=depends, why_none=why, path=path, lost=lost)


def _currencies(cells: Sequence[CellScores]) -> list[str]:
    """Of the costs of cells, each once; what costs nothing does so in every currency."""
    paid = (scores for scores in cells if scores.frame["cost"].gt(0).any())
    return sorted({scores.currency for scores in paid})


def _fits(rule: RuleConfig, scores: CellScores) -> bool:
    cell = scores.cell
    wanted = ((rule.model, cell.model), (rule.variant, cell.variant), (rule.dataset, cell.dataset))
    # A rule that compares with another model of the run is not about that model itself.
    return all(want is None or want == have for want, have in wanted) and cell.model != rule.opponent
