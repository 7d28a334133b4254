"""Apply a gate's rules to the cells of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from driftgate.benchmarks.changes import NO_CHANGES, Changes, changes
from driftgate.benchmarks.gate._baseline import Baseline, described, find_baseline
from driftgate.benchmarks.gate._config import ANCHOR, CHAMPION, GateConfig, RuleConfig
from driftgate.benchmarks.gate._evidence import corrected_at_worst
from driftgate.benchmarks.gate._gather import Check, decided_of, evidence_of, gather, seen
from driftgate.benchmarks.gate._headline import drifted, headline
from driftgate.benchmarks.gate._reasons import concluded, decide, explain
from driftgate.benchmarks.gate._sequential import Asked
from driftgate.benchmarks.gate._verdict import GRAVITY, Drift, GateVerdict, RuleVerdict, Verdict
from driftgate.benchmarks.scores import CellScores
from driftgate.ledger import Ledger, key_frame, run_hash


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
    scored, asked = seen(ledger, scored)
    checks = gather(ledger, name, gate, run_id, scored, asked, champion=champion)
    decided = _at_looks(checks) if asked else decide([(one.rule, one.evidence) for one in checks])
    tested = sum(1 for one in checks if one.evidence.p_fail is not None and not one.evidence.counted)
    changed = _changes(ledger, [(one.scores, one.baseline) for one in checks])
    said = [
        _said(gate, one, verdict, p_fail, tested, changed)
        for one, (verdict, p_fail) in zip(checks, decided, strict=True)
    ]
    if asked:
        said = _with_looks(checks, said, asked)
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
        drift=_drift(ledger, gate, [(one.rule, one.scores) for one in checks], scored, asked),
        stopped=spared(scored),
    )


def _at_looks(checks: Sequence[Check]) -> list[tuple[Verdict, float | None]]:
    """As :func:`decide`, of a run that its gate may stop: what was decided at a look stands."""
    at_worst = corrected_at_worst([one.evidence for one in checks])
    return [
        (made.verdict or concluded(one.rule, one.evidence, made.p_fail, p_worst), made.p_fail)
        for one, made, p_worst in zip(checks, decided_of(checks), at_worst, strict=True)
    ]


def _with_looks(checks: Sequence[Check], said: Sequence[RuleVerdict], asked: Mapping[int, Asked]) -> list[RuleVerdict]:
    """The verdicts with how many samples had been asked when each was decided."""
    found = []
    for check, rule, made in zip(checks, said, decided_of(checks), strict=True):
        far = asked[check.scores.cell.id]
        if check.evidence.path is not None and made.verdict is not None and far.ends.size:
            after = int(far.ends[min(made.look, far.ends.size - 1)])
            told = f"{rule.reason}; decided after {after:,} of {len(far.places):,} samples"
            rule = replace(rule, decided_after=after, reason=told)
        found.append(rule)
    return found


def spared(scored: Sequence[CellScores]) -> str:
    """What a gate that stopped a run spared, in one line; empty where it stopped none.

    Parameters
    ----------
    scored : sequence of CellScores
        All cells of the run.
    """
    left = sum(scores.cell.not_needed for scores in scored)
    if not left:
        return ""
    of = sum(int(scores.cell.details.get("n", 0)) for scores in scored)
    return f"stopped early: {of - left:,} of {of:,} questions asked, {left / of:.0%} spared"


def _drift(
    ledger: Ledger,
    gate: GateConfig,
    checks: Sequence[tuple[RuleConfig, CellScores]],
    scored: Sequence[CellScores],
    far: Mapping[int, Asked],
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
            evidence = evidence_of(ledger, gate, since, scores, baseline, far)
            told = drifted(since, evidence, gate.anchor)
            found.append(Drift(scores.cell.name, rule.metric, told, evidence.value, evidence.low, evidence.high))
    return tuple(found)


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
    check: Check,
    verdict: Verdict,
    p_fail: float | None,
    checks: int,
    changed: Mapping[tuple[int, int], Changes],
) -> RuleVerdict:
    rule, scores, baseline, evidence = check.rule, check.scores, check.baseline, check.evidence
    if baseline is not None and baseline.scores is None:
        reason = _nothing_compared(gate, baseline, verdict, evidence.lost)
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


def _nothing_compared(gate: GateConfig, baseline: Baseline, verdict: Verdict, lost: str) -> str:
    """What to know of a rule that compared nothing."""
    why = f"; {lost}" if lost and verdict == "unmeasurable" else ""
    if not baseline.first:
        return f"{baseline.reason}{why}"
    told = f"; it passes because the gate says first_run: {gate.first_run}" if verdict == "pass" else why
    return f"nothing was compared: {baseline.reason}{told}"
