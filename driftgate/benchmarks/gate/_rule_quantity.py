"""The quantity that a rule asks about, made of the columns, with the missing values put in at one end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from driftgate.benchmarks.gate._columns import Column, Filling, labels_of, values_of
from driftgate.benchmarks.gate._comparisons import MeanRatio, QuantileRatio, UnpairedMeans
from driftgate.benchmarks.gate._config import COUNTED, LATENCIES, RuleConfig
from driftgate.benchmarks.gate._quantities import (
    Counted,
    Floats,
    Labels,
    Mean,
    Quantile,
    Quantity,
    Share,
    Side,
    per_sample,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

End = Literal["worst", "stated", "best"]
_HUGE = 1e9
"""Seconds that stand for a latency that never came, where a ratio needs a number."""


def quantity_of(rule: RuleConfig, ours: Column, theirs: Column | None, end: End, *, paired: bool) -> Quantity | None:
    """The rule's quantity with the missing values at one end; None where that end is not a number."""
    filling, other = fillings(rule.side, end)
    if theirs is None:
        return _absolute(rule, ours, filling)
    if paired:
        candidate, against = ours.array(filling), theirs.array(other)
        known = ~(np.isnan(candidate) | np.isnan(against))
        candidate, against = candidate[known], against[known]
        labels = labels_of(ours.frame if known.all() else ours.frame[known])
        if not candidate.size:
            return None
        if rule.metric in LATENCIES:
            return _latency_ratio(rule, (ours, filling, known), (theirs, other, known))
        if rule.metric in COUNTED:
            finite = bool(np.isfinite(candidate).all() and np.isfinite(against).all())
            return MeanRatio(candidate, against, labels, 1.0 + rule.margin) if finite else None
        low, high = scale_of(ours, theirs)
        differences = against - candidate if rule.less_is_better else candidate - against
        if not np.isfinite(differences).all():
            return None
        return Mean(differences, labels, -rule.margin, low - high, high - low)
    mine, reference = ours.filled(filling), theirs.filled(other)
    candidate, against = values_of(mine), values_of(reference)
    if not candidate.size or not against.size:
        return None
    if rule.by_ratio:
        if rule.metric in LATENCIES:
            return _latency_ratio(rule, (ours, filling, None), (theirs, other, None))
        return None
    labels, others = labels_of(mine), labels_of(reference)
    if not (np.isfinite(candidate).all() and np.isfinite(against).all()):
        return None
    low, high = scale_of(ours, theirs)
    if rule.less_is_better:
        candidate, against, low, high = -candidate, -against, -high, -low
    return UnpairedMeans(candidate, against, labels, others, -rule.margin, low, high)


def scale_of(ours: Column, theirs: Column) -> tuple[float, float]:
    """The scale on which both columns lie."""
    return min(ours.low, theirs.low), max(ours.high, theirs.high)


def _absolute(rule: RuleConfig, column: Column, filling: Filling) -> Quantity | None:
    frame = column.filled(filling)
    limit = rule.min if rule.min is not None else rule.max
    assert limit is not None
    values, labels = values_of(frame), labels_of(frame)
    n = len(column.frame)
    if rule.metric in COUNTED:
        asks = column.filled_asks(filling)
        n, total = asks.size, float(asks.sum())
        return Counted(total / n if rule.metric == "cost_per_sample" else total, n, limit, rule.side)
    if not values.size:
        return None
    if rule.metric in LATENCIES:
        each, samples = _each_ask(column, filling, None)
        return Quantile(each, LATENCIES[rule.metric], limit, samples)
    if not np.isfinite(values).all():
        return None
    weights = None
    if rule.metric == "accuracy_macro":  # all categories weigh the same
        weights = 1.0 / frame.groupby("category")["value"].transform("size").to_numpy(dtype=np.float64)
    if not column.low < limit < column.high:
        # At the end of its scale a mean is a matter of these samples: one exception breaks the rule, none proves it.
        return Counted(float(np.average(values, weights=weights)), n, limit, rule.side)
    if column.binary and labels is None and weights is None:
        return Share(values, limit)
    return Mean(values, labels, limit, column.low, column.high, weights)


def _latency_ratio(
    rule: RuleConfig,
    ours: tuple[Column, Filling, NDArray[np.bool_] | None],
    theirs: tuple[Column, Filling, NDArray[np.bool_] | None],
) -> QuantileRatio:
    """The ratio of two columns' quantiles, over every repeat of some of their samples."""
    (candidate, samples), (against, others) = _each_ask(*ours), _each_ask(*theirs)
    candidate, against = (np.clip(side, 1.0 / _HUGE, _HUGE) for side in (candidate, against))
    repeats = (per_sample(candidate, samples), per_sample(against, others))
    return QuantileRatio(candidate, against, LATENCIES[rule.metric], 1.0 + rule.margin, repeats)


def _each_ask(column: Column, filling: Filling, of: NDArray[np.bool_] | None) -> tuple[Floats, Labels | None]:
    """The values of all repeats, of all samples or of some, with the sample of each where there are several."""
    values, samples = column.filled_asks(filling), np.repeat(np.arange(len(column.frame)), column.sizes)
    kept = ~np.isnan(values)
    if of is not None:
        kept &= of[samples]
    return values[kept], samples[kept].astype(np.int64) if column.repeated else None


def fillings(side: Side, end: End) -> tuple[Filling, Filling]:
    """How missing values are put in here and in what is compared with, for the rule's worst or best."""
    if end == "stated":
        return "stated", "stated"
    low_is_worst = side == "above"
    return ("low", "high") if low_is_worst == (end == "worst") else ("high", "low")
