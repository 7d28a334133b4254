"""Quality, cost and latency of cells side by side, and which of them no other beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from driftgate.benchmarks.compare._entry import Entry
from driftgate.benchmarks.compare._pair import Pair
from driftgate.benchmarks.costs import at_most, listed_bound
from driftgate.benchmarks.metrics import accuracy, quantile
from driftgate.benchmarks.stats import Interval, mean_interval

MEASURES = ("quality", "cost", "latency")
Place = Literal["front", "tied", "beaten"]


@dataclass(frozen=True)
class Standing:
    """A cell's quality, cost and latency, and its place beside the others."""

    entry: Entry
    quality: Interval
    if_right: float | None
    """Quality if every unanswered sample had been right."""
    cost: Interval | None
    """Of a thousand samples, in ``currency``; None where none was recorded, or not that of every sample."""
    currency: str
    latency: Interval | None
    """Median, seconds; None where no latency was recorded."""
    place: Place = "front"
    """``front``: no other cell is at least as good in every measure. ``tied``: one is, but their difference in
    quality may be none. ``beaten``: one is, and its quality is higher beyond the difference's interval."""
    beaten_by: str = ""
    at_most: bool = False
    """The cost is an upper bound: see :func:`driftgate.benchmarks.costs.at_most`."""


def standings(entries: Sequence[Entry], pairs: Sequence[Pair]) -> tuple[list[Standing], tuple[str, ...]]:
    """The Pareto front of cells on one dataset.

    A cell is set against another by their estimates; whether it is *beaten* is decided by the interval of the
    difference in quality, paired where samples are shared. Only measures that every cell has can be compared.

    Returns
    -------
    tuple
        The cells' standings in their order, and the measures that every cell has.
    """
    measured = [_measure(entry) for entry in entries]
    currencies = {s.currency for s in measured if s.cost is not None}
    usable = ["quality"]
    exact = not any(s.at_most for s in measured)  # a bound on what one cost is no evidence for another
    if all(s.cost is not None for s in measured) and len(currencies) == 1 and exact:
        usable.append("cost")
    if all(s.latency is not None for s in measured):
        usable.append("latency")
    return [_placed(s, measured, pairs, usable) for s in measured], tuple(usable)


def why_unused(measure: str, found: Sequence[Standing]) -> str:
    """Why ``cost`` or ``latency`` does not place the cells."""
    if any(getattr(one, measure) is None for one in found):
        return "was not recorded of every cell"
    currencies = sorted({one.currency for one in found})
    if len(currencies) > 1:
        return f"is in {' and '.join(currencies)}, which are not compared"
    listed = next(filter(None, (listed_bound(one.entry.scores.cell.details) for one in found)), "")
    return f"is an upper bound in some cells, as {listed or 'the price of their cached input is not known'}"


def _measure(entry: Entry) -> Standing:
    frame = entry.frame
    prices = (entry.scores.cell.details.get("model_config") or {}).get("prices") or {}
    # A call that failed is no cheap one.
    paid = frame.loc[frame["cached"].eq(False) & frame["outcome"].ne("failed"), "cost"].to_numpy(dtype=float)
    cost = None
    if paid.size and not np.isnan(paid).any() and (paid.any() or prices.get("input") or prices.get("output")):
        cost = _times(mean_interval(paid), 1000.0)
    latency = quantile("latency", 0.5)(frame)
    best = entry.scores.get("accuracy_if_right")
    return Standing(
        entry,
        accuracy(frame),
        best.value if best else None,
        cost,
        entry.scores.currency,
        latency if latency.estimate is not None else None,
        at_most=bool(at_most(frame, entry.scores.cell.details).any()),
    )


def _times(interval: Interval, factor: float) -> Interval:
    low, high = (None if v is None else v * factor for v in (interval.low, interval.high))
    estimate = None if interval.estimate is None else interval.estimate * factor
    # What a sample costs is never negative, whatever Student's t says of a few of them.
    low = None if low is None else max(0.0, low)
    return Interval(estimate, low, high, interval.level, interval.method, interval.n, interval.reason)


def _placed(mine: Standing, others: Sequence[Standing], pairs: Sequence[Pair], measures: Sequence[str]) -> Standing:
    better = [o for o in others if o is not mine and _dominates(_values(o, measures), _values(mine, measures))]
    surely = [o for o in better if _surely_better(o.entry, mine.entry, pairs)]
    if not better:
        return mine
    best = max(surely or better, key=lambda o: o.quality.estimate or 0.0)
    place: Place = "beaten" if surely else "tied"
    return replace(mine, place=place, beaten_by=best.entry.label)


def _values(standing: Standing, measures: Sequence[str]) -> list[float]:
    """Larger is better in all of them; a measure without an estimate is the worst."""
    signs = {"quality": 1.0, "cost": -1.0, "latency": -1.0}
    found = [(signs[name], getattr(standing, name).estimate) for name in measures]
    return [float("-inf") if value is None else sign * value for sign, value in found]


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True)) and list(one) != list(other)


def _surely_better(one: Entry, other: Entry, pairs: Sequence[Pair]) -> bool:
    for pair in pairs:
        low, high = pair.overall.comparison.interval.low, pair.overall.comparison.interval.high
        if low is None or high is None:
            continue
        if pair.candidate is one and pair.reference is other:
            return low > 0
        if pair.candidate is other and pair.reference is one:
            return high < 0
    return False
