"""Two models compared on the same samples.

Sharing samples removes their difficulty from the difference. On recorded CLIcK pairs unpaired standard errors are 1.3
to 1.9 times those of the paired difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_count, check_fraction, check_outcomes, check_pair, check_values
from ._cluster import cluster_mean
from ._interval import Interval
from ._power import minimum_detectable_effect_paired
from ._score import paired_score, score_limit
from ._table import PairedTable, paired_table

__all__ = [
    "Comparison",
    "compare_macro",
    "compare_means",
    "compare_paired",
    "compare_table",
    "mcnemar_exact",
    "tango_interval",
]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate less a reference, with what is known about the difference.

    Parameters
    ----------
    difference
        Candidate's score less the reference's, as a proportion (two points are 0.02); None without samples.
    interval
        Confidence interval of the difference; its `reason` says why it has no limits, if it has none.
    p_value
        Two-sided, against no difference; None if it cannot be computed.
    n
        Pairs of a paired comparison; samples of both sides together of an unpaired one.
    n_discordant, gained, lost
        Pairs that only one, only the candidate, only the reference got right; None where there are no 0/1 pairs.
    paired, clustered
        Whether the samples were shared, and whether the error is robust to shared passages or subjects.
    method
        What computed the p-value and the interval.
    minimum_detectable_effect
        Smallest true difference that this design finds with 80% power at this level; None if none would be found.
    """

    difference: float | None
    interval: Interval
    p_value: float | None
    n: int
    n_discordant: int | None
    gained: int | None
    lost: int | None
    paired: bool
    clustered: bool
    method: str
    minimum_detectable_effect: float | None


def mcnemar_exact(gained: SupportsIndex, lost: SupportsIndex) -> float:
    """Exact McNemar test: given the discordant pairs, gains are binomial with probability one half.

    Parameters
    ----------
    gained, lost
        Pairs that only the candidate, only the reference got right.

    Returns
    -------
    float
        The two-sided p-value; 1 without discordant pairs.

    Raises
    ------
    ValueError
        If a count is negative or not whole.

    References
    ----------
    .. [1] McNemar (1947). Note on the sampling error of the difference between correlated proportions. Psychometrika
       12, 153-157.
    .. [2] Fagerland, Lydersen, Laake (2013). The McNemar test for binary matched-pairs data: mid-p and asymptotic are
       better than exact conditional. BMC Medical Research Methodology 13, 91. (Exact is kept here because it never
       exceeds its level.)

    Examples
    --------
    Airway hyper-responsiveness before and after a transplantation (Bentur et al. 2009, in [2]_), published as 0.0703:

    >>> round(mcnemar_exact(1, 7), 4)
    0.0703
    >>> round(mcnemar_exact(60, 40), 4)
    0.0569
    """
    from scipy.special import bdtr

    b, c = check_count("gained", gained), check_count("lost", lost)
    return min(1.0, 2.0 * float(bdtr(float(min(b, c)), b + c, 0.5)))


def tango_interval(table: PairedTable, *, level: float = 0.95) -> Interval:
    """The interval of `compare_table` alone.

    Examples
    --------
    >>> print(tango_interval(PairedTable(both=1, gained=1, lost=7, neither=12)))
    -0.2857 [-0.5172, -0.0260] (95% tango, n=21)
    """
    check_fraction("level", level)
    n, difference = table.n, table.difference
    if difference is None:
        return Interval.unknown(None, level=level, method="tango", n=0, reason="no samples")
    from scipy.special import ndtri

    z = float(ndtri((1.0 + level) / 2.0))

    def statistic(value: float) -> float:
        return float(paired_score(value, table.gained, table.lost, n))

    low, high = score_limit(statistic, z), score_limit(statistic, -z)
    return Interval(difference, min(low, difference), max(high, difference), level=level, method="tango", n=n)


def compare_table(table: PairedTable, *, level: float = 0.95, power: float = 0.8) -> Comparison:
    """Compare two models on shared, independent samples.

    The p-value is McNemar's exact one, the interval inverts Tango's score test [1]_, of which non-inferiority is the
    one-sided case. It covers well from small n on [2]_ and is defined without discordant pairs, where the Wald interval
    has no width.

    Parameters
    ----------
    table
        The samples' 2x2 table.
    level
        Nominal coverage; ``1 - level`` is the level of the minimum detectable effect's test.
    power
        With which the minimum detectable effect is found.

    Returns
    -------
    Comparison
        Without limits or p-value if there are no samples.

    References
    ----------
    .. [1] Tango (1998). Equivalence test and confidence interval for the difference in proportions for the
       paired-sample design. Statistics in Medicine 17, 891-908.
    .. [2] Fagerland, Lydersen, Laake (2014). Recommended tests and confidence intervals for paired binomial
       proportions. Statistics in Medicine 33, 2850-2875.

    Examples
    --------
    The example of [2]_, whose Tango interval is -0.517 to -0.026:

    >>> comparison = compare_table(PairedTable(both=1, gained=1, lost=7, neither=12))
    >>> print(comparison.interval)
    -0.2857 [-0.5172, -0.0260] (95% tango, n=21)
    >>> comparison = compare_table(PairedTable(both=400, gained=60, lost=40, neither=500))
    >>> round(comparison.p_value, 4), round(comparison.minimum_detectable_effect, 4)
    (0.0569, 0.0288)
    """
    check_fraction("level", level)
    n, difference = table.n, table.difference
    p_value, effect = None, None
    interval = tango_interval(table, level=level)
    if difference is not None:
        p_value = mcnemar_exact(table.gained, table.lost)
        effect = minimum_detectable_effect_paired(n, table.n_discordant / n, alpha=1.0 - level, power=power)
    return Comparison(
        difference=difference,
        interval=interval,
        p_value=p_value,
        n=n,
        n_discordant=table.n_discordant,
        gained=table.gained,
        lost=table.lost,
        paired=True,
        clustered=False,
        method="mcnemar-exact, tango",
        minimum_detectable_effect=effect,
    )


def compare_paired(
    candidate: ArrayLike,
    reference: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    power: float = 0.8,
) -> Comparison:
    """Compare two models' 0/1 outcomes on the same samples in the same order.

    Without clusters this is `compare_table`. With clusters the p-value and the interval are those of the mean
    difference with its CR2 standard error and Satterthwaite degrees of freedom (`cluster_mean`), the small-sample form
    of Obuchowski's clustered McNemar test [1]_.

    Parameters
    ----------
    candidate, reference
        0 or 1 a sample, shape (n,).
    clusters
        The passage or subject of each sample, shape (n,); None if samples are independent.
    level, power
        As in `compare_table`.

    Returns
    -------
    Comparison
        Without limits or p-value if there are no samples, one cluster, or all clusters have exactly the same
        difference.

    Raises
    ------
    ValueError
        If an outcome is not 0 or 1 (NaN included), a label is missing, or the lengths differ.

    References
    ----------
    .. [1] Obuchowski (1998). On the comparison of correlated proportions for clustered data. Statistics in Medicine 17,
       1495-1507.

    Examples
    --------
    >>> candidate = [1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1]
    >>> reference = [1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0]
    >>> print(compare_paired(candidate, reference).interval)
    0.3333 [0.0100, 0.6094] (95% tango, n=12)
    >>> passages = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "d"]
    >>> print(compare_paired(candidate, reference, clusters=passages).interval)
    0.3333 [-0.0997, 0.7664] (95% t-cr2, n=12)
    """
    table = paired_table(candidate, reference)
    if clusters is None:
        return compare_table(table, level=level, power=power)
    differences = check_outcomes("candidate", candidate) - check_outcomes("reference", reference)
    return _compare_mean(differences, clusters, level=level, power=power, table=table)


def compare_means(
    candidate: ArrayLike,
    reference: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    power: float = 0.8,
) -> Comparison:
    """Compare two models' graded scores on the same samples by the mean of the paired differences (Student's paired t).

    Parameters
    ----------
    candidate, reference
        One finite score a sample, shape (n,).
    clusters, level, power
        As in `compare_paired`.

    Returns
    -------
    Comparison
        In the scores' unit. Without limits or p-value with fewer than two samples (or clusters), or if all differ by
        the same.

    Raises
    ------
    ValueError
        If a score is NaN or infinite, a label is missing, or the lengths differ.

    References
    ----------
    .. [1] Bloom (1995). Minimum detectable effects: a simple way to report the statistical power of experimental
       designs. Evaluation Review 19(5), 547-556.

    Examples
    --------
    >>> comparison = compare_means([4, 5, 3, 4, 4, 5, 2, 4], [4, 4, 3, 3, 4, 4, 2, 5])
    >>> print(comparison.interval)
    0.2500 [-0.3412, 0.8412] (95% t, n=8)
    >>> round(comparison.p_value, 4)
    0.3506
    """
    first, second = check_values("candidate", candidate), check_values("reference", reference)
    check_pair(first, second)
    return _compare_mean(first - second, clusters, level=level, power=power, table=None)


def _compare_mean(
    differences: ArrayLike, clusters: ArrayLike | None, *, level: float, power: float, table: PairedTable | None
) -> Comparison:
    check_fraction("level", level)
    check_fraction("power", power)
    method = "t" if clusters is None else "t-cr2"
    mean = cluster_mean(differences, clusters)
    low, high = mean.quantile((1.0 - level) / 2.0), mean.quantile((1.0 + level) / 2.0)
    p_value, effect = None, None
    if mean.estimate is not None and mean.standard_error is not None and mean.degrees_of_freedom is not None:
        from scipy.special import stdtr, stdtrit

        freedom = mean.degrees_of_freedom
        p_value = 2.0 * float(stdtr(freedom, -abs(mean.estimate) / mean.standard_error))
        effect = float(stdtrit(freedom, (1.0 + level) / 2.0) + stdtrit(freedom, power)) * mean.standard_error
    if table is not None and low is not None and high is not None:
        low, high = max(-1.0, low), min(1.0, high)
    return Comparison(
        difference=mean.estimate,
        interval=Interval(mean.estimate, low, high, level=level, method=method, n=mean.n, reason=mean.reason),
        p_value=p_value,
        n=mean.n,
        n_discordant=table.n_discordant if table else None,
        gained=table.gained if table else None,
        lost=table.lost if table else None,
        paired=True,
        clustered=clusters is not None,
        method=method,
        minimum_detectable_effect=effect,
    )


def compare_macro(tables: Mapping[str, PairedTable], *, level: float = 0.95, power: float = 0.8) -> Comparison:
    r"""Compare two models' macro averages: the mean over categories of the paired difference within each.

    Categories are strata, so :math:`\mathrm{SE} = \frac 1 K \sqrt{\sum_k s_k^2 / n_k}` with the variance of the
    differences within each [1]_, on Satterthwaite's degrees of freedom [2]_.

    Parameters
    ----------
    tables
        One table a category, as from `paired_tables`.
    level, power
        As in `compare_table`.

    Returns
    -------
    Comparison
        Without limits or p-value if there are no categories, one has fewer than two samples, or no pair is discordant.

    References
    ----------
    .. [1] Cochran (1977). Sampling Techniques, 3rd ed., section 5.3.
    .. [2] Satterthwaite (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin 2,
       110-114.

    Examples
    --------
    >>> tables = {"law": PairedTable(40, 12, 5, 43), "math": PairedTable(10, 9, 6, 25)}
    >>> print(compare_macro(tables).interval)
    0.0650 [-0.0225, 0.1525] (95% stratified, n=150)
    """
    check_fraction("level", level)
    check_fraction("power", power)
    total = sum(tables.values(), PairedTable(0, 0, 0, 0))
    counts = np.array([(t.gained, t.lost, t.n) for t in tables.values()], dtype=np.float64).reshape(-1, 3)
    gained, lost, sizes = counts.T
    difference, p_value, effect, low, high, reason = None, None, None, None, None, None
    if not sizes.size or sizes.min() < 1:
        reason = (
            f"{int((sizes < 1).sum())} of {sizes.size} categories have no samples" if sizes.size else "no categories"
        )
    else:
        means = (gained - lost) / sizes
        difference = float(means.mean())
        if sizes.min() < 2:
            reason = f"{int((sizes < 2).sum())} of {sizes.size} categories have 1 sample: each needs at least 2"
        else:
            parts = (gained + lost - sizes * means**2) / (sizes - 1.0) / sizes / sizes.size**2
            variance = float(parts.sum())
            if variance <= 1e-15:
                reason = "the differences do not vary within any category: their variance cannot be estimated"
            else:
                from scipy.special import stdtr, stdtrit

                error = math.sqrt(variance)
                freedom = variance**2 / float((parts**2 / (sizes - 1.0)).sum())
                half = float(stdtrit(freedom, (1.0 + level) / 2.0)) * error
                low, high = max(-1.0, difference - half), min(1.0, difference + half)
                p_value = 2.0 * float(stdtr(freedom, -abs(difference) / error))
                effect = half + float(stdtrit(freedom, power)) * error
    return Comparison(
        difference=difference,
        interval=Interval(difference, low, high, level=level, method="stratified", n=total.n, reason=reason),
        p_value=p_value,
        n=total.n,
        n_discordant=total.n_discordant,
        gained=total.gained,
        lost=total.lost,
        paired=True,
        clustered=False,
        method="stratified",
        minimum_detectable_effect=effect,
    )
