"""What a comparison can find before it is run: minimum detectable effects and the samples a wanted one needs.

The paired functions sum the exact test's power over the number of discordant pairs, so a stated 80% is 80% of the very
test that `compare_table` runs, its discreteness included. `design_effect` (Kish 1965) divides the samples where they
share passages: take `design_effect` of an earlier run's differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ._checks import check_count, check_fraction, check_share
from ._root import find_root

__all__ = [
    "effective_n",
    "least_true",
    "minimum_detectable_effect_paired",
    "minimum_detectable_effect_unpaired",
    "power_paired",
    "sample_size_paired",
    "sample_size_unpaired",
    "smallest_n",
]


def effective_n(n: SupportsIndex, design_effect: float) -> int:
    """Independent samples worth as much as `n` clustered ones; ValueError if the design effect is not positive."""
    if not design_effect > 0.0:
        raise ValueError(f"design_effect is {design_effect!r}; expected a positive number (1 for independent samples).")
    return int(check_count("n", n) / design_effect)


def least_true(
    predicate: Callable[[NDArray[np.int64]], NDArray[np.bool_]], high: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Elementwise, the least k in 0..high at which a predicate becomes (and stays) true; ``high + 1`` if none."""
    low, high = np.zeros_like(high), high + 1
    while np.any(low < high):
        middle = (low + high) // 2
        true = predicate(middle)
        low, high = np.where(true | (low >= high), low, middle + 1), np.where(true & (low < high), middle, high)
    return low


def smallest_n(power_at: Callable[[int], float], power: float, guess: float) -> int:
    """The least n whose power reaches `power`, by doubling from `guess` and bisection; power must rise with n."""
    high = max(1, math.ceil(guess))
    while power_at(high) < power:
        high *= 2
        if high > 10**9:
            raise ValueError("more than a billion samples would be needed; the wanted effect is too close to none.")
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    return high


def discordant_grid(n: int, discordance: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Numbers of discordant pairs among `n`, and their probabilities; thinned evenly to at most 101 numbers."""
    from scipy.special import gammaln, xlog1py, xlogy

    spread = 6.5 * math.sqrt(n * discordance * (1.0 - discordance)) + 1.0
    low, high = max(0, math.floor(n * discordance - spread)), min(n, math.ceil(n * discordance + spread))
    counts = np.unique(np.linspace(low, high, min(101, high - low + 1)).astype(np.int64))
    log = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    weights = np.exp(log + xlogy(counts, discordance) + xlog1py(n - counts, -discordance))
    return counts, weights / weights.sum()


def power_paired(n: SupportsIndex, difference: float, discordance: float, *, alpha: float = 0.05) -> float:
    """Probability that the exact McNemar test at level `alpha` finds a true paired difference.

    Parameters
    ----------
    n
        Shared samples.
    difference
        True difference of the two proportions, as a proportion.
    discordance
        Share of samples that exactly one model gets right; at least ``abs(difference)``.
    alpha
        Two-sided level.

    Returns
    -------
    float
        The power, exact up to thinning of the discordant numbers summed over.

    Raises
    ------
    ValueError
        If `discordance` is less than ``abs(difference)`` or an argument is out of range.

    References
    ----------
    .. [1] Connor (1987). Sample size for testing differences in proportions for the paired-sample design. Biometrics
       43, 207-211. (The asymptotic formula this refines.)

    Examples
    --------
    >>> round(power_paired(1000, 0.03, 0.10), 3)
    0.834
    """
    check_fraction("alpha", alpha)
    total = check_count("n", n)
    _check_discordance(difference, discordance)
    return _mcnemar_power(total, discordance, alpha)(difference)


def _mcnemar_power(n: int, discordance: float, alpha: float) -> Callable[[float], float]:
    """The exact test's power as a function of the difference; its critical values are found once."""
    from scipy.special import bdtr, bdtrc

    if n == 0 or discordance == 0.0:
        return lambda difference: 0.0
    counts, weights = discordant_grid(n, discordance)
    # The least number of gains, of each number of discordant pairs, at which the two-sided test rejects.
    gains = least_true(lambda gains: bdtrc(gains - 1.0, counts, 0.5) <= alpha / 2.0, counts)
    possible = gains <= counts
    counts, weights, gains = counts[possible], weights[possible], gains[possible]

    def power(difference: float) -> float:
        gain = min(1.0, (discordance + abs(difference)) / (2.0 * discordance))
        reject = bdtrc(gains - 1.0, counts, gain) + bdtr(counts - gains + 0.0, counts, gain)
        return min(1.0, float(weights @ reject))

    return power


def _check_discordance(difference: float, discordance: float) -> None:
    check_share("discordance", discordance)
    if not abs(difference) <= discordance:
        raise ValueError(
            f"discordance is {discordance!r} and the difference {difference!r}: at least as many samples must be "
            "discordant as the difference is wide."
        )


def minimum_detectable_effect_paired(
    n: SupportsIndex, discordance: float, *, alpha: float = 0.05, power: float = 0.8, design_effect: float = 1.0
) -> float | None:
    """Smallest true paired difference that the exact McNemar test finds with probability `power`.

    Parameters
    ----------
    n
        Shared samples.
    discordance
        Share of samples that exactly one model gets right. A difference wider than this brings its own: then every
        discordant sample is taken to move the same way.
    alpha, power
        Two-sided level; wanted power.
    design_effect
        Variance of the clustered difference over that of independent samples.

    Returns
    -------
    float or None
        As a proportion; None if even a difference of 1 would not be found (fewer than 6 samples at 5%).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(minimum_detectable_effect_paired(1000, 0.10), 4)
    0.0288
    >>> round(minimum_detectable_effect_paired(35_030, 0.10), 4)
    0.0048
    >>> minimum_detectable_effect_paired(5, 0.10) is None
    True
    """
    check_fraction("power", power)
    check_share("discordance", discordance)
    check_fraction("alpha", alpha)
    samples = effective_n(n, design_effect)
    within = _mcnemar_power(samples, discordance, alpha)

    def excess(difference: float) -> float:
        beyond = difference > discordance
        return (_mcnemar_power(samples, difference, alpha) if beyond else within)(difference) - power

    if excess(1.0) < 0.0:
        return None
    return find_root(excess, 0.0, 1.0, tolerance=1e-6) if excess(0.0) < 0.0 else 0.0


def sample_size_paired(
    difference: float, discordance: float, *, alpha: float = 0.05, power: float = 0.8, design_effect: float = 1.0
) -> int:
    """Shared samples with which the exact McNemar test finds a true paired difference with probability `power`.

    Parameters
    ----------
    difference
        The wanted difference, as a proportion, not 0.
    discordance
        Share of samples that exactly one model gets right; at least ``abs(difference)``.
    alpha, power, design_effect
        As in `minimum_detectable_effect_paired`.

    Raises
    ------
    ValueError
        If the difference is 0, `discordance` is less, or an argument is out of range.

    Examples
    --------
    >>> sample_size_paired(0.02, 0.10)
    2041
    """
    from scipy.special import ndtri

    check_fraction("power", power)
    _check_discordance(difference, discordance)
    effective_n(1, design_effect)
    if difference == 0.0:
        raise ValueError("difference is 0: no number of samples finds a difference that is not there.")
    spread = math.sqrt(discordance - difference**2)
    guess = ((ndtri(1.0 - alpha / 2.0) * math.sqrt(discordance) + ndtri(power) * spread) / difference) ** 2
    return math.ceil(
        smallest_n(lambda n: power_paired(n, difference, discordance, alpha=alpha), power, guess) * design_effect
    )


def minimum_detectable_effect_unpaired(
    n: SupportsIndex,
    reference_n: SupportsIndex,
    rate: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> float | None:
    """Smallest true difference that the score test of `compare_unpaired` finds with probability `power`.

    Parameters
    ----------
    n, reference_n
        Samples of each side, none shared.
    rate
        The middle of the two true proportions.
    alpha, power, design_effect
        As in `minimum_detectable_effect_paired`.

    Returns
    -------
    float or None
        As a proportion; None if no difference around this rate would be found.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    .. [1] Fleiss, Levin, Paik (2003). Statistical Methods for Rates and Proportions, 3rd ed., chapter 4.

    Examples
    --------
    >>> round(minimum_detectable_effect_unpaired(1000, 1000, 0.6), 4)
    0.0613
    """
    from scipy.special import ndtr, ndtri

    check_fraction("power", power)
    check_fraction("alpha", alpha)
    check_share("rate", rate)
    first, second = effective_n(n, design_effect), effective_n(reference_n, design_effect)
    widest = 2.0 * min(rate, 1.0 - rate)
    if not first or not second or widest == 0.0:
        return None

    def excess(difference: float) -> float:
        start = min(1.0, max(0.0, rate - difference / 2.0))
        null, true = _spreads(start + difference, start, second / first)
        limit, moved = -float(ndtri(alpha / 2.0)) * null / true, difference * math.sqrt(first) / true
        return float(ndtr(moved - limit) + ndtr(-limit - moved)) - power

    # At the very end both variances can vanish, so stop just short of it.
    widest *= 1.0 - 1e-9
    return find_root(excess, 1e-12, widest, tolerance=1e-9) if excess(widest) > 0.0 else None


def sample_size_unpaired(
    difference: float,
    rate: float,
    *,
    ratio: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """Samples of the candidate with which the score test finds a true difference with probability `power`.

    Parameters
    ----------
    difference
        The wanted difference, as a proportion, not 0.
    rate
        The middle of the two true proportions.
    ratio
        The reference's samples for each of the candidate's.
    alpha, power, design_effect
        As in `minimum_detectable_effect_paired`.

    Raises
    ------
    ValueError
        If the difference is 0 or leads out of [0, 1], or an argument is out of range.

    Examples
    --------
    Over four times what the same difference needs on shared samples of which a tenth is discordant:

    >>> sample_size_unpaired(0.02, 0.6), sample_size_paired(0.02, 0.10)
    (9418, 2041)
    """
    from scipy.special import ndtri

    check_fraction("alpha", alpha)
    check_fraction("power", power)
    if difference == 0.0:
        raise ValueError("difference is 0: no number of samples finds a difference that is not there.")
    if not ratio > 0.0:
        raise ValueError(
            f"ratio is {ratio!r}; expected a positive number of reference samples for each of the candidate's."
        )
    effective_n(1, design_effect)
    start = check_share("rate - difference / 2", rate - difference / 2.0)
    check_share("rate + difference / 2", rate + difference / 2.0)
    smaller = min(start, start + difference)
    null, true = _spreads(smaller + abs(difference), smaller, ratio)
    needed = ((ndtri(alpha / 2.0) * null - ndtri(power) * true) / difference) ** 2
    return math.ceil(float(needed) * design_effect)


def _spreads(rate: float, reference_rate: float, ratio: float) -> tuple[float, float]:
    """Standard deviations of the difference of two rates if they are equal, and if they are these.

    For one sample of the candidate and ``ratio`` of the reference. Source: Fleiss, Levin, Paik (2003), chapter 4.
    """
    pooled = (rate + ratio * reference_rate) / (1.0 + ratio)
    null = pooled * (1.0 - pooled) * (1.0 + 1.0 / ratio)
    true = rate * (1.0 - rate) + reference_rate * (1.0 - reference_rate) / ratio
    return math.sqrt(null), math.sqrt(true)
