"""Score statistics for a difference of two proportions, with the variance the tested difference itself implies.

Both put the difference under test, not the observed one, into the variance. So they hold their level at a
non-inferiority margin, where a Wald statistic does not, and stay defined when no pair is discordant.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._root import find_root

__all__ = ["constrained_rates", "independent_score", "paired_score", "score_limit"]

_EDGE = 1e-9


def _standardise(numerator: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """numerator / sqrt(variance), with the limit (0 or an infinity) where the variance vanishes."""
    safe = np.where(variance > 0.0, variance, 1.0)
    # No numerator to speak of is a statistic of zero, whatever a rounding error made of the variance.
    limit = np.where(np.abs(numerator) <= 1e-12, 0.0, np.copysign(np.inf, numerator))
    return np.where(variance > 1e-15, numerator / np.sqrt(safe), limit)


def paired_score(value: float, gained: ArrayLike, lost: ArrayLike, n: float) -> NDArray[np.float64]:
    r"""Tango's score statistic for "the paired difference is `value`" (vectorised over the counts).

    :math:`T(\Delta) = (b - c - n \Delta) / \sqrt{n (2 \tilde q + \Delta (1 - \Delta))}` with b gained, c lost and
    :math:`\tilde q` the maximum-likelihood probability of a loss under :math:`\Delta` (Tango 1998, eq. 11 to 13). At
    :math:`\Delta = 0` its square is McNemar's chi-square.

    References
    ----------
    Tango (1998). Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design. Statistics in Medicine 17, 891-908.
    """
    b, c = np.asarray(gained, dtype=np.float64), np.asarray(lost, dtype=np.float64)
    linear = -b - c + (2.0 * n - b + c) * value
    constant = -c * value * (1.0 - value)
    root = np.sqrt(np.maximum(linear**2 - 8.0 * n * constant, 0.0))
    loss = (root - linear) / (4.0 * n)
    variance = n * (2.0 * loss + value * (1.0 - value))
    return _standardise(b - c - n * value, np.asarray(variance))


def independent_score(
    value: float, right: ArrayLike, n: float, reference_right: ArrayLike, reference_n: float
) -> NDArray[np.float64]:
    """Farrington and Manning's score statistic for "the difference of independent proportions is `value`".

    At 0 its square is Pearson's chi-square.

    References
    ----------
    Farrington, Manning (1990). Test statistics and sample size formulae for comparative binomial trials with null
    hypothesis of non-zero risk difference or non-unity relative risk. Statistics in Medicine 9, 1447-1454.
    """
    x1, x0 = np.asarray(right, dtype=np.float64), np.asarray(reference_right, dtype=np.float64)
    rate1, rate0 = constrained_rates(value, x1, n, x0, reference_n)
    variance = rate1 * (1.0 - rate1) / n + rate0 * (1.0 - rate0) / reference_n
    return _standardise(x1 / n - x0 / reference_n - value, np.asarray(variance))


def constrained_rates(
    value: float, right: ArrayLike, n: float, reference_right: ArrayLike, reference_n: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two proportions most likely to give these counts if they differ by `value`.

    They solve the cubic likelihood equation in closed form (Miettinen and Nurminen 1985, appendix I). statsmodels 0.15
    has a count in place of a sample size in that equation's linear term, so its proportions are not the most likely
    ones.

    References
    ----------
    Miettinen, Nurminen (1985). Comparative analysis of two rates. Statistics in Medicine 4, 213-226.
    """
    x1, x0 = np.asarray(right, dtype=np.float64), np.asarray(reference_right, dtype=np.float64)
    total, events = n + reference_n, x1 + x0
    l2 = ((n + 2.0 * reference_n) * value - total - events) / (3.0 * total)
    l1 = ((reference_n * value - total - 2.0 * x0) * value + events) / (3.0 * total)
    l0 = x0 * value * (1.0 - value) / total
    q = l2**3 - 1.5 * l1 * l2 + 0.5 * l0
    p = np.copysign(np.sqrt(np.maximum(l2**2 - l1, 0.0)), q)
    cosine = np.clip(np.divide(q, p**3, out=np.ones_like(q), where=p != 0.0), -1.0, 1.0)
    root = 2.0 * p * np.cos((math.pi + np.arccos(cosine)) / 3.0) - l2
    rate0 = np.clip(root, max(0.0, -value), min(1.0, 1.0 - value))
    return np.clip(rate0 + value, 0.0, 1.0), rate0


def score_limit(statistic: Callable[[float], float], quantile: float) -> float:
    """The difference in [-1, 1] at which a statistic that falls with the difference equals `quantile`."""

    def excess(value: float) -> float:
        return max(-1e9, min(1e9, statistic(value))) - quantile

    if excess(-1.0 + _EDGE) <= 0.0:
        return -1.0
    if excess(1.0 - _EDGE) >= 0.0:
        return 1.0
    return find_root(excess, -1.0 + _EDGE, 1.0 - _EDGE, tolerance=1e-10)
