"""One-sided tests of one score against a fixed threshold: a gate's absolute rules."""

from __future__ import annotations

from typing import Literal, SupportsIndex

from numpy.typing import ArrayLike

from ._bounded import bounded_mean
from ._checks import check_count, check_fraction, check_outcomes
from ._cluster import cluster_mean
from ._margin import OneSidedTest, one_sided_mean

__all__ = [
    "above_threshold",
    "above_threshold_clustered",
    "below_threshold",
    "below_threshold_clustered",
    "mean_above_threshold",
    "mean_below_threshold",
]


def _exact(
    right: SupportsIndex, n: SupportsIndex, threshold: float, side: Literal["above", "below"], *, alpha: float
) -> OneSidedTest:
    from scipy.special import bdtr, bdtrc, betaincinv

    check_fraction("alpha", alpha)
    check_fraction("threshold", threshold)
    total = check_count("n", n)
    count = check_count("right", right, most=total)
    method = "binomial-exact"
    if total == 0:
        return OneSidedTest(None, side, threshold, None, None, None, alpha, n=0, method=method, reason="no samples")
    if side == "above":
        p_value = float(bdtrc(count - 1.0, total, threshold)) if count else 1.0
        bound = float(betaincinv(count, total - count + 1, alpha)) if count else 0.0
    else:
        p_value = float(bdtr(float(count), total, threshold))
        bound = float(betaincinv(count + 1, total - count, 1.0 - alpha)) if count < total else 1.0
    return OneSidedTest(p_value <= alpha, side, threshold, count / total, bound, p_value, alpha, n=total, method=method)


def above_threshold(right: SupportsIndex, n: SupportsIndex, threshold: float, *, alpha: float = 0.05) -> OneSidedTest:
    """Show that a proportion of independent samples exceeds a threshold (exact binomial test).

    Exact, so that a candidate exactly at the threshold passes in at most `alpha` of all runs, whatever n.

    Parameters
    ----------
    right, n
        How many of how many samples are right.
    threshold
        The proportion to exceed.
    alpha
        One-sided level.

    Returns
    -------
    OneSidedTest
        Its bound is Clopper and Pearson's [1]_; `shown` is None without samples.

    Raises
    ------
    ValueError
        If a count is impossible, or threshold or level are not within (0, 1).

    References
    ----------
    .. [1] Clopper, Pearson (1934). The use of confidence or fiducial limits illustrated in the case of the binomial.
       Biometrika 26, 404-413.

    Examples
    --------
    >>> test = above_threshold(380, 500, 0.7)
    >>> test.shown, round(test.p_value, 5), round(test.bound, 4)
    (True, 0.00168, 0.7265)
    >>> above_threshold(1, 1, 0.7).shown
    False
    """
    return _exact(right, n, threshold, "above", alpha=alpha)


def below_threshold(right: SupportsIndex, n: SupportsIndex, threshold: float, *, alpha: float = 0.05) -> OneSidedTest:
    """Show that a proportion of independent samples lies below a threshold; else as `above_threshold`.

    Examples
    --------
    >>> below_threshold(320, 500, 0.7).shown
    True
    """
    return _exact(right, n, threshold, "below", alpha=alpha)


def _clustered(
    outcomes: ArrayLike, clusters: ArrayLike, threshold: float, side: Literal["above", "below"], *, alpha: float
) -> OneSidedTest:
    check_fraction("threshold", threshold)
    mean = bounded_mean(check_outcomes("outcomes", outcomes), 0.0, 1.0, clusters=clusters)
    return one_sided_mean(mean, threshold, side, alpha=alpha, method=mean.method)


def above_threshold_clustered(
    outcomes: ArrayLike, clusters: ArrayLike, threshold: float, *, alpha: float = 0.05
) -> OneSidedTest:
    """Show that a proportion exceeds a threshold where samples share passages or subjects.

    Gaffke's test of the clusters' sums, see `bounded_mean`; clusters all alike count as one sample each.

    Parameters
    ----------
    outcomes
        0 or 1 a sample, shape (n,).
    clusters
        One label a sample, shape (n,).
    threshold
        The proportion to exceed.
    alpha
        One-sided level.

    Returns
    -------
    OneSidedTest
        `shown` is None with fewer than two clusters.

    Raises
    ------
    ValueError
        If an outcome is not 0 or 1, a label is missing, or threshold or level are out of range.

    Examples
    --------
    Thirty of forty are right either way, but in passages of five they are little evidence against one half:

    >>> right = [1] * 30 + [0] * 10
    >>> test = above_threshold_clustered(right, [i // 5 for i in range(40)], 0.5)
    >>> test.shown, round(test.p_value, 3), round(above_threshold(30, 40, 0.5).p_value, 3)
    (False, 0.145, 0.001)
    """
    return _clustered(outcomes, clusters, threshold, "above", alpha=alpha)


def below_threshold_clustered(
    outcomes: ArrayLike, clusters: ArrayLike, threshold: float, *, alpha: float = 0.05
) -> OneSidedTest:
    """Show that a proportion lies below a threshold; else as `above_threshold_clustered`.

    Examples
    --------
    >>> below_threshold_clustered([1] * 30 + [0] * 10, [i // 2 for i in range(40)], 0.95).shown
    True
    """
    return _clustered(outcomes, clusters, threshold, "below", alpha=alpha)


def mean_above_threshold(
    values: ArrayLike, threshold: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> OneSidedTest:
    """Show that the mean of a graded score exceeds a threshold (Student's t).

    Parameters
    ----------
    values
        One finite value a sample, shape (n,).
    threshold
        The mean to exceed, in the values' unit.
    clusters
        One label a sample, for the cluster-robust standard error of `cluster_mean`; None if independent.
    alpha
        One-sided level.

    Returns
    -------
    OneSidedTest
        `shown` is None if there are fewer than two samples (or clusters) or they all agree.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, or a label is missing.

    Examples
    --------
    >>> test = mean_above_threshold([4, 5, 3, 4, 4, 5, 2, 4], 3.0)
    >>> test.shown, round(test.p_value, 4), round(test.bound, 4)
    (True, 0.0206, 3.2112)
    """
    method = "t" if clusters is None else "t-cr2"
    return one_sided_mean(cluster_mean(values, clusters), threshold, "above", alpha=alpha, method=method)


def mean_below_threshold(
    values: ArrayLike, threshold: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> OneSidedTest:
    """Show that a mean lies below a threshold; else as `mean_above_threshold`.

    Examples
    --------
    >>> mean_below_threshold([4, 5, 3, 4, 4, 5, 2, 4], 5.0).shown
    True
    """
    method = "t" if clusters is None else "t-cr2"
    return one_sided_mean(cluster_mean(values, clusters), threshold, "below", alpha=alpha, method=method)
