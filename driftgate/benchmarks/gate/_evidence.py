"""What the samples of a cell say of a rule: p-values for it and against it, and how far the missing ones could turn it.

A rule passes where the one-sided test shows it with every missing value at its worst, and fails where the opposite is
shown with every missing value at its best (Manski's bounds). Between them it is unmeasurable where the missing values
alone could decide, and inconclusive where more samples would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from driftgate.benchmarks.gate._columns import Column
from driftgate.benchmarks.gate._config import COUNTED, RuleConfig
from driftgate.benchmarks.gate._quantities import COUNTED as BY_COUNT
from driftgate.benchmarks.gate._quantities import (
    Quantile,
    Quantity,
    Side,
    opposite,
    too_few,
)
from driftgate.benchmarks.gate._rule_quantity import quantity_of
from driftgate.benchmarks.stats import OneSidedTest, benjamini_hochberg, holm

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.benchmarks.gate._path import Path


@dataclass(frozen=True)
class Evidence:
    """What is known of one rule in one cell, or in one slice of it."""

    n: int
    """Samples measured."""
    asked: int = 0
    """Samples asked for."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_pass: float | None = None
    """Missing values at their worst; None where there is no test."""
    p_fail: float | None = None
    """Missing values at their best."""
    p_worst: float | None = None
    """``p_fail`` with the missing values at their worst; None where none is missing."""
    bound: float | None = None
    """The one-sided limit that goes with ``p_pass``."""
    counted: bool = False
    """The p-values are 0 or 1, for it was counted and not sampled: no error to control."""
    depends: bool = False
    """The missing values alone could turn the verdict."""
    missing: int = 0
    lacking: str = ""
    """What is missing, for a sentence."""
    extremes: tuple[float | None, float | None] = (None, None)
    """The value with the missing ones at their worst and at their best."""
    detectable: float | None = None
    needed: int | None = None
    method: str = ""
    notes: tuple[str, ...] = ()
    why_none: str = ""
    """Why there is no test."""
    lost: str = ""
    """Why it passes nothing, whatever the test says: too much of it failed."""
    failing: tuple[str, ...] = ()
    """Slices shown to break the rule."""
    undecided: tuple[str, ...] = ()
    """Slices that are neither shown to hold nor to break it."""
    path: Path | None = None
    """Of a run that its gate may stop: the p-values at every look."""


def weigh(rule: RuleConfig, ours: Column, theirs: Column | None = None, *, plan: bool = True) -> Evidence:
    """Weigh a rule on a column of values, and on the column that it is compared with.

    Parameters
    ----------
    plan : bool
        Also work out the minimum detectable effect and the number of samples that decide.
    """
    notes: tuple[str, ...] = ()
    paired = True
    if rule.pass_rate is not None and not ours.repeated:
        notes = ("each sample was asked once: pass_rate changes nothing",)
    if rule.pass_rate is not None and theirs is not None and {*ours.sizes} != {*theirs.sizes}:
        reason = "what it is compared with asked each sample another number of times, and pass_rate means another thing"
        return Evidence(len(ours.frame), why_none=reason, depends=True)
    if theirs is not None:
        shared = ours.frame["key"].isin(theirs.frame["key"])
        paired = bool(shared.any())
        if paired and not shared.all():
            notes += (f"{int(shared.sum())} of {len(shared)} samples are shared with what it is compared with",)
        gone = int((~theirs.frame["key"].isin(ours.frame["key"])).sum())
        if paired and gone:
            notes += (f"{gone} of the {len(theirs.frame)} samples that it is compared with are not in this run",)
        elif not paired:
            notes += ("unpaired: no sample is shared",)
        ours, theirs = aligned(ours, theirs) if paired else (ours, theirs)
    n = len(ours.frame)
    if not n or (theirs is not None and theirs.frame.empty):
        return Evidence(n, why_none="there are no samples to measure it on", depends=True, lacking="")
    missing = int((ours.frame["value"].isna() | (_missing(theirs) if theirs is not None and paired else False)).sum())
    if theirs is not None and not paired:
        missing += theirs.missing

    stated = quantity_of(rule, ours, theirs, "stated", paired=paired)
    worst, best = (
        (
            quantity_of(rule, ours, theirs, "worst", paired=paired),
            quantity_of(rule, ours, theirs, "best", paired=paired),
        )
        if missing
        else (stated, stated)
    )
    return _weighed(rule, n, stated, worst, best, missing, _lacking(ours, theirs), notes, plan=plan)


def _weighed(
    rule: RuleConfig,
    n: int,
    stated: Quantity | None,
    worst: Quantity | None,
    best: Quantity | None,
    missing: int,
    lacking: str,
    notes: tuple[str, ...],
    *,
    plan: bool,
) -> Evidence:
    side, alpha = _side(rule), rule.alpha
    holds = _test(worst, side, alpha)
    broken = _test(best, opposite(side), alpha)
    said = _test(stated, side, alpha)
    sign = sign_of(rule)
    value = low = high = detectable = None
    needed, asked = None, n
    if stated is not None:
        interval = stated.interval()
        limits = sorted(sign * limit for limit in (interval.low, interval.high) if limit is not None)
        value = None if interval.estimate is None else sign * interval.estimate
        low, high = (limits[0], limits[1]) if len(limits) == 2 else (None, None)
        if missing and rule.metric in COUNTED:  # a sum that lacks a part is no sum
            value = low = high = None
        if plan:
            detectable = stated.detectable(side, alpha)
            needed = None if _shown(holds) else stated.needed(alpha)
            few = "" if _shown(holds) or _shown(broken) else too_few(stated, side, alpha)
            notes += (few,) if few else ()
            n = interval.n or n
    depends = bool(missing) and _straddles(side, worst, best, _estimate(holds), _estimate(broken))
    at_worst = _test(worst, opposite(side), alpha) if missing else None
    reasons = [test.reason for test in (holds, broken) if test is not None and test.reason]
    return Evidence(
        n=n,
        asked=asked,
        value=value,
        low=low,
        high=high,
        p_pass=holds.p_value if holds is not None else None,
        p_fail=broken.p_value if broken is not None else None,
        p_worst=at_worst.p_value if at_worst is not None else None,
        bound=sign * holds.bound if holds is not None and holds.bound is not None else None,
        counted=stated is not None and holds is not None and holds.method == BY_COUNT,
        depends=depends or (missing > 0 and stated is None),
        missing=missing,
        lacking=lacking,
        extremes=(_times(sign, _estimate(holds)), _times(sign, _estimate(broken))),
        detectable=detectable,
        needed=needed,
        method=said.method if said is not None else "",
        notes=notes,
        why_none=reasons[0] if reasons else "",
    )


def over_slices(rule: RuleConfig, parts: Mapping[str, Evidence]) -> Evidence:
    """A rule about every slice: it holds if it holds in each, and is broken where it is in any.

    That it holds in each needs no correction (an intersection-union test); against the slices the p-values are
    corrected, and the least of them is the rule's own (with Benjamini and Hochberg's this is Simes' test).
    """
    correct = holm if rule.correction == "holm" else benjamini_hochberg
    against = dict(zip(parts, correct([part.p_fail for part in parts.values()]), strict=True))
    failing = tuple(name for name, p in against.items() if p is not None and p <= rule.alpha)
    held = tuple(name for name, part in parts.items() if part.p_pass is not None and part.p_pass <= rule.alpha)
    undecided = tuple(name for name in parts if name not in failing and name not in held)
    known = [p for p in against.values() if p is not None]
    at_worst = [part.p_fail if part.p_worst is None else part.p_worst for part in parts.values()]
    lacking = next((part.lacking for part in parts.values() if part.missing), "")
    p_pass = [part.p_pass for part in parts.values()]
    worst = min(parts, key=lambda name: (_or(against[name], 2.0), -_or(parts[name].p_pass, 2.0), name))
    shown = parts[worst]
    return replace(
        shown,
        n=sum(part.n for part in parts.values()),
        asked=sum(part.asked for part in parts.values()),
        p_pass=None if None in p_pass else max((p for p in p_pass if p is not None), default=None),
        p_fail=min(known, default=None),
        p_worst=min((p for p in correct(at_worst) if p is not None), default=None) if lacking else None,
        counted=all(part.counted for part in parts.values()),
        depends=any(parts[name].depends for name in undecided),
        missing=sum(part.missing for part in parts.values()),
        lacking=lacking,
        extremes=(None, None),
        bound=None,
        detectable=max((part.detectable for part in parts.values() if part.detectable is not None), default=None),
        needed=None,
        notes=(*shown.notes, f"shown is '{worst}', of {len(parts)} slices the one that speaks most against the rule"),
        failing=failing,
        undecided=undecided,
    )


def _or(value: float | None, instead: float) -> float:
    return instead if value is None else value


def _side(rule: RuleConfig) -> Side:
    """On which side of the quantity's limit the rule holds; differences are oriented so that more is better."""
    return "above" if _oriented(rule) else rule.side


def _oriented(rule: RuleConfig) -> bool:
    return rule.opponent is not None and not rule.by_ratio  # of the rule alone: where all is missing, too


def sign_of(rule: RuleConfig) -> float:
    """What turns an oriented difference back into the candidate less the reference."""
    return -1.0 if _oriented(rule) and rule.less_is_better else 1.0


def aligned(ours: Column, theirs: Column) -> tuple[Column, Column]:
    """Both columns on the samples they share, in one order."""
    if np.array_equal(ours.frame["key"].to_numpy(), theirs.frame["key"].to_numpy()):
        return replace(ours, frame=ours.frame.reset_index(drop=True)), replace(
            theirs, frame=theirs.frame.reset_index(drop=True)
        )
    mine = ours.frame[ours.frame["key"].isin(theirs.frame["key"])].reset_index(drop=True)
    reference = theirs.frame.set_index("key").loc[mine["key"]].reset_index()
    return replace(ours, frame=mine), replace(theirs, frame=reference)


def _missing(column: Column) -> pd.Series[bool]:
    missing: pd.Series[bool] = column.frame["value"].isna()
    return missing


def _lacking(ours: Column, theirs: Column | None) -> str:
    if theirs is not None and theirs.missing and not ours.missing:
        return f"{theirs.lacking} in the run that is compared with"
    return ours.lacking


def _test(quantity: Quantity | None, side: Side, alpha: float) -> OneSidedTest | None:
    return None if quantity is None else quantity.test(side, alpha)


def _shown(test: OneSidedTest | None) -> bool:
    return test is not None and test.shown is True


def _estimate(test: OneSidedTest | None) -> float | None:
    return None if test is None else test.estimate


def _times(sign: float, value: float | None) -> float | None:
    return None if value is None else sign * value


def _straddles(
    side: Side, worst: Quantity | None, best: Quantity | None, low: float | None, high: float | None
) -> bool:
    """Whether the limit lies between the value at its worst and at its best, so that no number of samples decides.

    Parameters
    ----------
    low, high : float or None
        The value at its worst and at its best.
    """
    if worst is None or best is None:
        return True
    if isinstance(worst, Quantile) and isinstance(best, Quantile):
        return _within(worst, side) < 0.0 <= _within(best, side)
    if low is None or high is None:
        return True
    sign = 1.0 if side == "above" else -1.0
    return sign * low < sign * worst.limit <= sign * high


def _within(quantity: Quantile, side: Side) -> float:
    """How far the share of values within the limit is above what the quantile asks for; turned round for ``above``."""
    share = float((quantity.values <= quantity.limit).mean()) - quantity.probability
    return share if side == "below" else -share


def corrected(evidence: Sequence[Evidence]) -> list[float | None]:
    """The p-values against the rules, corrected by Holm over all that were tested; what was counted stays as it is."""
    return _over_all(evidence, [one.p_fail for one in evidence])


def corrected_at_worst(evidence: Sequence[Evidence]) -> list[float | None]:
    """As :func:`corrected`, with all missing values at their worst.

    Where this shows that a rule is broken and they let nothing be shown, whether it holds depends on them: that is as
    near to a failure as they let it come, in one check or among many.
    """
    return _over_all(evidence, [one.p_fail if one.p_worst is None else one.p_worst for one in evidence])


def _over_all(evidence: Sequence[Evidence], against: Sequence[float | None]) -> list[float | None]:
    tested = holm([None if one.counted else p for one, p in zip(evidence, against, strict=True)])
    return [p if one.counted else q for one, p, q in zip(evidence, against, tested, strict=True)]
