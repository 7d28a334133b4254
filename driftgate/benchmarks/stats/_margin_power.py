"""What a gate can decide before it is run: what a margin or a threshold needs, the smallest margin that n allows.

These are the n that an `inconclusive` verdict prints. They assume a true value; at the limit itself no number of
samples decides.
"""

from __future__ import annotations

import math
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ._checks import check_count, check_fraction, check_share
from ._power import discordant_grid, effective_n, least_true, smallest_n
from ._score import constrained_rates, paired_score

__all__ = [
    "minimum_detectable_effect_threshold",
    "power_above_paired",
    "sample_size_noninferiority_paired",
    "sample_size_noninferiority_unpaired",
    "sample_size_threshold",
    "smallest_margin_paired",
]


def power_above_paired(n: int, value: float, difference: float, discordance: float, alpha: float) -> float:
    """Power of the continuity-corrected Tango test to show "paired difference > value".

    Parameters
    ----------
    n
        Shared samples.
    value
        The limit, such as minus the margin.
    difference
        True candidate less reference.
    discordance
        Share of samples that exactly one model gets right; at least ``abs(difference)``.
    alpha
        One-sided level.

    Examples
    --------
    >>> round(power_above_paired(1617, -0.02, 0.0, 0.10, 0.05), 2)
    0.8
    """
    from scipy.special import bdtrc, ndtri

    if n == 0 or (discordance == 0.0 and value >= 0.0):
        return 0.0
    z = float(ndtri(1.0 - alpha))
    counts, weights = discordant_grid(n, discordance)
    critical = least_true(lambda gains: paired_score(value, gains, counts - gains, n, shift=0.5) >= z, counts)
    gain = (discordance + difference) / (2.0 * discordance) if discordance else 0.0
    # bdtrc wants k >= 0: at least no gains is certain.
    shown = np.where(critical == 0, 1.0, bdtrc(np.maximum(critical - 1.0, 0.0), counts, min(1.0, max(0.0, gain))))
    return float(weights @ shown)


def sample_size_noninferiority_paired(
    margin: float,
    discordance: float,
    difference: float = 0.0,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """Shared samples with which a paired margin test decides with probability `power`.

    Decides means `noninferiority_paired` shows its claim if the true difference is above ``-margin``, and
    `inferiority_paired` shows its if below.

    Parameters
    ----------
    margin
        Largest loss that is acceptable, as a proportion.
    discordance
        Share of samples that exactly one model gets right; at least ``abs(difference)``.
    difference
        True candidate less reference.
    alpha, power
        One-sided level; wanted power.
    design_effect
        Variance of the clustered difference over that of independent samples.

    Raises
    ------
    ValueError
        If the difference equals ``-margin``, or an argument is out of range.

    References
    ----------
    .. [1] Nam (1997). Establishing equivalence of two treatments and sample size requirements in matched-pairs design.
       Biometrics 53, 1422-1430. (The asymptotic formula; here the test's power is summed exactly.)

    Examples
    --------
    >>> sample_size_noninferiority_paired(0.02, 0.10)
    1617
    >>> sample_size_noninferiority_paired(0.02, 0.10, difference=-0.04)
    1535
    """
    from scipy.special import ndtri

    _check_margin_plan(margin, alpha, power)
    check_share("discordance", discordance)
    if not abs(difference) <= discordance:
        raise ValueError(
            f"discordance is {discordance!r}; expected at least the difference's width, {abs(difference)!r}."
        )
    distance = difference + margin
    if distance == 0.0:
        raise ValueError(f"the true difference is the margin itself ({-margin!r}): no number of samples decides.")
    effective_n(1, design_effect)
    value, true = (-margin, difference) if distance > 0.0 else (margin, -difference)
    guess = ((ndtri(1.0 - alpha) + ndtri(power)) / distance) ** 2 * max(discordance, margin)
    needed = smallest_n(lambda n: power_above_paired(n, value, true, discordance, alpha), power, guess)
    return math.ceil(needed * design_effect)


def smallest_margin_paired(
    n: SupportsIndex, discordance: float, *, alpha: float = 0.05, power: float = 0.8, design_effect: float = 1.0
) -> float | None:
    """Smallest margin for which `noninferiority_paired` passes an equally good candidate with probability `power`.

    This is the gate's minimum detectable effect: with a smaller margin it would too often be inconclusive.

    Parameters
    ----------
    n
        Shared samples.
    discordance
        Share of samples that exactly one model gets right.
    alpha, power, design_effect
        As in `sample_size_noninferiority_paired`.

    Returns
    -------
    float or None
        As a proportion; None if no margin below 1 would do.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(smallest_margin_paired(1000, 0.10), 3)
    0.026
    """
    check_fraction("alpha", alpha)
    check_fraction("power", power)
    check_share("discordance", discordance)
    samples = effective_n(n, design_effect)
    low, high = 0.0, 1.0 - 1e-9
    if power_above_paired(samples, -high, 0.0, discordance, alpha) < power:
        return None
    # The power is a staircase in the margin, which bisection walks and a root finder trips over.
    while high - low > 1e-6:
        middle = (low + high) / 2.0
        low, high = (
            (low, middle) if power_above_paired(samples, -middle, 0.0, discordance, alpha) >= power else (middle, high)
        )
    return high


def sample_size_noninferiority_unpaired(
    margin: float,
    reference_rate: float,
    difference: float = 0.0,
    *,
    ratio: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """Samples of the candidate with which an unpaired margin test decides with probability `power`.

    Decides as in `sample_size_noninferiority_paired`.

    Parameters
    ----------
    margin
        Largest loss that is acceptable, as a proportion.
    reference_rate
        The reference's true proportion.
    difference
        True candidate less reference.
    ratio
        The reference's samples for each of the candidate's.
    alpha, power, design_effect
        As in `sample_size_noninferiority_paired`.

    Raises
    ------
    ValueError
        If the difference equals ``-margin`` or leads out of [0, 1], or an argument is out of range.

    References
    ----------
    .. [1] Farrington, Manning (1990). Test statistics and sample size formulae for comparative binomial trials.
       Statistics in Medicine 9, 1447-1454.

    Examples
    --------
    >>> sample_size_noninferiority_unpaired(0.02, 0.6)
    7518
    """
    from scipy.special import ndtr, ndtri

    _check_margin_plan(margin, alpha, power)
    check_share("reference_rate", reference_rate)
    rate = check_share("reference_rate + difference", reference_rate + difference)
    if not ratio > 0.0:
        raise ValueError(
            f"ratio is {ratio!r}; expected a positive number of reference samples for each of the candidate's."
        )
    distance = difference + margin
    if distance == 0.0:
        raise ValueError(f"the true difference is the margin itself ({-margin!r}): no number of samples decides.")
    effective_n(1, design_effect)
    z = float(ndtri(1.0 - alpha))
    null, null_reference = constrained_rates(-margin, rate, 1.0, reference_rate * ratio, ratio)
    spread_null = math.sqrt(float(null * (1.0 - null) + null_reference * (1.0 - null_reference) / ratio))
    spread = math.sqrt(rate * (1.0 - rate) + reference_rate * (1.0 - reference_rate) / ratio)

    def power_at(n: int) -> float:
        reach = (abs(distance) - (1.0 + 1.0 / ratio) / (2.0 * n)) * math.sqrt(n) - z * spread_null
        return float(ndtr(reach / spread)) if spread else float(reach >= 0.0)

    guess = ((z * spread_null + ndtri(power) * spread) / distance) ** 2
    return math.ceil(smallest_n(power_at, power, guess) * design_effect)


def _check_margin_plan(margin: float, alpha: float, power: float) -> None:
    check_fraction("alpha", alpha)
    check_fraction("power", power)
    if not 0.0 <= margin < 1.0:
        raise ValueError(f"margin is {margin!r}; expected a proportion from 0 to below 1 (2 points are 0.02).")


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
