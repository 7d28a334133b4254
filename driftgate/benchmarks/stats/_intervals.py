"""Intervals for one score: a proportion, a clustered proportion, a macro average, a mean, a quantile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_count, check_fraction, check_outcomes, check_values
from ._cluster import cluster_mean
from ._interval import Interval

__all__ = ["clustered_interval", "macro_interval", "mean_interval", "quantile_interval", "wilson_interval"]


def wilson_limits(right: float, n: float, level: float) -> tuple[float, float]:
    """Wilson's limits; neither number need be whole."""
    from scipy.special import ndtri

    share, squared = right / n, float(ndtri((1.0 + level) / 2.0)) ** 2
    middle = share + squared / (2.0 * n)
    half = math.sqrt(squared * (share * (1.0 - share) / n + squared / (4.0 * n**2)))
    whole = 1.0 + squared / n
    # At 0 and n the limit is exact in theory and off by a rounding error in floating point.
    low = 0.0 if right <= 0 else max(0.0, (middle - half) / whole)
    return low, 1.0 if right >= n else min(1.0, (middle + half) / whole)


def _wilson_of_error(share: float, error: float, freedom: float, level: float) -> tuple[float, float]:
    """Wilson's limits for as many independent samples as have this standard error, fewer for t's heavier tails."""
    from scipy.special import ndtri, stdtrit

    tail = (1.0 + level) / 2.0
    ratio = float(ndtri(tail) / stdtrit(freedom, tail))
    effective = share * (1.0 - share) / error**2 * ratio**2
    return wilson_limits(share * effective, effective, level)


def wilson_interval(right: SupportsIndex, n: SupportsIndex, *, level: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion of independent samples.

    It keeps its coverage where the textbook interval fails: few samples, and proportions near 0 and 1 [2]_.

    Parameters
    ----------
    right, n
        How many of how many samples are right.
    level
        Nominal coverage.

    Returns
    -------
    Interval
        Without limits if `n` is 0. One sample, or all alike, still have an (honestly wide) interval.

    Raises
    ------
    ValueError
        If a count is negative, not whole, or `right` exceeds `n`; if `level` is not within (0, 1).

    References
    ----------
    .. [1] Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.
    .. [2] Brown, Cai, DasGupta (2001). Interval estimation for a binomial proportion. Statistical Science 16(2),
       101-133.

    Examples
    --------
    Newcombe's (1998) example of 81 in 263:

    >>> print(wilson_interval(81, 263))
    0.3080 [0.2553, 0.3662] (95% wilson, n=263)
    >>> print(wilson_interval(1, 1))
    1.0000 [0.2065, 1.0000] (95% wilson, n=1)
    """
    check_fraction("level", level)
    total = check_count("n", n)
    count = check_count("right", right, most=total)
    if total == 0:
        return Interval.unknown(None, level=level, method="wilson", n=0, reason="no samples")
    low, high = wilson_limits(count, total, level)
    return Interval(count / total, low, high, level=level, method="wilson", n=total)


def clustered_interval(outcomes: ArrayLike, clusters: ArrayLike, *, level: float = 0.95) -> Interval:
    r"""Interval for a proportion whose samples share passages or subjects.

    The CR2 standard error of `cluster_mean` gives the number of independent samples that would be as precise,
    :math:`n^* = \hat p (1 - \hat p) / \mathrm{SE}^2`; this is reduced by :math:`(z / t)^2` for the degrees of freedom
    and put into Wilson's interval [1]_ [2]_. So it never leaves [0, 1], and equals Wilson's as clusters become single
    samples.

    If all outcomes are alike, or those that are not stand in a cluster or two, no design effect can be estimated; the
    interval then assumes the worst one, that samples of a cluster always agree, and counts clusters
    (``n**2 / sum(size**2)`` of them) instead of samples.

    The interval speaks of new clusters like these. A score meant for exactly these subjects (KMMLU's 45) has strata,
    not clusters: use `macro_interval` or, for the micro average, `wilson_interval`.

    Parameters
    ----------
    outcomes
        0 or 1 a sample, shape (n,).
    clusters
        One label a sample, shape (n,).
    level
        Nominal coverage.

    Returns
    -------
    Interval
        Without limits if there are no samples, one cluster, or all clusters have exactly the same rate.

    Raises
    ------
    ValueError
        If an outcome is not 0 or 1, a label is missing, or their numbers differ.

    References
    ----------
    .. [1] Korn, Graubard (1998). Confidence intervals for proportions with small expected number of positive counts
       estimated from survey data. Survey Methodology 24(2), 193-201.
    .. [2] Dean, Pagano (2015). Evaluating confidence interval methods for binomial proportions in clustered surveys.
       Journal of Survey Statistics and Methodology 3(4), 484-503.

    Examples
    --------
    >>> right = [1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1]
    >>> passage = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "d"]
    >>> print(clustered_interval(right, passage))
    0.5833 [0.1841, 0.8968] (95% wilson-cr2, n=12)
    >>> print(wilson_interval(7, 12))
    0.5833 [0.3195, 0.8067] (95% wilson, n=12)
    """
    check_fraction("level", level)
    array = check_outcomes("outcomes", outcomes)
    mean = cluster_mean(array, clusters)
    share = mean.estimate
    few = share in (0.0, 1.0) or (mean.standard_error is not None and mean.degrees_of_freedom is None)
    if share is not None and few and mean.n_clusters > 1:
        low, high = wilson_limits(share * mean.effective_clusters, mean.effective_clusters, level)
        return Interval(share, low, high, level=level, method="wilson-kish", n=mean.n)
    if share is None or mean.standard_error is None or mean.degrees_of_freedom is None:
        reason = mean.reason or "no samples"
        return Interval.unknown(share, level=level, method="wilson-cr2", n=mean.n, reason=reason)
    low, high = _wilson_of_error(share, mean.standard_error, mean.degrees_of_freedom, level)
    return Interval(share, low, high, level=level, method="wilson-cr2", n=mean.n)


def macro_interval(right: Sequence[int], n: Sequence[int], *, level: float = 0.95) -> Interval:
    r"""Interval for the macro average: the mean of the categories' proportions, each category weighing the same.

    The categories are strata: their samples vary, the set of categories does not. The stratified standard error
    :math:`\frac 1 K \sqrt{\sum_k p_k (1 - p_k) / (n_k - 1)}` [1]_ with Satterthwaite's degrees of freedom [2]_ is put
    into Wilson's interval as in `clustered_interval`, so the interval never leaves [0, 1].

    If every category is perfect (or hopeless) that error is 0; the interval then is Wilson's for the
    ``K**2 / sum(1 / n_k)`` samples that categories of one common proportion are worth.

    Parameters
    ----------
    right, n
        How many are right of how many, one entry a category.
    level
        Nominal coverage.

    Returns
    -------
    Interval
        Without limits if there is no category, one has fewer than two samples (without any, there is no estimate
        either), or some categories are perfect and all others hopeless.

    Raises
    ------
    ValueError
        If the lengths differ or a count is impossible.

    References
    ----------
    .. [1] Cochran (1977). Sampling Techniques, 3rd ed., section 5.3.
    .. [2] Satterthwaite (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin 2,
       110-114.

    Examples
    --------
    >>> print(macro_interval([70, 30, 9], [100, 60, 10]))
    0.7000 [0.6060, 0.7797] (95% wilson-stratified, n=170)
    """
    check_fraction("level", level)
    if len(right) != len(n):
        raise ValueError(
            f"right has {len(right)} categories and n {len(n)}; expected one entry for each category in both."
        )
    totals = [check_count(f"n[{k}]", total) for k, total in enumerate(n)]
    counts = [check_count(f"right[{k}]", count, most=totals[k]) for k, count in enumerate(right)]
    method, samples, categories = "wilson-stratified", sum(totals), len(totals)
    if not categories or min(totals) == 0:
        reason = f"{totals.count(0)} of {categories} categories have no samples" if categories else "no categories"
        return Interval.unknown(None, level=level, method=method, n=samples, reason=reason)
    sizes = np.array(totals, dtype=np.float64)
    rates = np.array(counts, dtype=np.float64) / sizes
    macro = float(rates.mean())
    if macro in (0.0, 1.0):
        effective = categories**2 / float((1.0 / sizes).sum())
        low, high = wilson_limits(macro * effective, effective, level)
        return Interval(macro, low, high, level=level, method=method, n=samples)
    if min(totals) < 2:
        reason = f"{totals.count(1)} of {categories} categories have 1 sample: each needs at least 2"
        return Interval.unknown(macro, level=level, method=method, n=samples, reason=reason)
    parts = rates * (1.0 - rates) / (sizes - 1.0) / categories**2
    variance = float(parts.sum())
    if variance == 0.0:
        reason = "every category is all right or all wrong: the variance within cannot be estimated"
        return Interval.unknown(macro, level=level, method=method, n=samples, reason=reason)
    freedom = variance**2 / float((parts**2 / (sizes - 1.0)).sum())
    low, high = _wilson_of_error(macro, math.sqrt(variance), freedom, level)
    return Interval(macro, low, high, level=level, method=method, n=samples)


def mean_interval(values: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Interval:
    """Student's t interval for the mean of a graded score (a judge's 1 to 5, a chrF, a cost).

    Parameters
    ----------
    values
        One finite value a sample, shape (n,).
    clusters
        One label a sample, shape (n,), for the cluster-robust standard error of `cluster_mean`; None if independent.
    level
        Nominal coverage.

    Returns
    -------
    Interval
        In the values' unit. Without limits if there are fewer than two samples (or clusters) or all of them are equal:
        a sample variance of zero is not evidence of no variance.

    Raises
    ------
    ValueError
        If a value is NaN or infinite.

    References
    ----------
    .. [1] Student (1908). The probable error of a mean. Biometrika 6(1), 1-25.

    Examples
    --------
    >>> print(mean_interval([4, 5, 3, 4, 4, 5, 2, 4]))
    3.8750 [3.0465, 4.7035] (95% t, n=8)
    >>> print(mean_interval([4, 4, 4]))
    4.0000 (all 3 samples agree exactly: their variance cannot be estimated; t, n=3)
    """
    check_fraction("level", level)
    method = "t" if clusters is None else "t-cr2"
    mean = cluster_mean(values, clusters)
    low, high = mean.quantile((1.0 - level) / 2.0), mean.quantile((1.0 + level) / 2.0)
    return Interval(mean.estimate, low, high, level=level, method=method, n=mean.n, reason=mean.reason)


def quantile_interval(values: ArrayLike, probability: float, *, level: float = 0.95, repeats: float = 1.0) -> Interval:
    """Distribution-free interval for a quantile, such as the latency's p50 or p95, from order statistics.

    The number of values below the true quantile is binomial, which tells how many ranks away from the sample's quantile
    the true one can be [1]_. The coverage is at least `level` for independent values of any distribution.

    Parameters
    ----------
    values
        One finite value a sample, shape (n,).
    probability
        Which quantile, 0.95 for p95.
    level
        Nominal coverage.
    repeats
        How many of the values stand together, as the latencies of one question that is asked again; only so many
        samples are then counted as there are questions, as if those of one were all alike.

    Returns
    -------
    Interval
        In the values' unit. Without limits if the sample is too small to hold them: p95 needs 72 values at 95%.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, or `probability` is not within (0, 1).

    References
    ----------
    .. [1] Conover (1999). Practical Nonparametric Statistics, 3rd ed., section 3.2.

    Examples
    --------
    >>> latencies = [100 + 7 * i % 400 for i in range(200)]
    >>> print(quantile_interval(latencies, 0.95))
    477.0500 [463.0000, 492.0000] (95% order-statistics, n=200)
    >>> quantile_interval(latencies[:71], 0.95).reason
    'the p95 needs at least 72 samples at level 0.95'
    """
    check_fraction("level", level)
    check_fraction("probability", probability)
    array = check_values("values", values)
    method = "order-statistics"
    if array.size == 0:
        return Interval.unknown(None, level=level, method=method, n=0, reason="no samples")
    from scipy.special import bdtr, bdtrc

    estimate = float(np.quantile(array, probability))
    # How many values lie below the true quantile is binomial: leave out (1 - level) / 2 of it on each side.
    samples = max(1, int(array.size / repeats))
    counts, tail = np.arange(samples + 1), (1.0 - level) / 2.0
    first = int(np.searchsorted(bdtr(counts, samples, probability), tail)) - 1
    last = int((bdtrc(counts, samples, probability) > tail).sum())
    if first < 0 or last >= samples:
        # Both extremes must be able to lie outside: p**n and (1 - p)**n at most (1 - level) / 2.
        needed = math.ceil(math.log((1.0 - level) / 2.0) / math.log(max(probability, 1.0 - probability)))
        reason = f"the p{100 * probability:g} needs at least {needed} samples at level {level:g}"
        return Interval.unknown(estimate, level=level, method=method, n=samples, reason=reason)
    if samples < array.size:  # the same places, among the values of all repeats
        first, last = int(first * array.size / samples), min(array.size - 1, -(-(last + 1) * array.size // samples) - 1)
    low, high = np.partition(array, (first, last))[[first, last]]
    return Interval(estimate, float(low), float(high), level=level, method=method, n=samples)
