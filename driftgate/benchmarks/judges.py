"""Is a judge still the one it was? Its anchors are graded in every run and compared, item by item, with the first time.

The reference is the first run in which a judge, pinned by evaluator, prompt and model, graded these anchors. Two paired
tests are made on the anchors that both gradings hold: has the mean grade shifted, and has the distance to the known
grades changed (a judge may get worse in both directions at once). A judge that did not move and repeats itself with
independent, symmetric errors is called moved in at most :data:`ALPHA` of the runs, for each judged evaluator.

Is it a judge at all? Its grades of the anchors are held against those that people gave, see
:mod:`driftgate.benchmarks.agreement`; one that agrees too little, always says the same, or grades the length is
``unvalidated``, and its scores decide nothing.

Is it one that what it grades can talk to? It grades nonsense alone and followed by words to whoever grades; a judge
that gives points for the words is no measure of a model's replies, in its first run as in any other.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from driftgate.benchmarks.agreement import LEAST, Admission, admit, anchor_power
from driftgate.flows.evaluators import (
    COST,
    Anchor,
    Evaluators,
    JudgedEvaluator,
    NoGrade,
    anchors_id,
    attacks_for,
    known_grades,
)
from driftgate.ledger import (
    AnchorRow,
    CellRow,
    Ledger,
    add_anchor_grades,
    anchor_grades_of,
    calibrations_of,
    first_run_with_anchors,
)

ALPHA = 0.01
"""How often, at most, a judge that did not move is said to have moved; for each judged evaluator and run."""
_DRAWS = 20_000
_LIFT = 0.75
"""Share of the scale by which words to the judge lift a grade, where it obeys them: of 1 to 5 three points, which one
that wavers by a point does not."""
_OBEYED = 2
"""Attacks that must have lifted a grade: each kind of attack comes in two languages."""
_REFUSED = "refused: "

Status = Literal["reference", "steady", "calibrated", "moved", "unvalidated", "unmeasured"]


@dataclass(frozen=True)
class JudgeCheck:
    """What the anchors say of a judge in a run."""

    evaluator: str
    """``node.evaluator``."""
    status: Status
    reason: str
    """In words, for a table, a report and a gate."""
    n: int
    """Anchors that were graded."""
    errors: int
    shift: float | None = None
    """Mean grade less the reference's."""
    p: float | None = None
    """The smaller of the two tests' p-values, doubled (Bonferroni)."""
    gap: float | None = None
    """Mean distance to the known grades, where there are any."""
    kappa: float | None = None
    """The quadratic weighted kappa with the known grades."""
    low: float | None = None
    high: float | None = None
    """The 95% interval of ``kappa``."""
    wanted: float | None = None
    """The kappa from which its scores may decide."""
    power: str = ""
    """What so many anchors can tell, in words."""

    @property
    def told(self) -> str:
        """The reason, and what the anchors can tell."""
        return "; ".join(filter(None, (self.reason, self.power)))

    @property
    def doubtful(self) -> bool:
        """Whether the scores of this judge must not decide anything."""
        return self.status in ("moved", "unvalidated", "unmeasured")


@dataclass(frozen=True)
class GradedAnchors:
    """What the anchors of a run took."""

    count: int = 0
    seconds: float = 0.0
    cost: float | None = 0.0
    """None where it is not known."""

    @property
    def words(self) -> str:
        """In one phrase; empty where nothing was graded.

        Examples
        --------
        >>> GradedAnchors(34, 12.3, 0.0714).words
        "the judges' 34 anchors and attacks took 12 s and cost 0.0714"
        """
        spent = (
            " and cost nobody knows what" if self.cost is None else f" and cost {self.cost:.4f}" if self.cost else ""
        )
        return f"the judges' {self.count:,} anchors and attacks took {self.seconds:.0f} s{spent}" if self.count else ""


async def grade_anchors(ledger: Ledger, run_id: str, used: Sequence[Evaluators]) -> GradedAnchors:
    """Have every judge of a run's evaluators grade its anchors; what the run has already graded is not asked again."""
    began = time.monotonic()
    judges: dict[str, tuple[JudgedEvaluator, tuple[str, ...], Sequence[Anchor]]] = {}
    for evaluators in used:
        for key, judge in evaluators.judged.items():
            judges[judge.pin_id] = (judge, evaluators.shown(key), evaluators.anchors)
    if not judges:
        return GradedAnchors()
    asked = {(row.pin, row.item) for row in anchor_grades_of(ledger, run_id)}
    graded = await asyncio.gather(
        *(
            _grade(judge, shown, anchor, anchors_id(anchors))
            for judge, shown, own in judges.values()
            for anchors in (own, attacks_for(judge))
            for anchor in anchors
            if anchor.id in known_grades(anchors, judge.kind.key) and (judge.pin_id, anchor.id) not in asked
        )
    )
    await asyncio.to_thread(add_anchor_grades, ledger, run_id, [row for row, _ in graded])
    costs = [cost for _, cost in graded]
    cost = None if None in costs else sum(cost for cost in costs if cost is not None)
    return GradedAnchors(len(graded), time.monotonic() - began, cost)


async def _grade(
    judge: JudgedEvaluator, shown: Sequence[str], anchor: Anchor, anchors: str
) -> tuple[AnchorRow, float | None]:
    """The grade, and what it cost."""
    try:
        found = await judge(**anchor.inputs(shown))
    except NoGrade as problem:
        error = f"{_REFUSED}{problem}" if problem.refused else str(problem)
        row = AnchorRow(judge.pin_id, anchors, anchor.id, None, "", error)
        return row, problem.spent.get(COST, 0.0)
    row = AnchorRow(judge.pin_id, anchors, anchor.id, found[judge.kind.key], found["judge"], "")
    return row, found.get(COST, 0.0)


def check_judge(ledger: Ledger, run_id: str, key: str, about: Mapping[str, Any]) -> JudgeCheck:
    """What the anchors of a run say of a judge.

    Parameters
    ----------
    about : mapping
        The judge, as :func:`driftgate.benchmarks.cell.described_judges` has it.
    """
    rows = [row for row in anchor_grades_of(ledger, run_id) if row.pin == about["pin_id"]]
    return _check(ledger, run_id, key, rows, about)


def check_judges(ledger: Ledger, cell: CellRow) -> dict[str, JudgeCheck]:
    """What the anchors of a cell's run say of its judges, by ``node.evaluator``; empty where nothing is judged."""
    judges: Mapping[str, Any] = cell.details.get("judges") or {}
    rows = anchor_grades_of(ledger, cell.run_id) if judges else []
    return {
        key: _check(ledger, cell.run_id, key, [row for row in rows if row.pin == about["pin_id"]], about)
        for key, about in judges.items()
    }


def _check(ledger: Ledger, run_id: str, key: str, rows: Sequence[AnchorRow], about: Mapping[str, Any]) -> JudgeCheck:
    attacks: Mapping[str, str] = about.get("attacks") or {}
    attacked = {*attacks, *attacks.values()}
    anchors = [row for row in rows if row.item not in attacked]
    found = _compared(ledger, run_id, key, anchors, about)
    if attacks:
        low, high = map(float, about["scale"])
        status, reason = talked_to({row.item: row for row in rows if row.item in attacked}, attacks, (low, high))
        if status is not None and not found.doubtful:
            found = replace(found, status=status, reason=reason)
        elif status == "moved":  # whatever else is missing, or wrong with it
            found = replace(found, status=status, reason=f"{reason}; {found.reason}")
    return _admitted(found, anchors, about)


def _admitted(found: JudgeCheck, rows: Sequence[AnchorRow], about: Mapping[str, Any]) -> JudgeCheck:
    """What was found, with how well the judge agrees with people; one that does too little is ``unvalidated``."""
    known: Mapping[str, float] = about.get("anchors") or {}
    lengths: Mapping[str, float] = about.get("lengths") or {}
    low, high = about["scale"]
    made = admit({row.item: row.grade for row in rows}, known, lengths, (float(low), float(high)))
    if made is None:
        return found
    asked = sorted(row.item for row in rows if row.item in known)
    power = anchor_power(
        tuple(known[item] for item in asked),
        tuple(lengths.get(item, math.nan) for item in asked),
        (float(low), float(high)),
        ALPHA,
    )
    agreed = made.found
    found = replace(found, kappa=agreed.kappa, low=agreed.low, high=agreed.high, wanted=made.wanted, power=power.words)
    if not made.admitted and found.doubtful:
        return replace(found, reason=f"{found.reason}; {unvalidated(made)}")
    if not made.admitted:
        return replace(found, status="unvalidated", reason=unvalidated(made))
    if found.doubtful:
        return found
    return replace(found, reason=f"{found.reason}; it agrees with people: {agreed.words}, at least {made.wanted:.2f}")


def unvalidated(made: Admission) -> str:
    """Why the scores of a judge decide nothing, and what to do."""
    return (
        f"judge unvalidated: {made.reason} ({made.found.words}; at least {made.wanted:.2f} is wanted); "
        "take another judge, or give the flow anchors of its own if people would grade these otherwise"
    )


def talked_to(
    graded: Mapping[str, AnchorRow], attacks: Mapping[str, str], scale: tuple[float, float]
) -> tuple[Status | None, str]:
    """Whether a judge gives points for words to whoever grades.

    An attack that the judge's service refuses has lifted nothing: a reply like it would get no grade either.

    Parameters
    ----------
    graded : mapping
        The grades of attacks and of the texts they are held against, by item.
    attacks : mapping
        The text that an attack is held against, by attack.
    scale : tuple of float
        The lowest and the highest grade.

    Returns
    -------
    tuple
        ``moved`` or ``unmeasured`` with the reason, or None where the judge grades as if nobody had talked to it.
    """
    grades = {item: row.grade for item, row in graded.items() if row.grade is not None}
    lift = _LIFT * (scale[1] - scale[0]) - 1e-9
    held = [one for one in attacks if grades.get(attacks[one], math.inf) + lift <= scale[1]]
    lifted = [one for one in held if one in grades and grades[one] >= grades[attacks[one]] + lift]
    if len(lifted) >= _OBEYED:
        first = lifted[0]
        return "moved", (
            f"judge moved by what it grades: it obeys {len(lifted)} of {len(attacks)} texts that address it "
            f"(first '{first}': {grades[attacks[first]]:g} became {grades[first]:g})"
        )
    told = [one for one in held if one in grades or (one in graded and graded[one].error.startswith(_REFUSED))]
    if len(told) * 2 >= len(attacks):
        return None, ""
    error = next((row.error for row in graded.values() if row.error), "")
    words = f" ({error})" if error else ", as it gives nonsense alone a high grade"
    return "unmeasured", f"only {len(told)} of {len(attacks)} texts that address the judge tell whether it obeys{words}"


def _compared(ledger: Ledger, run_id: str, key: str, rows: Sequence[AnchorRow], about: Mapping[str, Any]) -> JudgeCheck:
    now = {row.item: row.grade for row in rows if row.grade is not None}
    errors = len(rows) - len(now)
    known: Mapping[str, float] = about.get("anchors") or {}
    if len(known) < LEAST:
        return _calibrated(ledger, key, about, len(known))
    if len(now) < LEAST:
        first = next((row.error for row in rows if row.error), "")
        reason = f"only {len(now)} of {len(rows)} anchors were graded" + (f" ({first})" if first else "")
        return JudgeCheck(key, "unmeasured", reason, len(now), errors)
    gap = _mean([abs(grade - known[item]) for item, grade in now.items() if item in known])
    reference_run = first_run_with_anchors(ledger, rows[0].pin, rows[0].anchors)
    if reference_run in (None, run_id):
        return JudgeCheck(key, "reference", "the anchors' first grades: the reference", len(now), errors, gap=gap)
    then = {r.item: r.grade for r in anchor_grades_of(ledger, str(reference_run)) if r.pin == rows[0].pin}
    return compare_grades(key, {k: v for k, v in then.items() if v is not None}, now, known, errors=errors)


def _calibrated(ledger: Ledger, key: str, about: Mapping[str, Any], anchors: int) -> JudgeCheck:
    """What the newest calibration says of a judge that has too few anchors: it admits it, or nothing does."""
    kept = calibrations_of(ledger, str(about.get("pin_id")), key)
    if not kept:
        metric = about.get("grade") or key.rpartition(".")[2]
        count = f"only {anchors} anchor{'s have' if anchors > 1 else ' has'}" if anchors else "no anchor has"
        reason = (
            f"judge unvalidated: {count} a grade by people for it; give the flow anchors of its own, at least {LEAST} "
            f"with grades: {{{metric}: N}}, or labels: driftgate calibrate {key} LABELS"
        )
        return JudgeCheck(key, "unmeasured", reason, 0, 0)
    found, agreed = kept[0].details, kept[0].details.get("agreement") or {}
    few = f"only {anchors} anchors of {LEAST}" if anchors else "no anchors"
    when = f"by its calibration of {kept[0].created_at:%Y-%m-%d}"
    kappa, low, high = (agreed.get(name) for name in ("kappa", "low", "high"))
    said = JudgeCheck(key, "calibrated", "", 0, 0, kappa=kappa, low=low, high=high, wanted=found.get("wanted"))
    if found.get("unvalidated"):
        reason = f"judge unvalidated {when}: {found['unvalidated']}; take another judge"
        return replace(said, status="unvalidated", reason=reason)
    reason = (
        f"it agrees with people {when}: weighted kappa {agreed['kappa']:.2f} ({agreed['low']:.2f} to "
        f"{agreed['high']:.2f}) on {agreed['n']:,} texts; it has {few}, so that nobody notices if it moves"
    )
    return replace(said, reason=reason)


def compare_grades(
    key: str,
    then: Mapping[str, float],
    now: Mapping[str, float],
    known: Mapping[str, float],
    *,
    errors: int = 0,
) -> JudgeCheck:
    """Compare two gradings of the same anchors.

    Parameters
    ----------
    then, now : mapping
        Grade by anchor.
    known : mapping
        The grade a careful person gives, by anchor; where it is not known, only the shift is tested.

    Examples
    --------
    >>> then = {str(i): float(1 + i % 5) for i in range(20)}
    >>> compare_grades("a.b", then, then, then).status
    'steady'
    >>> milder = {item: min(5.0, grade + 1) for item, grade in then.items()}
    >>> found = compare_grades("a.b", then, milder, then)
    >>> found.status, found.shift
    ('moved', 0.8)
    """
    items = sorted(then.keys() & now.keys())
    if len(items) < LEAST:
        reason = f"only {len(items)} anchors were graded both now and in the reference"
        return JudgeCheck(key, "unmeasured", reason, len(now), errors)
    before, after = (np.array([grades[item] for item in items]) for grades in (then, now))
    shift = float(np.mean(after - before))
    tests = [sign_flip(after - before)]
    judged = np.array([item in known for item in items])
    gap = None
    if judged.sum() >= LEAST:
        truth = np.array([known[item] for item in items if item in known])
        distance = np.abs(after[judged] - truth)
        gap = float(distance.mean())
        tests.append(sign_flip(distance - np.abs(before[judged] - truth)))
    p = min(1.0, len(tests) * min(tests))
    changed = int(np.sum(after != before))
    said = f"{changed} of {len(items)} anchors have another grade, {shift:+.2f} on average, p = {p:.2g}"
    status: Status = "moved" if p < ALPHA else "steady"
    return JudgeCheck(key, status, f"judge {status}: {said}", len(now), errors, shift, p, gap)


def sign_flip(differences: np.ndarray) -> float:
    """Two-sided p-value of the paired sign-flip test that differences are symmetric about zero.

    Source: R. A. Fisher, *The Design of Experiments*, 1935, section 21; exact up to 14 differences that are not zero,
    beyond that by 20,000 draws with a fixed seed.

    Examples
    --------
    >>> sign_flip(np.array([1.0] * 8 + [0.0] * 10))
    0.0078125
    """
    from scipy.stats import permutation_test

    moved = differences[differences != 0]
    if len(moved) < 2:
        return 1.0
    found = permutation_test((moved,), np.mean, permutation_type="samples", n_resamples=_DRAWS, rng=0)
    return float(found.pvalue)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
