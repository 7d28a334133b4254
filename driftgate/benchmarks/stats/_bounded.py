"""Tests of a mean of values on a known scale that worse values never improve.

Student's t and its cluster-robust forms estimate a spread from the values. A value that falls can lower the spread by
more than the mean, and values that are all alike have no spread at all: so one more wrong answer could turn "not
shown" into "shown". The test here has no such switch. It adds one value at the worse end of the scale to those that
were seen, weighs all by random weights that add up to 1, and asks how often the weighted mean lies on the wrong side
of the limit. Every value enters it with a weight above 0, so that a worse value can only raise the p-value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_fraction, check_values
from ._cluster import cluster_sums
from ._interval import Interval
from ._root import find_root
from ._weighted_sum import chance_not_positive

__all__ = ["BoundedMean", "bounded_mean", "p_difference_above"]

_FINE = 1024
"""So many different values are summed over at most; more are shared out between neighbours on a grid so fine."""
_MOST_SAMPLES = 10_000_000
_GRID = 64


@dataclass(frozen=True, eq=False)
class BoundedMean:
    """A mean with its tests, or the reason why there are none; see `bounded_mean`.

    Parameters
    ----------
    estimate
        The mean over all samples; None if there are none.
    n, n_clusters
        How many samples and how many clusters; without clusters, every sample is its own.
    low, high
        The scale's ends.
    sums, weights
        Of each cluster, both of shape (n_clusters,).
    reason
        Why there is no test.
    """

    estimate: float | None
    n: int
    n_clusters: int
    low: float
    high: float
    sums: NDArray[np.float64] = field(repr=False)
    weights: NDArray[np.float64] = field(repr=False)
    reason: str | None = None

    def p_above(self, value: float) -> float | None:
        """The one-sided p-value against "the mean is at most `value`"; None without a test."""
        return None if self.reason is not None else self._chance(value)

    def p_below(self, value: float) -> float | None:
        """The one-sided p-value against "the mean is at least `value`"; None without a test."""
        return None if self.reason is not None else self._turned._chance(-value)

    def quantile(self, probability: float) -> float | None:
        """The one-sided limit: a lower one at ``1 - probability`` up to one half, else an upper one; None without."""
        check_fraction("probability", probability)
        if self.reason is not None:
            return None
        return self._limit(probability) if probability <= 0.5 else -self._turned._limit(1.0 - probability)

    def interval(self, level: float = 0.95) -> Interval:
        """The two one-sided limits together, in the values' unit."""
        low, high = self.quantile((1.0 - level) / 2.0), self.quantile((1.0 + level) / 2.0)
        if self.estimate is not None and low is not None and high is not None:
            low, high = min(low, self.estimate), max(high, self.estimate)
        return Interval(self.estimate, low, high, level=level, method=self.method, n=self.n, reason=self.reason)

    def pull(self, distance: float) -> float:
        """How far a value that is added at such a distance from the mean moves it."""
        return self._end * distance / (float(self.weights.sum()) + self._end)

    @property
    def method(self) -> str:
        """The test's name."""
        return "gaffke" if self.n_clusters == self.n else "gaffke-clusters"

    @cached_property
    def standard_error(self) -> float:
        """Of the mean, from the spread of the clusters' sums; 0 where all agree."""
        if self.estimate is None or self.n_clusters < 2:
            return 0.0
        residuals = self.sums - self.weights * self.estimate
        corrected = float(residuals @ residuals) * self.n_clusters / (self.n_clusters - 1.0)
        error = math.sqrt(corrected) / float(self.weights.sum())
        return error if error > 1e-12 * float(np.abs(self.sums).max()) else 0.0

    def detectable(self, value: float, *, above: bool, alpha: float = 0.05, power: float = 0.8) -> float | None:
        """How far on that side of `value` the true mean must lie to be shown there with probability `power`.

        The values are moved to where the true mean would put them, less what chance takes in one of ``1 - power``
        samples. Where all clusters agree, the limit's own distance stands for the spread nobody saw.

        Returns
        -------
        float or None
            None if even the end of the scale would not be shown, or without a test.
        """
        if not above:
            return self._turned.detectable(-value, above=True, alpha=alpha, power=power)
        if self.reason is not None or self.estimate is None:
            return None
        estimate, most = self.estimate, self.high - value

        def reach(loss: float) -> float | None:
            return _least(lambda e: self._chance(value, moved=value + e - loss - estimate) <= alpha, most)

        z, error = _z(power), self.standard_error
        if not error:
            width = reach(0.0)
            error = 0.0 if width is None else width / _z(1.0 - alpha)
        return reach(z * error)

    def needed(self, value: float, *, alpha: float = 0.05, power: float = 0.8) -> int | None:
        """Samples, in clusters like these, that show the mean's side of `value` if the truth is as observed.

        Returns
        -------
        int or None
            With probability `power`; None where no number up to ten millions would, or without a test.
        """
        if self.reason is not None or self.estimate is None or self.estimate == value:
            return None
        if self.estimate < value:
            return self._turned.needed(-value, alpha=alpha, power=power)
        lost = _z(power) * self.standard_error

        def shown(logarithm: float) -> bool:
            copies = math.exp(logarithm)
            return self._chance(value, moved=-lost / math.sqrt(copies), copies=copies) <= alpha

        low, high = math.log(1.0 / self.n_clusters), math.log(_MOST_SAMPLES / self.n)
        if high <= low or not shown(high):
            return None
        found = _least(lambda step: shown(low + step), high - low)
        return None if found is None else math.ceil(round(math.exp(low + found) * self.n, 3))

    def clusters_to_show(self, value: float, *, above: bool, alpha: float = 0.05) -> int | None:
        """How many clusters like these would show the mean on that side of `value` if all values were at their best.

        Returns
        -------
        int or None
            None if these are enough, or without a test.

        Examples
        --------
        Ten passages of four questions cannot show an accuracy above 0.9 even without a mistake, for 0.9 to the tenth is
        0.35:

        >>> ten = bounded_mean([1.0] * 40, 0, 1, clusters=[n // 4 for n in range(40)])
        >>> ten.clusters_to_show(0.9, above=True), ten.clusters_to_show(0.7, above=True)
        (29, None)
        """
        if not above:
            return self._turned.clusters_to_show(-value, above=True, alpha=alpha)
        if self.reason is not None or not self.low < value < self.high:
            return None
        perfect = replace(self, estimate=self.high, sums=self.weights * self.high)
        if perfect._chance(value) <= alpha:
            return None
        most = math.log(_MOST_SAMPLES / self.n)
        found = _least(lambda step: perfect._chance(value, copies=math.exp(step)) <= alpha, most)
        return None if found is None else math.ceil(round(math.exp(found) * self.n_clusters, 3))

    @cached_property
    def _turned(self) -> BoundedMean:
        """The same values with their signs changed, whose lower side is the upper one of these."""
        estimate = None if self.estimate is None else -self.estimate
        return BoundedMean(
            estimate, self.n, self.n_clusters, -self.high, -self.low, -self.sums, self.weights, self.reason
        )

    @cached_property
    def _end(self) -> float:
        """Weight of the value that is added: the cluster that a sample stands in, on average."""
        return float(self.weights @ self.weights) / float(self.weights.sum())

    def _chance(self, value: float, *, moved: float = 0.0, copies: float = 1.0) -> float:
        """How often the randomly weighted mean is at most `value`.

        Parameters
        ----------
        moved
            What is added to every value that was seen.
        copies
            How often each cluster is taken to have been seen.
        """
        factors, found = np.unique(self.sums + self.weights * (moved - value), return_counts=True)
        counts = found.astype(np.float64)
        if factors.size > _FINE:
            # A value between two of the grid becomes part of either, by how near it is: the mean stays what it is, and
            # what rises moves weight to the upper one.
            step = (self.high - self.low) * self._end / _FINE
            places = np.floor(factors / step)
            shares, below = factors / step - places, (places - places[0]).astype(np.int64)
            each = np.zeros(below[-1] + 2)
            np.add.at(each, below, counts * (1.0 - shares))
            np.add.at(each, below + 1, counts * shares)
            factors, counts = (places[0] + np.flatnonzero(each)) * step, each[each > 0.0]
        added = self._end * (self.low - value)
        return chance_not_positive(np.append(factors, added), np.append(counts * copies, 1.0))

    def _limit(self, probability: float) -> float:
        if self._chance(self.low) > probability:  # all lie at the end itself
            return self.low
        width = self.high - self.low
        return find_root(lambda v: self._chance(v) - probability, self.low, self.high, tolerance=1e-9 * width)


def bounded_mean(
    values: ArrayLike,
    low: float,
    high: float,
    *,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> BoundedMean:
    r"""Mean of values between `low` and `high`, with Gaffke's test of it.

    The test of "above m" adds to the clusters' sums :math:`s_g` and weights :math:`w_g` one cluster that lies at `low`
    and weighs :math:`\bar w = \sum w_g^2 / \sum w_g`, as much as the cluster that a sample stands in does on average,
    and draws independent exponential :math:`E`:

    .. math:: p = P\Big(\sum_g E_g (s_g - w_g m) + E_0 \bar w (l - m) \le 0\Big)

    Without clusters this is the p-value of Gaffke [1]_, whose confidence limit is that of Learned-Miller and Thomas
    [2]_. Of 0 and 1 it is the exact binomial test, of paired differences of right and wrong against 0 McNemar's exact
    one. That its level holds for every distribution on the scale is proved for two values and a conjecture for more
    [2]_, to which nobody knows an exception; [3]_ prove a bound of the same kind. With clusters all alike it counts
    clusters, :math:`(\sum w_g)^2 / \sum w_g^2` of them (Kish 1965), not samples.

    Whatever the values, a lower one never lowers the p-value of "above", nor raises that of "below".

    Parameters
    ----------
    values
        One finite value a sample, shape (n,): outcomes, grades, or paired differences.
    low, high
        The least and the greatest value that a sample can have; infinite where nobody knows.
    clusters
        One label a sample, shape (n,); None if all samples are independent.
    weights
        What each sample weighs in the mean, positive, shape (n,); None if all weigh the same.

    Returns
    -------
    BoundedMean
        Without tests if there are fewer than two samples (or clusters), or if an end of the scale is not known.

    Raises
    ------
    ValueError
        If a value or a label is missing or outside the scale, their numbers differ, or a weight is not positive.

    References
    ----------
    .. [1] Gaffke (2005). Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
       variable. Mathematical Methods of Statistics 14(4), 451-467.
    .. [2] Learned-Miller, Thomas (2019). A new confidence interval for the mean of a bounded random variable.
       arXiv:1905.06208.
    .. [3] Phan, Thomas, Learned-Miller (2021). Towards practical mean bounds for small samples. arXiv:2106.03163.

    Examples
    --------
    Grades of 1 to 5:

    >>> mean = bounded_mean([4, 5, 3, 4, 4, 5, 2, 4] * 5, 1, 5)
    >>> round(mean.p_above(3.5), 4), round(mean.quantile(0.05), 4)
    (0.0328, 3.5357)

    Nobody differs in 180 samples, and in 60 passages of three; a loss of two points can be excluded in one case:

    >>> same = [0.0] * 180
    >>> round(bounded_mean(same, -1, 1).p_above(-0.02), 4)
    0.0263
    >>> round(bounded_mean(same, -1, 1, clusters=[i // 3 for i in range(180)]).p_above(-0.02), 4)
    0.2976
    """
    array = check_values("values", values)
    each = np.ones_like(array) if weights is None else check_values("weights", weights)
    if each.size != array.size or not (each > 0.0).all():
        raise ValueError(f"weights has {each.size} values for {array.size} samples; expected a positive one for each.")
    beyond = array[(array < low - 1e-9) | (array > high + 1e-9)]
    if beyond.size:
        raise ValueError(
            f"values has {beyond.size} of {array.size} outside the scale, {low:g} to {high:g}, such as {beyond[0]:g}."
        )
    sums, sizes = (cluster_sums(summed, clusters)[0] for summed in (each * array, each))
    n, count, unit = array.size, sizes.size, "samples" if clusters is None else "clusters"
    reason = None
    if not n:
        reason = "no samples"
    elif count < 2:
        reason = f"only 1 {unit[:-1]}: how {unit} vary cannot be told"
    elif not (math.isfinite(low) and math.isfinite(high)):
        reason = "the scale is not declared: give its least and its greatest value, such as scale: [1, 5]"
    estimate = float(sums.sum() / sizes.sum()) if n else None
    return BoundedMean(estimate, n, count, float(low), float(high), sums, sizes, reason)


def p_difference_above(ours: BoundedMean, theirs: BoundedMean, value: float) -> float | None:
    """The one-sided p-value against "our mean less theirs is at most `value`", of means that share no sample.

    Ours is weighed with a value at its low end, theirs with one at its high end, and the chance that the two weighted
    means differ by `value` or less is summed over theirs. Of 0 and 1 against 0 this is Fisher's exact test [1]_.

    Returns
    -------
    float or None
        None if either mean has no test.

    References
    ----------
    .. [1] Altham (1969). Exact Bayesian analysis of a 2x2 contingency table, and Fisher's "exact" significance test.
       Journal of the Royal Statistical Society B 31, 261-269.

    Examples
    --------
    >>> ours, theirs = bounded_mean([1] * 17 + [0] * 3, 0, 1), bounded_mean([1] * 9 + [0] * 11, 0, 1)
    >>> round(p_difference_above(ours, theirs, 0.0), 4)
    0.0094
    """
    if ours.reason is not None or theirs.reason is not None:
        return None
    turned = theirs._turned
    # Theirs lies between these but for two chances in a million.
    first, last = -turned._limit(1.0 - 1e-6), -turned._limit(1e-6)
    places = np.linspace(first, last, _GRID + 1)
    within = np.array([1.0, *(turned._chance(-place) for place in places[1:-1]), 0.0])
    ours_below = np.array([ours._chance(place + value) for place in places])
    # The parts sum to 1 in exact arithmetic only.
    return min(1.0, max(0.0, float(-np.diff(within) @ (ours_below[:-1] + ours_below[1:]) / 2.0)))


def _least(true: Callable[[float], bool], most: float) -> float | None:
    """The least number up to `most` from which on something is true; None if it is not even there."""
    if not true(most):
        return None
    low, high = 0.0, most
    while high - low > 1e-5 * most:
        middle = (low + high) / 2.0
        low, high = (low, middle) if true(middle) else (middle, high)
    return high


def _z(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))
