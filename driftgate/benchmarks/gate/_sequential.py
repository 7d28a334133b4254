"""Evidence of a run that its gate may stop: tests that hold however often one looks.

Half of a rule's level is for looks, and half for the ordinary test once all samples were asked (Bonferroni): so a rule
that is close has most of the power that it has in a run that always asks everything. Where a run is stopped the
ordinary test is not made, for it would be made on what was stopped because it looked good, or bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from driftgate.benchmarks import stats
from driftgate.benchmarks.gate._columns import Column, labels_of
from driftgate.benchmarks.gate._config import COUNTED, LATENCIES, RuleConfig
from driftgate.benchmarks.gate._evidence import Evidence, aligned, sign_of, weigh
from driftgate.benchmarks.gate._path import Path
from driftgate.benchmarks.gate._quantities import COUNTED as BY_COUNT
from driftgate.benchmarks.gate._quantities import Floats
from driftgate.benchmarks.gate._rule_quantity import End, fillings, scale_of
from driftgate.benchmarks.looks import Looks
from driftgate.benchmarks.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

AT_LOOKS = 0.5
"""The part of a rule's level that is for looks; the rest is for the ordinary test of everything."""
METHOD = "betting"
_ROUNDING = 1e-12
"""Of a mean of values on a scale."""


@dataclass(frozen=True, eq=False)
class Asked:
    """How far a cell was asked, in the order in which its samples come."""

    places: Mapping[str, int]
    """By key: how many samples come before it."""
    ends: NDArray[np.int64]
    """How many samples had been asked at each look so far, shape (looks,)."""
    count: int

    @classmethod
    def of(cls, looks: Looks, frame: pd.DataFrame, count: int) -> Asked:
        """Of a frame of all samples of a cell, of which ``count`` were asked."""
        keys, clusters = frame["key"].tolist(), frame["cluster"].tolist()
        order = looks.order(keys, clusters)
        keys, clusters = [keys[place] for place in order], [clusters[place] for place in order]
        ends = looks.ends(keys, clusters)
        return cls({key: place for place, key in enumerate(keys)}, ends[ends <= count], count)

    @property
    def whole(self) -> bool:
        """Whether all samples were asked."""
        return self.count == len(self.places)

    def within(self, other: Asked | None) -> Asked:
        """As far as another cell was asked as well."""
        if other is None or other.count >= self.count:
            return self
        return replace(self, ends=self.ends[self.ends <= other.count], count=other.count)


def only_at_the_end(rule: RuleConfig, details: Mapping[str, Any]) -> str:
    """Why a rule can be judged only once all samples were asked, in words; empty where it can be judged before.

    Parameters
    ----------
    details : Mapping
        Of a cell that it is about.
    """
    metric = rule.metric
    if metric == "accuracy_macro":
        return "categories weigh alike, however many of their samples were asked"
    if metric.startswith("aggregate.") or ".aggregate." in metric:
        return "an aggregation node makes one number of all lines"
    if rule.corrected:
        return "people label what was answered once all is asked"
    if rule.opponent is not None and rule.by_ratio:
        return "ratios of latencies, costs and tokens have no test that holds at every look"
    if metric in COUNTED:
        return "" if rule.max is not None else "what it took is known once all is asked"
    if metric not in METRICS and rule.scale is None and not _judged(rule, details):
        return "nobody says what the values can be; give it a scale, such as scale: [0, 1]"
    limit, (low, high) = rule.min if rule.min is not None else rule.max, rule.scale or (0.0, 1.0)
    if limit is not None and metric not in LATENCIES and not _judged(rule, details) and not low < limit < high:
        return f"its limit {limit:g} is the end of the scale, and a single sample can break it"
    return ""


def _judged(rule: RuleConfig, details: Mapping[str, Any]) -> bool:
    """Whether an AI judge declares the scale of the rule's metric."""
    evaluator, _, metric = rule.metric.rpartition(".")
    judge = (details.get("judges") or {}).get(evaluator) or {}
    return "scale" in judge and judge.get("grade") == metric


def weigh_at_looks(
    rule: RuleConfig, ours: Column, theirs: Column | None, asked: Asked, late: str = "", *, plan: bool = True
) -> Evidence:
    """Weigh a rule on what was asked of a cell, with its p-values at every look.

    Parameters
    ----------
    ours, theirs : Column
        Of all samples, asked or not.
    late : str
        Why the rule can be judged only at the end, see :func:`only_at_the_end`; empty where it can be before.
    plan : bool
        Also work out limits, the minimum detectable effect and the number of samples that decide.
    """
    if not asked.whole and rule.metric not in COUNTED and theirs is not None:
        gone = theirs.frame["key"].map(lambda key: asked.places.get(key, -1)) >= asked.count
        shown = weigh(rule, _upto(ours, asked), replace(theirs, frame=theirs.frame[~gone]), plan=False)
    else:
        # The test of everything has its part of the level only, also where it says what it could have detected.
        ending = rule.model_copy(update={"alpha": rule.alpha * (1.0 - AT_LOOKS)}) if asked.whole and not late else rule
        shown = weigh(ending, _upto(ours, asked), theirs, plan=plan and asked.whole)
    paired = theirs is None or bool(ours.frame["key"].isin(theirs.frame["key"]).any())
    if late or not paired or (shown.p_pass is None and shown.p_fail is None and asked.whole):
        return at_the_end(shown, asked, late or "no sample is shared with what it is compared with")
    if rule.metric in COUNTED:
        path = _counted(rule, ours, asked, shown)
        p_pass, p_fail = path.at(path.looks - 1) if path.looks else (None, None)
        return replace(shown, path=path, p_pass=p_pass, p_fail=p_fail, counted=True, method=BY_COUNT)
    if theirs is not None:
        ours, theirs = aligned(ours, theirs)
    holds, limit = _bet(rule, ours, theirs, "worst", asked, shown_holds=True, limits=plan)
    broken, _ = _bet(rule, ours, theirs, "best", asked, shown_holds=False, limits=False)
    path = Path(holds / AT_LOOKS, broken / AT_LOOKS)
    if asked.whole and path.looks:
        for at_looks, at_end in ((path.p_pass, shown.p_pass), (path.p_fail, shown.p_fail)):
            if at_end is not None:
                at_looks[-1] = min(at_looks[-1], at_end / (1.0 - AT_LOOKS))
    path = Path(np.minimum(1.0, path.p_pass), np.minimum(1.0, path.p_fail))
    low, high = _interval(rule, ours, theirs, asked) if plan else (None, None)
    last = path.at(path.looks - 1) if path.looks else (None, None)
    method = f"{METHOD}, {shown.method} at the end" if asked.whole else METHOD
    if asked.whole and limit is not None and shown.bound is not None:
        limit = (min if rule.side == "below" else max)(limit, shown.bound)
    p_worst = shown.p_worst / (1.0 - AT_LOOKS) if asked.whole and shown.p_worst is not None else None
    if shown.missing and path.looks:
        at_worst, _ = _bet(rule, ours, theirs, "worst", asked, shown_holds=False, limits=False)
        p_worst = min(1.0, float(at_worst[-1]) / AT_LOOKS, 1.0 if p_worst is None else p_worst)
    known = replace(shown, path=path, p_pass=last[0], p_fail=last[1], p_worst=p_worst, method=method, bound=limit)
    return known if shown.value is None or rule.metric in LATENCIES else replace(known, low=low, high=high)


def at_the_end(shown: Evidence, asked: Asked, late: str) -> Evidence:
    """What can be judged only at the end, and is where that was reached.

    Parameters
    ----------
    late : str
        Why only there.
    """
    if not asked.whole:
        why = f"it is judged only where all samples were asked: {late}"
        untested = replace(shown, p_pass=None, p_fail=None, p_worst=None, low=None, high=None, bound=None)
        return replace(untested, why_none=why, depends=False)
    values = [np.append(np.ones(max(asked.ends.size - 1, 0)), 1.0 if p is None else p) for p in _both(shown)]
    known = shown.p_pass is not None or shown.p_fail is not None
    return replace(shown, path=Path(values[0], values[1], shown.counted) if known else None)


def _both(shown: Evidence) -> tuple[float | None, float | None]:
    return shown.p_pass, shown.p_fail


def _upto(column: Column, asked: Asked) -> Column:
    """The samples that were asked."""
    if asked.whole:
        return column
    place = column.frame["key"].map(asked.places)
    return replace(column, frame=column.frame[place < asked.count])


def _places(frame: pd.DataFrame, asked: Asked) -> NDArray[np.int64]:
    return np.array([asked.places[key] for key in frame["key"]], dtype=np.int64)


def _values(
    rule: RuleConfig, ours: Column, theirs: Column | None, end: End
) -> tuple[Floats, float, float, float, bool]:
    """What a rule is about as values on a scale, NaN where the metric leaves a sample out, with the missing at one end.

    Parameters
    ----------
    ours, theirs : Column
        On the samples that they share, in one order.

    Returns
    -------
    tuple
        The values, the limit of their mean, the ends of their scale, and whether the rule holds above the limit.
    """
    filling, other = fillings(rule.side, end)
    values = ours.array(filling)
    if theirs is not None:
        against, (low, high) = theirs.array(other), scale_of(ours, theirs)
        differences = against - values if rule.less_is_better else values - against
        return differences, -rule.margin, low - high, high - low, True
    limit = rule.min if rule.min is not None else rule.max
    assert limit is not None
    if rule.metric in LATENCIES:
        within = np.where(np.isnan(values), np.nan, (values <= limit).astype(np.float64))
        return within, LATENCIES[rule.metric], 0.0, 1.0, rule.side == "below"
    return values, limit, ours.low, ours.high, rule.side == "above"


def _filled(rule: RuleConfig, column: Column, end: End) -> Floats:
    """The values of a column with the missing ones at the rule's worst or best."""
    return column.array(fillings(rule.side, end)[0])


def _bets(
    rule: RuleConfig, ours: Column, theirs: Column | None, end: End, asked: Asked
) -> tuple[stats.Bets, float, bool]:
    """The values with the missing ones at one end, the limit, and whether the rule holds above it."""
    values, limit, low, high, above = _values(rule, ours, theirs, end)
    places, labels = _places(ours.frame, asked), labels_of(ours.frame)
    largest = 1 if labels is None else int(np.unique(labels, return_counts=True)[1].max(initial=1))
    kept = (places < asked.count) & ~np.isnan(values)
    if not kept.any() or not np.isfinite(values[kept]).all():
        kept &= False
    made = stats.bets(
        values[kept],
        low,
        high,
        clusters=None if labels is None else labels[kept],
        places=places[kept],
        largest=largest,
    )
    return made, limit, above


def _bet(
    rule: RuleConfig, ours: Column, theirs: Column | None, end: End, asked: Asked, *, shown_holds: bool, limits: bool
) -> tuple[Floats, float | None]:
    """The p-value at each look that the rule holds, or that it is broken, and the one-sided limit that goes with it.

    What was won before an outage, or before the model turned bad, stays won in a test by betting. So a look shows
    nothing that the values up to it do not say as well: a score below its limit passes at no look, whatever was held.
    """
    made, limit, above = _bets(rule, ours, theirs, end, asked)
    upwards = above == shown_holds
    each = made.p_above(limit) if upwards else made.p_below(limit)
    at = np.searchsorted(made.ends, asked.ends, side="right")
    beyond = (np.append(np.nan, made.means)[at] - limit) * (1.0 if upwards else -1.0)
    agrees = beyond >= -_ROUNDING if shown_holds and rule.better_than is None else beyond > _ROUNDING
    values = np.where(agrees, np.append(1.0, each)[at], 1.0)
    if not made.sums.size or rule.metric in LATENCIES or not limits:
        return values, None
    alpha, mean = rule.alpha * AT_LOOKS, float(made.means[-1])
    one_sided = min(made.limit(alpha, ever=True), mean) if above else max(-made.turned.limit(alpha, ever=True), mean)
    bound = sign_of(rule) * one_sided
    return values, bound if np.isfinite(bound) else None


def _interval(
    rule: RuleConfig, ours: Column, theirs: Column | None, asked: Asked
) -> tuple[float, float] | tuple[None, None]:
    """The two-sided 95% interval, which holds wherever the run was stopped."""
    made, *_ = _bets(rule, ours, theirs, "stated", asked)
    if not made.sums.size or not np.isfinite(made.high - made.low):
        return None, None
    limits = made.limit(0.025, ever=True), -made.turned.limit(0.025, ever=True)
    if limits[0] > limits[1]:  # each was reached, at different times: one of them is an error, and nobody knows which
        return None, None
    mean = float(made.means[-1])
    ends = [sign_of(rule) * limit for limit in (min(limits[0], mean), max(limits[1], mean))]
    return min(ends), max(ends)


def _counted(rule: RuleConfig, column: Column, asked: Asked, shown: Evidence) -> Path:
    """A sum, or a mean a sample, with an upper limit: it holds where it does at every look, else as it does at the end.

    A sum that is beyond its limit stays there.
    """
    assert rule.max is not None
    order = np.argsort(_places(column.frame, asked), kind="stable")
    at = asked.ends - 1
    worst, best = (np.cumsum(_filled(rule, column, end)[order])[at] for end in ("worst", "best"))
    shares = asked.ends if rule.metric == "cost_per_sample" else 1
    held = np.logical_and.accumulate(worst / shares <= rule.max)
    broken = best > rule.max if rule.metric != "cost_per_sample" else np.zeros(at.size, dtype=bool)
    path = Path(np.where(held, 0.0, 1.0), np.where(broken, 0.0, 1.0), counted=True)
    if asked.whole and path.looks and shown.p_pass is not None and shown.p_fail is not None:
        path.p_pass[-1], path.p_fail[-1] = shown.p_pass, shown.p_fail
    return path
