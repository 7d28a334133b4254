"""Apply a gate's rules to the cells of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftgate.benchmarks.changes import NO_CHANGES, Changes, changes
from driftgate.benchmarks.gate._aggregated import aggregated
from driftgate.benchmarks.gate._baseline import Baseline, described, find_baseline
from driftgate.benchmarks.gate._columns import column_of
from driftgate.benchmarks.gate._config import ANCHOR, CHAMPION, GateConfig, RuleConfig
from driftgate.benchmarks.gate._evidence import Evidence, over_slices, weigh
from driftgate.benchmarks.gate._headline import drifted, headline
from driftgate.benchmarks.gate._reasons import decide, explain
from driftgate.benchmarks.gate._verdict import GRAVITY, Drift, GateVerdict, RuleVerdict, Verdict
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, key_frame, run_hash

_COSTS = ("cost", "cost_per_sample")


def judge(
    ledger: Ledger,
    name: str,
    gate: GateConfig,
    run_id: str,
    scored: Sequence[CellScores],
    *,
    champion: str | None = None,
) -> GateVerdict:
    """Apply every rule to every cell it is about.

    Parameters
    ----------
    champion : str, optional
        The model that rules mean by ``champion``.

    Raises
    ------
    DriftgateError
        A rule fits no cell, or names a metric, a slice or a baseline that does not exist.
    """
    checks: list[tuple[RuleConfig, CellScores, Baseline | None, Evidence]] = []
    for rule in gate.rules:
        cells = [scores for scores in scored if _fits(rule, scores)]
        if rule.opponent == CHAMPION:
            # About the champion itself such a rule says nothing; it is told only where nobody else is there.
            cells = [scores for scores in cells if scores.cell.model != champion] or cells
        if not cells:
            known = sorted({scores.cell.name for scores in scored})
            raise DriftgateError(
                f"gate '{name}': the rule '{rule.text}' fits no cell of run {run_id}", f"cells: {known}"
            )
        for scores in cells:
            baseline = None
            if rule.opponent is None and rule.metric in _COSTS and len(found := _currencies(cells)) > 1:
                told = f"one limit cannot mean costs in {' and '.join(found)}; give each model a rule of its own"
                checks.append((rule, scores, None, Evidence(len(scores.frame), depends=True, why_none=told)))
                continue
            if rule.opponent is not None:
                baseline = find_baseline(ledger, gate, rule, scores, scored, champion)
            checks.append((rule, scores, baseline, _evidence(ledger, gate, rule, scores, baseline)))
    decided = decide([(rule, evidence) for rule, _, _, evidence in checks])
    tested = sum(1 for *_, one in checks if one.p_fail is not None and not one.counted)
    changed = _changes(ledger, [(scores, baseline) for _, scores, baseline, _ in checks])
    said = [
        _said(gate, rule, scores, baseline, evidence, verdict, p_fail, tested, changed)
        for (rule, scores, baseline, evidence), (verdict, p_fail) in zip(checks, decided, strict=True)
    ]
    runs = [run_id, *(one.baseline for one in said if one.baseline)]
    means_champion = any(rule.opponent == CHAMPION for rule in gate.rules)
    return GateVerdict(
        gate=name,
        run=run_id,
        verdict=max((one.verdict for one in said), key=GRAVITY.index),
        rules=tuple(said),
        runs={run: run_hash(ledger, run) for run in dict.fromkeys(runs)},
        rules_hash=gate.content_hash(),
        champion=champion if means_champion else None,
        drift=_drift(ledger, gate, [(rule, scores) for rule, scores, *_ in checks], scored),
    )


def _drift(
    ledger: Ledger, gate: GateConfig, checks: Sequence[tuple[RuleConfig, CellScores]], scored: Sequence[CellScores]
) -> tuple[Drift, ...]:
    """How far cells are from the anchor: in accuracy, and in whatever is compared with something that moves."""
    if gate.anchor is None:
        return ()
    accuracy = RuleConfig(no_worse_than=ANCHOR)
    asked = {(accuracy.metric, "", scores.cell.id): (accuracy, scores) for _, scores in checks}
    moving = [(rule, scores) for rule, scores in checks if rule.opponent not in (None, ANCHOR) and rule.slices is None]
    asked |= {(rule.metric, rule.slice, scores.cell.id): (rule, scores) for rule, scores in moving}
    for rule, scores in checks:
        if rule.opponent == ANCHOR:
            asked.pop((rule.metric, rule.slice, scores.cell.id), None)  # the rule's own verdict says it
    found = []
    for rule, scores in asked.values():
        since = rule.model_copy(update={"no_worse_than": ANCHOR, "better_than": None, "margin": 0.0})
        baseline = find_baseline(ledger, gate, since, scores, scored, None)
        if not baseline.itself:
            evidence = _evidence(ledger, gate, since, scores, baseline)
            told = drifted(since, evidence, gate.anchor)
            found.append(Drift(scores.cell.name, rule.metric, told, evidence.value, evidence.low, evidence.high))
    return tuple(found)


def _evidence(
    ledger: Ledger, gate: GateConfig, rule: RuleConfig, scores: CellScores, baseline: Baseline | None
) -> Evidence:
    compared = baseline.scores if baseline is not None else None
    for one in filter(None, (scores, compared)):
        if one.unasked:
            who = "" if one is scores else f"what it is compared with, run {one.cell.run_id}: "
            return Evidence(len(one.frame), depends=True, why_none=f"{who}{one.unasked}")
        if reason := one.unjudged(rule.metric):
            return Evidence(len(one.frame), depends=True, why_none=reason)
        if doubt := one.doubt(rule.metric):
            return Evidence(len(one.frame), depends=True, why_none=f"an AI judge gave it: {doubt}")
    if (made := aggregated(rule, scores)) is not None:
        return made
    if compared is not None and rule.metric in _COSTS and len(found := _currencies([scores, compared])) > 1:
        told = f"costs in {' and '.join(found)} are not compared with one another"
        return Evidence(len(scores.frame), depends=True, why_none=told)
    ours = column_of(ledger, rule, scores)
    theirs = None
    if baseline is not None:
        if baseline.scores is None:
            passes = baseline.itself or (baseline.first and gate.first_run == "pass")
            # Where nothing is compared nothing is worse, and nothing is better either.
            p_value = 0.0 if passes and rule.better_than is None else None
            return Evidence(0, p_pass=p_value, counted=True, depends=not baseline.first, why_none=baseline.reason)
        theirs = column_of(ledger, rule, baseline.scores, reference=True)
    if rule.slices is None:
        return weigh(rule, ours, theirs)
    names = ours.slices(rule.slices)
    if not names:
        return Evidence(len(ours.frame), depends=True, why_none=f"no sample has a {rule.slices.replace('_', '-')}")
    parts = {
        name: weigh(rule, ours.of(rule.slices, name), None if theirs is None else theirs.of(rule.slices, name))
        for name in names
    }
    return over_slices(rule, parts)


def _currencies(cells: Sequence[CellScores]) -> list[str]:
    """Of the costs of cells, each once; what costs nothing does so in every currency."""
    paid = (scores for scores in cells if scores.frame["cost"].gt(0).any())
    return sorted({scores.currency for scores in paid})


def _changes(ledger: Ledger, compared: Sequence[tuple[CellScores, Baseline | None]]) -> dict[tuple[int, int], Changes]:
    """What changed of the data between each cell and the one it is compared with."""
    found: dict[tuple[int, int], Changes] = {}
    for scores, baseline in compared:
        other = baseline.scores if baseline is not None else None
        if other is None or _pair(scores, other) in found:
            continue
        if scores.frame["sample_id"].equals(other.frame["sample_id"]):  # the very same data, which need not be read
            found[_pair(scores, other)] = NO_CHANGES
        else:
            ours, theirs = (key_frame(ledger, one.cell.id) for one in (scores, other))
            found[_pair(scores, other)] = changes(scores.frame, ours, other.frame, theirs)
    return found


def _pair(scores: CellScores, other: CellScores) -> tuple[int, int]:
    return scores.cell.id, other.cell.id


def _said(
    gate: GateConfig,
    rule: RuleConfig,
    scores: CellScores,
    baseline: Baseline | None,
    evidence: Evidence,
    verdict: Verdict,
    p_fail: float | None,
    checks: int,
    changed: Mapping[tuple[int, int], Changes],
) -> RuleVerdict:
    if baseline is not None and baseline.scores is None:
        reason = _nothing_compared(gate, baseline, verdict)
    else:
        reason = explain(rule, evidence, verdict, p_fail, checks)
    compared = baseline.scores if baseline is not None else None
    if baseline is not None and compared is not None:
        reason = "; ".join([reason, *changed[_pair(scores, compared)].words, described(baseline, scores)])
    tested = not evidence.counted
    compares_nothing = baseline is not None and baseline.scores is None
    return RuleVerdict(
        rule=rule.text,
        cell=scores.cell.name,
        verdict=verdict,
        reason=reason,
        value=evidence.value,
        low=evidence.low,
        high=evidence.high,
        n=evidence.n,
        model=scores.cell.model,
        p_pass=evidence.p_pass if tested else None,
        p_fail=evidence.p_fail if tested else None,
        p_fail_corrected=p_fail if tested else None,
        detectable=evidence.detectable,
        needed=evidence.needed,
        baseline=compared.cell.run_id if compared is not None else "",
        failing=evidence.failing,
        says="" if compares_nothing or rule.slices else headline(rule, evidence, verdict),
        first_run=baseline is not None and baseline.first,
    )


def _nothing_compared(gate: GateConfig, baseline: Baseline, verdict: Verdict) -> str:
    """What to know of a rule that compared nothing."""
    if not baseline.first:
        return baseline.reason
    told = f"; it passes because the gate says first_run: {gate.first_run}" if verdict == "pass" else ""
    return f"nothing was compared: {baseline.reason}{told}"


def _fits(rule: RuleConfig, scores: CellScores) -> bool:
    cell = scores.cell
    wanted = ((rule.model, cell.model), (rule.variant, cell.variant), (rule.dataset, cell.dataset))
    # A rule that compares with another model of the run is not about that model itself.
    return all(want is None or want == have for want, have in wanted) and cell.model != rule.opponent
