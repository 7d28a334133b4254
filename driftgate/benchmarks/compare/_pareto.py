"""Quality, cost and latency of cells side by side, and which of them no other beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from driftgate.benchmarks.compare._difference import without_limits
from driftgate.benchmarks.compare._entry import Entry
from driftgate.benchmarks.compare._pair import Pair
from driftgate.benchmarks.costs import at_most, listed_bound, states_prices
from driftgate.benchmarks.metrics import SEQUENCES, accuracy, quantile
from driftgate.benchmarks.stats import Interval, mean_interval

MEASURES = ("quality", "cost", "latency")
_CONSTANT = "constant"
"""Method of what was the same of every sample, which is an interval without a width and no estimate of a variance."""
Place = Literal["front", "tied", "beaten", "undecided", "unmeasured"]


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
    """``front``: surely better than each other cell in some measure. ``beaten``: another cell is surely better in some
    measure and surely no worse in any. ``tied``: another one may be as good in all of them. ``undecided``: it would be
    beaten, but a price is not known, its own or the other's, or cannot be set beside the others'. ``unmeasured``: none
    of its samples has an answer, so that it has no place."""
    beaten_by: str = ""
    """The cell that beats it, or may."""
    at_most: bool = False
    """The cost is an upper bound: see :func:`driftgate.benchmarks.costs.at_most`."""


def standings(entries: Sequence[Entry], pairs: Sequence[Pair]) -> tuple[list[Standing], tuple[str, ...]]:
    """The Pareto front of cells on one dataset.

    Intervals decide. In quality a cell is surely better than another where their difference is significant, paired
    where samples are shared, adjusted over all pairs, and not open to what was not answered; in cost and latency where
    the 95% intervals do not meet, or where neither varies at all. It is surely no worse where it is surely better, or
    where both took exactly the same. Of a cell that its gate stopped nothing is sure: its quality has the limits that
    hold wherever one stops, its cost and latency have none.

    Only measures that every cell has are compared. Where one cell's price is unknown, an upper bound, or in another
    currency, cost is none of them; then no cell is called beaten, as it may be the cheaper one.

    Parameters
    ----------
    pairs
        Of the entries, with p-values that are adjusted.

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
    surely = {}
    for pair in pairs:
        one, other = pair.candidate.scores.cell.id, pair.reference.scores.cell.id
        surely[one, other] = pair.overall.finding == "higher"
        surely[other, one] = pair.overall.finding == "lower"
    return [_placed(s, measured, surely, usable) for s in measured], tuple(usable)


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
    frame, details = entry.frame, entry.scores.cell.details
    # A call that failed is no cheap one.
    paid = frame.loc[frame["cached"].eq(False) & frame["outcome"].ne("failed"), "cost"].to_numpy(dtype=float)
    cost = None
    if paid.size and not np.isnan(paid).any() and (paid.any() or states_prices(details)):
        cost = _times(mean_interval(paid), 1000.0)
        if paid.size > 1 and (paid == paid[0]).all():
            cost = replace(cost, method=_CONSTANT)
    latency = quantile("latency", 0.5)(frame)
    quality = accuracy(frame)
    if why := entry.untested:
        quality = SEQUENCES["accuracy"](entry.scores.asks)
        cost = cost and without_limits(cost, why)
        latency = without_limits(latency, why)
    if entry.scores.answered_nothing:  # that is no answer of 0%
        quality = Interval.unknown(
            None, level=quality.level, method=quality.method, n=quality.n, reason="nothing was answered"
        )
    best = entry.scores.get("accuracy_if_right")
    return Standing(
        entry,
        quality,
        best.value if best else None,
        cost,
        entry.scores.currency,
        latency if latency.estimate is not None else None,
        at_most=bool(at_most(frame, details).any()),
    )


def _times(interval: Interval, factor: float) -> Interval:
    low, high = (None if v is None else v * factor for v in (interval.low, interval.high))
    estimate = None if interval.estimate is None else interval.estimate * factor
    # What a sample costs is never negative, whatever Student's t says of a few of them.
    low = None if low is None else max(0.0, low)
    return Interval(estimate, low, high, interval.level, interval.method, interval.n, interval.reason)


_Surely = Mapping[tuple[int, int], bool]
"""Whether the quality of one cell is surely higher than that of another, by their ids."""


def _placed(mine: Standing, others: Sequence[Standing], surely: _Surely, measures: Sequence[str]) -> Standing:
    if not mine.entry.settled.any():
        return replace(mine, place="unmeasured")
    rivals = [o for o in others if o is not mine and not any(_better(mine, o, surely, m) for m in measures)]
    if not rivals:
        return mine
    beating = [o for o in rivals if _beats(o, mine, surely, measures)]
    best = max(beating or rivals, key=lambda o: o.quality.estimate or 0.0)
    place: Place = "tied" if not beating else "beaten" if "cost" in measures else "undecided"
    return replace(mine, place=place, beaten_by=best.entry.label)


def _beats(one: Standing, other: Standing, surely: _Surely, measures: Sequence[str]) -> bool:
    better = [_better(one, other, surely, measure) for measure in measures]
    return any(better) and all(b or _same(one, other, m) for b, m in zip(better, measures, strict=True))


def _better(one: Standing, other: Standing, surely: _Surely, measure: str) -> bool:
    """Whether a cell is surely better than another in a measure."""
    if measure == "quality":
        return surely.get((one.entry.scores.cell.id, other.entry.scores.cell.id), False)
    ours, theirs = _limits(getattr(one, measure)), _limits(getattr(other, measure))
    return ours is not None and theirs is not None and ours[1] < theirs[0]


def _same(one: Standing, other: Standing, measure: str) -> bool:
    """Whether two cells took exactly the same, each time: no spread that could hide a difference."""
    if measure == "quality":
        return False
    ours, theirs = _limits(getattr(one, measure)), _limits(getattr(other, measure))
    return ours is not None and ours == theirs and ours[0] == ours[1]


def _limits(interval: Interval) -> tuple[float, float] | None:
    """From where to where a cost or a latency may lie; of what never varied the value itself."""
    if interval.low is not None and interval.high is not None:
        return interval.low, interval.high
    if interval.estimate is not None and interval.n > 1 and interval.method == _CONSTANT:
        return interval.estimate, interval.estimate
    return None
