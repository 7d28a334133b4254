"""What a score could have been had everything been answered.

A filtered, failed or missing sample is right or wrong in truth, nobody knows which. Without assumptions the score then
lies between two bounds, all of them wrong and all of them right (Manski's worst-case bounds). Where a threshold lies
between the bounds, no statistic can decide: the verdict is `unmeasurable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import check_count, check_outcomes, check_pair
from ._comparison import compare_table
from ._interval import Interval
from ._intervals import wilson_interval
from ._table import paired_table

__all__ = ["Bounds", "bound_difference", "bound_proportion"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """A score's two bounds, each with its own sampling interval.

    From `low.low` to `high.high` covers every value between the bounds with at least the intervals' level [1]_.

    Parameters
    ----------
    low, high
        The score if everything not answered had been worst, best.
    n, n_unanswered
        Samples asked, and of these not answered (of a difference: by at least one side).

    References
    ----------
    .. [1] Horowitz, Manski (2000). Nonparametric analysis of randomized experiments with missing covariate and outcome
       data. JASA 95, 77-84.
    """

    low: Interval
    high: Interval
    n: int
    n_unanswered: int

    def straddle(self, threshold: float) -> bool:
        """Whether the threshold lies between the bounds, so that the unanswered could decide alone; True if n is 0."""
        if self.low.estimate is None or self.high.estimate is None:
            return True
        return self.low.estimate < threshold <= self.high.estimate


def bound_proportion(
    right: SupportsIndex, n: SupportsIndex, n_unanswered: SupportsIndex, *, level: float = 0.95
) -> Bounds:
    """Bounds for a proportion, all not answered wrong and all not answered right, with Wilson intervals.

    Parameters
    ----------
    right
        Answered and right.
    n
        All samples asked.
    n_unanswered
        Of these not answered.
    level
        Nominal coverage.

    Raises
    ------
    ValueError
        If a count is impossible.

    References
    ----------
    .. [1] Manski (1990). Nonparametric bounds on treatment effects. American Economic Review 80(2), 319-323.

    Examples
    --------
    >>> bounds = bound_proportion(600, 1000, 50)
    >>> print(bounds.low, bounds.high, sep="; ")
    0.6000 [0.5693, 0.6299] (95% wilson, n=1000); 0.6500 [0.6199, 0.6789] (95% wilson, n=1000)
    >>> bounds.straddle(0.62), bounds.straddle(0.55)
    (True, False)
    """
    total = check_count("n", n)
    unanswered = check_count("n_unanswered", n_unanswered, most=total)
    count = check_count("right", right, most=total - unanswered)
    low = wilson_interval(count, total, level=level)
    return Bounds(low, wilson_interval(count + unanswered, total, level=level), n=total, n_unanswered=unanswered)


def bound_difference(candidate: ArrayLike, reference: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Bounds for the paired difference, with Tango intervals: the one place where NaN may stand, for "not answered".

    Parameters
    ----------
    candidate, reference
        0, 1 or NaN a sample, shape (n,), the same samples in the same order.
    level
        Nominal coverage.

    Returns
    -------
    Bounds
        `low` takes the candidate's NaN for wrong and the reference's for right, `high` the other way round.

    Raises
    ------
    ValueError
        If an outcome is neither 0, 1 nor NaN, or the lengths differ.

    Examples
    --------
    >>> nan = float("nan")
    >>> bounds = bound_difference([1, 1, 0, nan, 1, 1, 0, 1], [1, 0, 0, 1, nan, 1, 0, 0])
    >>> bounds.low.estimate, bounds.high.estimate, bounds.n_unanswered
    (0.125, 0.375, 2)
    """
    first, second = np.asarray(candidate, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    _check_answered("candidate", first)
    _check_answered("reference", second)
    check_pair(first, second)

    def bound(candidate_value: float, reference_value: float) -> Interval:
        filled = np.nan_to_num(first, nan=candidate_value), np.nan_to_num(second, nan=reference_value)
        return compare_table(paired_table(*filled), level=level).interval

    unanswered = int((np.isnan(first) | np.isnan(second)).sum())
    return Bounds(bound(0.0, 1.0), bound(1.0, 0.0), n=first.size, n_unanswered=unanswered)


def _check_answered(name: str, outcomes: NDArray[np.float64]) -> None:
    if outcomes.ndim != 1:
        raise ValueError(f"{name} has {outcomes.ndim} dimensions; expected one outcome a sample, in one dimension.")
    check_outcomes(name, outcomes[~np.isnan(outcomes)])
