"""One-sided tests: a value lies above a limit, or below it, such as minus a margin.

A decision needs both directions. Not worse by more than the margin shown is `pass`, worse by more than it shown is
`fail`, neither is `inconclusive`. Rules that pass only if all of them are shown need no multiplicity correction for the
pass (an intersection-union test, Berger 1982); Holm's is for their failures.

Shares of two independent samples are compared by Farrington and Manning's score statistic, with a continuity correction
of half a sample; means on a known scale by Gaffke's test (`bounded_mean`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, SupportsIndex

from ._bounded import BoundedMean
from ._checks import check_count, check_fraction
from ._score import independent_score, score_limit

__all__ = ["OneSidedTest", "inferiority_unpaired", "noninferiority_unpaired", "one_sided_mean"]


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


def one_sided_mean(mean: BoundedMean, limit: float, side: Literal["above", "below"], *, alpha: float) -> OneSidedTest:
    """Test a mean on a known scale by Gaffke's test.

    Examples
    --------
    >>> from driftgate.benchmarks.stats import bounded_mean
    >>> test = one_sided_mean(bounded_mean([1] * 60, 0, 1), 0.95, "above", alpha=0.05)
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
        method=mean.method,
        reason=mean.reason,
    )


def _check(margin: float, alpha: float) -> None:
    check_fraction("alpha", alpha)
    if not 0.0 <= margin < 1.0:
        raise ValueError(f"margin is {margin!r}; expected a proportion from 0 to below 1 (2 points are 0.02).")


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
    margin
        Largest loss that is acceptable, as a proportion; 0 asks for superiority.
    alpha
        One-sided level: how often a candidate exactly `margin` worse may pass.

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
    _check(margin, alpha)
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
    _check(margin, alpha)
    return _unpaired(right, n, reference_right, reference_n, -margin, "below", alpha=alpha)
