"""Two models compared that were asked different samples."""

from __future__ import annotations

import math
from typing import SupportsIndex

from numpy.typing import ArrayLike

from ._checks import check_count, check_fraction
from ._cluster import cluster_mean
from ._comparison import Comparison
from ._interval import Interval
from ._intervals import wilson_limits
from ._power import minimum_detectable_effect_unpaired
from ._score import independent_score

__all__ = ["compare_unpaired", "compare_unpaired_means"]


def compare_unpaired(
    right: SupportsIndex,
    n: SupportsIndex,
    reference_right: SupportsIndex,
    reference_n: SupportsIndex,
    *,
    level: float = 0.95,
    power: float = 0.8,
) -> Comparison:
    """Compare two models that were asked different samples.

    The interval is Newcombe's hybrid of the two Wilson intervals (his method 10 [1]_), the p-value the pooled score
    test's, whose square is Pearson's chi-square. Use it only where samples are not shared: it forgets the pairing.

    Parameters
    ----------
    right, n
        The candidate's right answers and samples.
    reference_right, reference_n
        The reference's.
    level, power
        As in `compare_table`.

    Returns
    -------
    Comparison
        `n` is both sides' samples. Without limits or p-value if a side has no samples.

    Raises
    ------
    ValueError
        If a count is impossible.

    References
    ----------
    .. [1] Newcombe (1998). Interval estimation for the difference between independent proportions: comparison of eleven
       methods. Statistics in Medicine 17, 873-890.

    Examples
    --------
    Newcombe's example (a), published as 0.0524 to 0.3339:

    >>> print(compare_unpaired(56, 70, 48, 80).interval)
    0.2000 [0.0524, 0.3339] (95% newcombe, n=150)
    """
    check_fraction("level", level)
    n1, n0 = check_count("n", n), check_count("reference_n", reference_n)
    x1 = check_count("right", right, most=n1)
    x0 = check_count("reference_right", reference_right, most=n0)
    difference, p_value, effect = None, None, None
    if not n1 or not n0:
        reason = "no samples" if not n1 + n0 else "one side has no samples"
        interval = Interval.unknown(None, level=level, method="newcombe", n=n1 + n0, reason=reason)
    else:
        from scipy.special import ndtr

        p1, p0 = x1 / n1, x0 / n0
        difference = p1 - p0
        (low1, high1), (low0, high0) = wilson_limits(x1, n1, level), wilson_limits(x0, n0, level)
        low = difference - math.hypot(p1 - low1, high0 - p0)
        high = difference + math.hypot(high1 - p1, p0 - low0)
        interval = Interval(difference, max(-1.0, low), min(1.0, high), level=level, method="newcombe", n=n1 + n0)
        p_value = 2.0 * float(ndtr(-abs(independent_score(0.0, x1, n1, x0, n0))))
        effect = minimum_detectable_effect_unpaired(n1, n0, (x1 + x0) / (n1 + n0), alpha=1.0 - level, power=power)
    return Comparison(
        difference=difference,
        interval=interval,
        p_value=p_value,
        n=n1 + n0,
        n_discordant=None,
        gained=None,
        lost=None,
        paired=False,
        clustered=False,
        method="score, newcombe",
        minimum_detectable_effect=effect,
    )


def compare_unpaired_means(
    values: ArrayLike,
    reference: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    reference_clusters: ArrayLike | None = None,
    level: float = 0.95,
    power: float = 0.8,
) -> Comparison:
    """Compare the means of two models that were asked different samples: graded scores, or clustered samples.

    Welch's t test [1]_ on each side's `cluster_mean`: the variances add, the degrees of freedom are Satterthwaite's.
    A cluster that stands on both sides is taken for two; what it has in common then makes the interval too wide.

    Parameters
    ----------
    values, reference
        One finite value a sample, shapes (n,) and (m,).
    clusters, reference_clusters
        One label a sample of each side; None if independent.
    level, power
        As in `compare_table`.

    Returns
    -------
    Comparison
        In the values' unit; `n` is both sides' samples. Without limits or p-value if a side has fewer than two samples
        (or clusters), or if all of a side agree.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, or a label is missing.

    References
    ----------
    .. [1] Welch (1947). The generalization of "Student's" problem when several different population variances are
       involved. Biometrika 34, 28-35.

    Examples
    --------
    >>> comparison = compare_unpaired_means([4, 5, 3, 4, 4, 5, 2, 4], [4, 4, 3, 3, 4, 2])
    >>> print(comparison.interval)
    0.5417 [-0.5137, 1.5970] (95% welch, n=14)
    >>> round(comparison.p_value, 4)
    0.2849
    """
    check_fraction("level", level)
    check_fraction("power", power)
    sides = cluster_mean(values, clusters), cluster_mean(reference, reference_clusters)
    clustered = clusters is not None or reference_clusters is not None
    method = "welch-cr2" if clustered else "welch"
    n = sides[0].n + sides[1].n
    difference, p_value, effect = None, None, None
    if sides[0].estimate is not None and sides[1].estimate is not None:
        difference = sides[0].estimate - sides[1].estimate
    reason = sides[0].reason or sides[1].reason
    known = [(s.standard_error, s.degrees_of_freedom) for s in sides]
    parts = [(e**2, f) for e, f in known if e is not None and f is not None]
    if difference is None or len(parts) < 2:
        interval = Interval.unknown(difference, level=level, method=method, n=n, reason=reason or "no samples")
    else:
        from scipy.special import stdtr, stdtrit

        variance = sum(v for v, _ in parts)
        error, freedom = math.sqrt(variance), variance**2 / sum(v**2 / f for v, f in parts)
        half = float(stdtrit(freedom, (1.0 + level) / 2.0)) * error
        interval = Interval(difference, difference - half, difference + half, level=level, method=method, n=n)
        p_value = 2.0 * float(stdtr(freedom, -abs(difference) / error))
        effect = half + float(stdtrit(freedom, power)) * error
    return Comparison(
        difference=difference,
        interval=interval,
        p_value=p_value,
        n=n,
        n_discordant=None,
        gained=None,
        lost=None,
        paired=False,
        clustered=clustered,
        method=method,
        minimum_detectable_effect=effect,
    )
