"""Exact tests of a proportion against a fixed threshold, and what they can decide before they are run.

The samples and the effects stated assume a true value; at the threshold itself no number of samples decides.
"""

from __future__ import annotations

import math
from typing import Literal, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ._checks import check_count, check_fraction, check_share
from ._margin import OneSidedTest
from ._power import effective_n, least_true

__all__ = ["above_threshold", "below_threshold", "minimum_detectable_effect_threshold", "sample_size_threshold"]


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


def minimum_detectable_effect_threshold(
    n: SupportsIndex, threshold: float, *, alpha: float = 0.05, power: float = 0.8, design_effect: float = 1.0
) -> float | None:
    """How far above a threshold the truth must lie for `above_threshold` to show it with probability `power`.

    Both the test and its power are exact binomial tails, so one inverse beta function answers.

    Parameters
    ----------
    n
        Samples.
    threshold
        The proportion to exceed.
    alpha, power
        One-sided level; wanted power.
    design_effect
        Variance of the clustered proportion over that of independent samples.

    Returns
    -------
    float or None
        As a proportion; None if not even a perfect candidate would be shown to exceed the threshold.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    .. [1] Clopper, Pearson (1934). The use of confidence or fiducial limits illustrated in the case of the binomial.
       Biometrika 26, 404-413.

    Examples
    --------
    >>> round(minimum_detectable_effect_threshold(500, 0.7), 4)
    0.0512
    >>> minimum_detectable_effect_threshold(5, 0.7) is None
    True
    """
    from scipy.special import betaincinv

    check_fraction("alpha", alpha)
    check_fraction("power", power)
    check_fraction("threshold", threshold)
    samples = effective_n(n, design_effect)
    critical = int(_critical_count(np.array([samples]), threshold, alpha)[0])
    if critical > samples:
        return None
    return float(betaincinv(critical, samples - critical + 1, power)) - threshold


def _critical_count(n: NDArray[np.int64], threshold: float, alpha: float) -> NDArray[np.int64]:
    """The least number right of `n` that shows a proportion above `threshold`; ``n + 1`` if none does."""
    from scipy.special import bdtrc

    # At least no right answers is certain, and never evidence.
    return least_true(
        lambda right: np.where(right == 0, 1.0, bdtrc(np.maximum(right - 1.0, 0.0), n, threshold)) <= alpha, n
    )


def sample_size_threshold(
    proportion: float, threshold: float, *, alpha: float = 0.05, power: float = 0.8, design_effect: float = 1.0
) -> int:
    """Samples with which a threshold test decides with probability `power`.

    Decides means `above_threshold` shows its claim if the true proportion is above, `below_threshold` if below. The
    exact test's power is a sawtooth in n: the number returned is the one from which on it never falls below `power`
    again.

    Parameters
    ----------
    proportion
        The true proportion.
    threshold
        The limit, not equal to it.
    alpha, power, design_effect
        As in `minimum_detectable_effect_threshold`.

    Raises
    ------
    ValueError
        If proportion and threshold are equal or an argument is out of range.

    Examples
    --------
    >>> sample_size_threshold(0.75, 0.7), sample_size_threshold(0.65, 0.7)
    (530, 566)
    """
    from scipy.special import bdtrc, ndtri

    check_fraction("alpha", alpha)
    check_fraction("power", power)
    check_fraction("threshold", threshold)
    check_share("proportion", proportion)
    effective_n(1, design_effect)
    if proportion == threshold:
        raise ValueError(f"the true proportion is the threshold itself ({threshold!r}): no number of samples decides.")
    rate, limit = (proportion, threshold) if proportion > threshold else (1.0 - proportion, 1.0 - threshold)
    spread = ndtri(1.0 - alpha) * math.sqrt(limit * (1.0 - limit)) + ndtri(power) * math.sqrt(rate * (1.0 - rate))
    guess = (spread / (rate - limit)) ** 2
    step = 1.0 / (rate - limit)
    high = check_count("n", math.ceil(1.1 * guess + 12.0 * step + 50.0))
    sizes = np.arange(max(1, math.floor(0.85 * guess - 6.0 * step)), high + 1)
    if sizes.size > 5_000_000:
        raise ValueError(
            f"about {guess:.0f} samples would be needed; the proportion is too close to the threshold to decide."
        )
    critical = _critical_count(sizes, limit, alpha)
    enough = np.where(critical > sizes, 0.0, bdtrc(critical - 1.0, sizes, rate)) >= power
    short = np.flatnonzero(~enough)
    first = sizes[short[-1] + 1] if short.size else sizes[0]
    return math.ceil(int(first) * design_effect)
