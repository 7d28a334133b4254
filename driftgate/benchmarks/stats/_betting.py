"""Tests of a mean of values on a known scale that hold however often one looks, and that worse values never improve.

A test by betting starts with one unit and bets on every new value that the mean lies on the claimed side of the limit:
what it holds is multiplied by ``1 + b (x - m)``. Where the claim is false no bet gains on average, so that the chance
ever to hold ``1 / alpha`` is at most ``alpha`` (Ville 1939): one may look after every value and stop when one likes.

Waudby-Smith and Ramdas [1]_ choose each bet by the values before it. A worse value then makes the later bets smaller,
which a later loss rewards: one more wrong answer could turn "not shown" into "shown". Here the bets are fixed before
the first value, several of them side by side, among which the stake is divided (their "diversified Kelly", in the
manner of Cover's universal portfolio [2]_). Every factor rises with its value, and so does what is held at any time.

References
----------
.. [1] Waudby-Smith, Ramdas (2024). Estimating means of bounded random variables by betting. Journal of the Royal
   Statistical Society B 86(1), 1-27.
.. [2] Orabona, Jun (2024). Tight concentrations and confidence sequences from the regret of universal portfolio. IEEE
   Transactions on Information Theory 70(1), 436-455.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_values
from ._cluster import cluster_sums
from ._interval import Interval
from ._root import find_root

__all__ = ["Bets", "bets", "betting_interval"]

_STAKES = np.geomspace(0.02, 0.98, 8)
"""Parts of the largest bet that cannot lose everything. Best is the mean over the variance: where two models disagree
on a quarter of the samples, four times their difference, so these are best from half a point to 25 points."""
_MOST_LOG = 600.0


@dataclass(frozen=True, eq=False)
class Bets:
    """Values in the order in which they were asked, to be bet on; see `bets`.

    Parameters
    ----------
    sums, sizes
        Of each cluster, in order, both of shape (n_clusters,).
    ends
        How many samples had been asked once a cluster was, shape (n_clusters,).
    low, high
        The scale's ends.
    largest
        Samples of the largest cluster that might have come.
    """

    sums: NDArray[np.float64]
    sizes: NDArray[np.float64]
    ends: NDArray[np.int64]
    low: float
    high: float
    largest: float

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean of all samples up to each cluster, shape (n_clusters,)."""
        found: NDArray[np.float64] = np.cumsum(self.sums) / np.cumsum(self.sizes)
        return found

    def p_above(self, limit: float) -> NDArray[np.float64]:
        """The p-value against "the mean is at most `limit`" after each cluster, shape (n_clusters,).

        It is 1 over the most that was ever held, and valid at any time.
        """
        if not self.low < limit or not math.isfinite(self.high - self.low):
            return np.ones(self.sums.size)
        held = _log_held((self.sums - self.sizes * limit) / (self.largest * (limit - self.low)))
        found: NDArray[np.float64] = np.exp(-np.clip(np.maximum.accumulate(held), 0.0, _MOST_LOG))
        return found

    def p_below(self, limit: float) -> NDArray[np.float64]:
        """After each cluster, the p-value against "the mean is at least `limit`"."""
        return self.turned.p_above(-limit)

    @property
    def turned(self) -> Bets:
        """The same values with their signs changed."""
        return Bets(-self.sums, self.sizes, self.ends, -self.high, -self.low, self.largest)

    def limit(self, alpha: float, *, ever: bool = False) -> float:
        """The lower confidence limit at `1 - alpha` after all values; it holds wherever one stopped.

        Parameters
        ----------
        ever
            The highest limit that was ever reached, as the p-values go by it; the values are then to stand in the order
            in which they were asked.
        """
        if not self.sums.size or not math.isfinite(self.high - self.low):
            return self.low
        wanted = -math.log(alpha)

        def held(limit: float) -> float:
            step = (self.sums - self.sizes * limit) / (self.largest * (limit - self.low))
            found = _log_held(step)
            return float(found.max() if ever else found[-1]) - wanted

        width = self.high - self.low
        first, last = self.low + 1e-9 * width, self.high
        if held(first) <= 0.0:
            return self.low
        return last if held(last) > 0.0 else find_root(held, first, last, tolerance=1e-6 * width)


def _log_held(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of what is held after each value, of which each is a part of the largest loss; shape (n,)."""
    if not steps.size:
        return np.empty(0)
    # A bet that loses all but nothing by rounding is as good as lost.
    each = np.cumsum(np.log1p(np.maximum(_STAKES[:, None] * steps[None, :], -1.0 + 1e-12)), axis=1)
    most = each.max(axis=0)
    held: NDArray[np.float64] = most + np.log(np.exp(each - most).mean(axis=0))
    return held


def bets(
    values: ArrayLike,
    low: float,
    high: float,
    *,
    clusters: ArrayLike | None = None,
    places: ArrayLike | None = None,
    largest: int | None = None,
) -> Bets:
    """Values between `low` and `high` as they are bet on; clusters stand where their last sample does.

    The sum of a cluster is one value: its share of the largest cluster's, so that a bet cannot lose more than all. That
    the clusters come in a random order is what makes the test hold; samples of a cluster may resemble each other.

    Parameters
    ----------
    values
        One finite value a sample, shape (n,).
    clusters
        One label a sample, shape (n,); None if all samples are independent.
    places
        How many samples had been asked before each, shape (n,); by default they stand in order.
    largest
        Samples of the largest cluster that might have come; by default of those that came.

    Raises
    ------
    ValueError
        If a value is missing or outside the scale.

    Examples
    --------
    A hundred right answers in a row show an accuracy above one half after the eighth at the level 0.05:

    >>> shown = bets([1.0] * 100, 0, 1).p_above(0.5) <= 0.05
    >>> int(shown.argmax()) + 1
    8

    Passages of four questions are one value each:

    >>> int((bets([1.0] * 100, 0, 1, clusters=[i // 4 for i in range(100)]).p_above(0.5) <= 0.05).argmax()) + 1
    8
    """
    array = check_values("values", values)
    beyond = array[(array < low - 1e-9) | (array > high + 1e-9)]
    if beyond.size:
        raise ValueError(f"values has {beyond.size} outside the scale, {low:g} to {high:g}, such as {beyond[0]:g}.")
    at = np.arange(array.size) if places is None else np.asarray(places, dtype=np.int64)
    if clusters is None:
        order = np.argsort(at, kind="stable")
        sums, sizes, ends = array[order], np.ones(array.size), at[order] + 1
    else:
        labels = np.asarray(clusters)
        _, codes = np.unique(labels, return_inverse=True)
        sums, sizes = (cluster_sums(one, labels)[0] for one in (array, np.ones(array.size)))
        last = np.zeros(sums.size, dtype=np.int64)
        np.maximum.at(last, codes, at + 1)
        order = np.argsort(last, kind="stable")
        sums, sizes, ends = sums[order], sizes[order], last[order]
    most = float(max(largest or 1, sizes.max(initial=1.0)))
    return Bets(sums, sizes, ends, float(low), float(high), most)


def betting_interval(
    values: ArrayLike, low: float, high: float, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Interval of a mean that holds however the number of samples was decided on: a confidence sequence's last.

    Examples
    --------
    >>> print(betting_interval([1.0] * 60 + [0.0] * 40, 0, 1))
    0.6000 [0.4379, 0.7482] (95% betting, n=100)
    """
    array = check_values("values", values)
    if not array.size:
        return Interval.unknown(None, level=level, method="betting", n=0, reason="no samples")
    known = bets(array, low, high, clusters=clusters)
    half, mean = (1.0 - level) / 2.0, float(array.mean())
    limits = min(known.limit(half), mean), max(-known.turned.limit(half), mean)
    return Interval(mean, *limits, level=level, method="betting", n=array.size)
