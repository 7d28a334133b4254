"""One-sided tests: a value lies above a limit, or below it, such as minus a margin.

A decision needs both directions. Not worse by more than the margin shown is `pass`, worse by more than it shown is
`fail`, neither is `inconclusive`. Rules that pass only if all of them are shown need no multiplicity correction for the
pass (an intersection-union test, Berger 1982); Holm's is for their failures.

Means on a known scale are tested by Gaffke's test (`bounded_mean`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ._bounded import BoundedMean
from ._checks import check_fraction

__all__ = ["OneSidedTest", "one_sided_mean"]


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
