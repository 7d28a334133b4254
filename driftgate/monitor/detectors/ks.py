"""Kolmogorov and Smirnov's two-sample test of numbers, with the change of their typical size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import Interval
from driftgate.monitor.detectors._detector import MIN_ROWS, Detector, Evidence, too_few
from driftgate.monitor.signals import Direction

_METHOD = "ks"
_MOST_EXACT = 300


def compare(
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    bad: Direction = "either",
    resolution: float = 0.0,
    seed: int = 0,
) -> Evidence:
    """Compare two windows of numbers that are 0 or more.

    The evidence is the two-sample Kolmogorov-Smirnov test's [1]_, exact for small windows, conservative with ties. A
    KS distance means little to a person, so the effect is the relative change of the geometric mean: 0.75 says that a
    value is typically 75% higher. It moves with the middle and with the tail, unlike the median, and not with one
    stray value, unlike the mean. Its interval is Welch's for the means of the logarithms [2]_.

    Parameters
    ----------
    reference, current
        Shapes (n,) and (m,), in the signal's unit.
    resolution
        Added before logarithms are taken, so that a 0 has one.
    bad
        ``higher`` and ``lower`` make the test one-sided.
    seed
        Not used here.

    Raises
    ------
    ValueError
        A value is negative or not finite, or one is 0 and there is no resolution.

    References
    ----------
    .. [1] Hodges (1958). The significance probability of the Smirnov two-sample test. Arkiv för Matematik 3, 469-486.
    .. [2] Welch (1947). The generalization of "Student's" problem when several different population variances are
       involved. Biometrika 34, 28-35.

    Examples
    --------
    Latencies in seconds, then a fifth slower:

    >>> before = np.linspace(0.5, 1.5, 200)
    >>> found = compare(before, 1.2 * before)
    >>> print(found.effect)
    0.2000 [0.1290, 0.2755] (95% welch-log, n=400)
    >>> round(found.p_value, 6)
    7e-06
    """
    before, after = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    n, m = before.size, after.size
    if min(n, m) < MIN_ROWS:
        return too_few(n, m, _METHOD)
    together = np.concatenate([before, after])
    if not np.isfinite(together).all() or together.min() < 0.0 or together.min() + resolution <= 0.0:
        raise ValueError(
            f"values from {together.min()!r} to {together.max()!r} with resolution {resolution}; expected finite "
            "numbers of 0 or more, and a resolution above 0 where one is 0."
        )
    from scipy import stats

    low, high = np.log(before + resolution), np.log(after + resolution)
    estimate = float(np.expm1(high.mean() - low.mean()))
    if low.std() + high.std() < 1e-12:
        effect = Interval.unknown(
            estimate, level=0.95, method="welch-log", n=n + m, reason="all values of a window are alike"
        )
    else:
        limits = stats.ttest_ind(high, low, equal_var=False).confidence_interval(0.95)
        effect = Interval(
            estimate, math.expm1(limits.low), math.expm1(limits.high), level=0.95, method="welch-log", n=n + m
        )
    # "greater" is said of the distribution functions: where the reference's is the greater, current values are higher.
    alternative = {"higher": "greater", "lower": "less", "either": "two-sided"}[bad]
    # scipy's exact computation gives up, with a warning, on larger windows.
    method = "exact" if max(n, m) <= _MOST_EXACT else "asymp"
    distance = stats.ks_2samp(before, after, alternative=alternative, method=method)
    return Evidence(
        p_value=float(distance.pvalue),
        effect=effect,
        reference_value=float(np.exp(low.mean()) - resolution),
        current_value=float(np.exp(high.mean()) - resolution),
        n_reference=n,
        n_current=m,
        method=_METHOD,
        detail={"ks_distance": float(distance.statistic)},
    )


DETECTOR = Detector("continuous", compare)
