"""Two models compared that were asked different samples."""

from __future__ import annotations

from typing import SupportsIndex

from ._checks import check_count, check_fraction
from ._comparison import Comparison
from ._interval import Interval
from ._power import minimum_detectable_effect_unpaired
from ._score import independent_score

__all__ = ["compare_unpaired"]


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
        from statsmodels.stats.proportion import confint_proportions_2indep

        difference = x1 / n1 - x0 / n0
        limits = confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", compare="diff", alpha=1.0 - level)
        low, high = min(float(limits[0]), difference), max(float(limits[1]), difference)
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
