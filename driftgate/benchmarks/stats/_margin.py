"""One-sided tests against a margin: not worse by more than it, shown worse by more than it.

A gate needs both directions. Non-inferiority shown is `pass`, inferiority shown is `fail`, neither is `inconclusive`. A
gate that passes only if all its rules are shown needs no multiplicity correction for the pass (an intersection-union
test, Berger 1982); Holm's is for its failures.

Paired tests use Tango's score statistic, unpaired ones Farrington and Manning's, both with a continuity correction of
half a sample. Summed exactly over all tables at 5% nominal, up to 60% discordant, the paired test's true level then
nowhere exceeds 5%, where without the correction it reaches 5.8% at 100 samples. With nearly all pairs discordant it can
reach 7% (summed up to 80 samples). Where samples share clusters, the paired tests of right and wrong are Gaffke's of
the clusters' sums (`bounded_mean`): an error estimated from them is 0 where all agree, and tiny where one differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._bounded import BoundedMean, bounded_mean
from ._checks import check_count, check_fraction, check_outcomes, check_pair, check_values
from ._cluster import ClusterMean, cluster_mean
from ._score import independent_score, paired_score, score_limit
from ._table import PairedTable, paired_table

__all__ = [
    "OneSidedTest",
    "inferiority_means",
    "inferiority_paired",
    "inferiority_unpaired",
    "noninferiority_means",
    "noninferiority_paired",
    "noninferiority_unpaired",
    "one_sided_mean",
]


@dataclass(frozen=True, slots=True)
class OneSidedTest:
    """Whether a value was shown to lie on one side of a limit.

    Parameters
    ----------
    shown
        True if `p_value` is at most `alpha`; None if there is no p-value. False says "not shown", never "shown not".
    side
        The claim: the true value lies "above" or "below" the limit.
    limit
        The limit tested, such as minus the margin.
    estimate
        The observed value; None without samples.
    bound
        The one-sided confidence limit at ``1 - alpha``; the claim is shown when it lies on the claim's side of `limit`.
    p_value
        Against the claim's opposite; None if it cannot be computed.
    alpha
        One-sided level.
    n
        Number of samples (pairs if paired, both sides together if not).
    method
        The test's name.
    reason
        Why there is no p-value.
    """

    shown: bool | None
    side: Literal["above", "below"]
    limit: float
    estimate: float | None
    bound: float | None
    p_value: float | None
    alpha: float
    n: int
    method: str
    reason: str | None = None


def one_sided_mean(
    mean: ClusterMean | BoundedMean, limit: float, side: Literal["above", "below"], *, alpha: float, method: str
) -> OneSidedTest:
    """Test a mean, clustered or not, by Student's t, or one on a known scale by Gaffke's test.

    Examples
    --------
    >>> test = one_sided_mean(bounded_mean([1] * 60, 0, 1), 0.95, "above", alpha=0.05, method="gaffke")
    >>> test.shown, round(test.p_value, 4), round(test.bound, 4)
    (True, 0.0461, 0.9513)
    """
    check_fraction("alpha", alpha)
    p_value = mean.p_above(limit) if side == "above" else mean.p_below(limit)
    return OneSidedTest(
        shown=None if p_value is None else p_value <= alpha,
        side=side,
        limit=limit,
        estimate=mean.estimate,
        bound=mean.quantile(alpha if side == "above" else 1.0 - alpha),
        p_value=p_value,
        alpha=alpha,
        n=mean.n,
        method=method,
        reason=mean.reason,
    )


def check_margin(margin: float, alpha: float, *, graded: bool = False) -> None:
    check_fraction("alpha", alpha)
    if not (margin >= 0.0 and (graded or margin < 1.0)):
        expected = "0 or more, in the scores' unit" if graded else "a proportion from 0 to below 1 (2 points are 0.02)"
        raise ValueError(f"margin is {margin!r}; expected {expected}.")


def _paired(table: PairedTable, limit: float, side: Literal["above", "below"], *, alpha: float) -> OneSidedTest:
    from scipy.special import ndtr, ndtri

    method = "tango-score"
    if table.n == 0:
        return OneSidedTest(None, side, limit, None, None, None, alpha, n=0, method=method, reason="no samples")
    # A claim of "below" is the claim of "above" with the models exchanged.
    sign = 1.0 if side == "above" else -1.0
    ordered = table if side == "above" else table.swapped()

    def statistic(value: float) -> float:
        return float(paired_score(value, ordered.gained, ordered.lost, ordered.n, shift=0.5))

    p_value = float(ndtr(-statistic(sign * limit)))
    bound = sign * score_limit(statistic, float(ndtri(1.0 - alpha)))
    return OneSidedTest(
        p_value <= alpha, side, limit, table.difference, bound, p_value, alpha, n=table.n, method=method
    )


def _differences(candidate: ArrayLike, reference: ArrayLike) -> NDArray[np.float64]:
    first, second = check_values("candidate", candidate), check_values("reference", reference)
    check_pair(first, second)
    return first - second


def one_sided_paired(
    candidate: ArrayLike,
    reference: ArrayLike,
    clusters: ArrayLike | None,
    limit: float,
    side: Literal["above", "below"],
    *,
    alpha: float,
) -> OneSidedTest:
    table = paired_table(candidate, reference)
    if clusters is None:
        return _paired(table, limit, side, alpha=alpha)
    differences = check_outcomes("candidate", candidate) - check_outcomes("reference", reference)
    mean = bounded_mean(differences, -1.0, 1.0, clusters=clusters)
    return one_sided_mean(mean, limit, side, alpha=alpha, method=mean.method)


def noninferiority_paired(
    candidate: ArrayLike, reference: ArrayLike, margin: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> OneSidedTest:
    """Show that a candidate is not worse than a reference by more than a margin, on shared samples.

    Parameters
    ----------
    candidate, reference
        0 or 1 a sample, shape (n,), the same samples in the same order.
    margin
        Largest loss that is acceptable, as a proportion; 0 asks for superiority.
    clusters
        The passage or subject of each sample, for the test of clusters; None if independent.
    alpha
        One-sided level: how often a candidate exactly `margin` worse may pass.

    Returns
    -------
    OneSidedTest
        Of "difference above ``-margin``". Without samples, or with one cluster, `shown` is None.

    Raises
    ------
    ValueError
        If an outcome is not 0 or 1 (NaN included), the lengths differ, or the margin is not a proportion.

    References
    ----------
    .. [1] Tango (1998). Equivalence test and confidence interval for the difference in proportions for the
       paired-sample design. Statistics in Medicine 17, 891-908.

    Examples
    --------
    A thousand samples, 45 gained and 50 lost:

    >>> candidate = [1] * 45 + [0] * 50 + [1] * 905
    >>> reference = [0] * 45 + [1] * 50 + [1] * 905
    >>> test = noninferiority_paired(candidate, reference, margin=0.03)
    >>> test.shown, round(test.p_value, 4), round(test.bound, 4)
    (True, 0.0073, -0.0218)
    >>> noninferiority_paired(candidate, reference, margin=0.02).shown
    False
    """
    check_margin(margin, alpha)
    return one_sided_paired(candidate, reference, clusters, -margin, "above", alpha=alpha)


def inferiority_paired(
    candidate: ArrayLike, reference: ArrayLike, margin: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> OneSidedTest:
    """Show that a candidate is worse than a reference by more than a margin, on shared samples.

    Arguments and errors are those of `noninferiority_paired`; the claim is "difference below ``-margin``".

    Examples
    --------
    >>> candidate = [1] * 20 + [0] * 80 + [1] * 900
    >>> reference = [0] * 20 + [1] * 80 + [1] * 900
    >>> test = inferiority_paired(candidate, reference, margin=0.03)
    >>> test.shown, round(test.p_value, 4), round(test.bound, 4)
    (True, 0.0009, -0.0438)
    """
    check_margin(margin, alpha)
    return one_sided_paired(candidate, reference, clusters, -margin, "below", alpha=alpha)


def _unpaired(
    right: SupportsIndex,
    n: SupportsIndex,
    reference_right: SupportsIndex,
    reference_n: SupportsIndex,
    limit: float,
    side: Literal["above", "below"],
    *,
    alpha: float,
) -> OneSidedTest:
    from scipy.special import ndtr, ndtri

    n1, n0 = check_count("n", n), check_count("reference_n", reference_n)
    x1 = check_count("right", right, most=n1)
    x0 = check_count("reference_right", reference_right, most=n0)
    method = "farrington-manning"
    if not n1 or not n0:
        reason = "no samples" if not n1 + n0 else "one side has no samples"
        return OneSidedTest(None, side, limit, None, None, None, alpha, n=n1 + n0, method=method, reason=reason)
    sign = 1.0 if side == "above" else -1.0
    sides = (x1, n1, x0, n0) if side == "above" else (x0, n0, x1, n1)
    shift = (1.0 / n1 + 1.0 / n0) / 2.0

    def statistic(value: float) -> float:
        return float(independent_score(value, *sides, shift=shift))

    p_value = float(ndtr(-statistic(sign * limit)))
    bound = sign * score_limit(statistic, float(ndtri(1.0 - alpha)))
    difference = x1 / n1 - x0 / n0
    return OneSidedTest(p_value <= alpha, side, limit, difference, bound, p_value, alpha, n=n1 + n0, method=method)


def noninferiority_unpaired(
    right: SupportsIndex,
    n: SupportsIndex,
    reference_right: SupportsIndex,
    reference_n: SupportsIndex,
    margin: float,
    *,
    alpha: float = 0.05,
) -> OneSidedTest:
    """Show that a candidate is not worse than a reference by more than a margin, where no samples are shared.

    Parameters
    ----------
    right, n
        The candidate's right answers and samples.
    reference_right, reference_n
        The reference's.
    margin, alpha
        As in `noninferiority_paired`.

    Returns
    -------
    OneSidedTest
        Of "difference above ``-margin``"; `shown` is None if a side has no samples.

    Raises
    ------
    ValueError
        If a count is impossible or the margin is not a proportion.

    References
    ----------
    .. [1] Farrington, Manning (1990). Test statistics and sample size formulae for comparative binomial trials with
       null hypothesis of non-zero risk difference or non-unity relative risk. Statistics in Medicine 9, 1447-1454.

    Examples
    --------
    >>> test = noninferiority_unpaired(700, 1000, 705, 1000, margin=0.05)
    >>> test.shown, round(test.p_value, 4), round(test.bound, 4)
    (True, 0.0157, -0.0396)
    """
    check_margin(margin, alpha)
    return _unpaired(right, n, reference_right, reference_n, -margin, "above", alpha=alpha)


def inferiority_unpaired(
    right: SupportsIndex,
    n: SupportsIndex,
    reference_right: SupportsIndex,
    reference_n: SupportsIndex,
    margin: float,
    *,
    alpha: float = 0.05,
) -> OneSidedTest:
    """Show that a candidate is worse than a reference by more than a margin, where no samples are shared.

    Arguments and errors are those of `noninferiority_unpaired`; the claim is "difference below ``-margin``".

    Examples
    --------
    >>> inferiority_unpaired(600, 1000, 705, 1000, margin=0.05).shown
    True
    """
    check_margin(margin, alpha)
    return _unpaired(right, n, reference_right, reference_n, -margin, "below", alpha=alpha)


def noninferiority_means(
    candidate: ArrayLike, reference: ArrayLike, margin: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> OneSidedTest:
    """Show that a candidate's mean graded score is not lower by more than a margin, on shared samples (paired t).

    Parameters
    ----------
    candidate, reference
        One finite score a sample, shape (n,), higher being better; negate a cost or a latency.
    margin
        Largest loss that is acceptable, in the scores' unit.
    clusters, alpha
        As in `noninferiority_paired`.

    Returns
    -------
    OneSidedTest
        Of "mean difference above ``-margin``"; `shown` is None where the variance cannot be estimated.

    Raises
    ------
    ValueError
        If a score is NaN or infinite, the lengths differ, or the margin is negative.

    Examples
    --------
    >>> test = noninferiority_means([4, 5, 3, 4, 4, 5, 2, 4], [4, 4, 3, 3, 4, 4, 2, 5], margin=0.5)
    >>> test.shown, round(test.p_value, 4), round(test.bound, 4)
    (True, 0.01, -0.2236)
    """
    check_margin(margin, alpha, graded=True)
    method = "t" if clusters is None else "t-cr2"
    return one_sided_mean(
        cluster_mean(_differences(candidate, reference), clusters), -margin, "above", alpha=alpha, method=method
    )


def inferiority_means(
    candidate: ArrayLike, reference: ArrayLike, margin: float, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> OneSidedTest:
    """Show that a candidate's mean graded score is lower by more than a margin, on shared samples (paired t).

    Arguments and errors are those of `noninferiority_means`; the claim is "mean difference below ``-margin``".

    Examples
    --------
    >>> inferiority_means([2, 3, 2, 2, 3, 1], [4, 4, 3, 4, 5, 4], margin=0.5).shown
    True
    """
    check_margin(margin, alpha, graded=True)
    method = "t" if clusters is None else "t-cr2"
    return one_sided_mean(
        cluster_mean(_differences(candidate, reference), clusters), -margin, "below", alpha=alpha, method=method
    )
