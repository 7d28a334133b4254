"""Chi-square test of two shares, Fisher's exact test where there are few."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import compare_unpaired
from driftgate.monitor.detectors._detector import MIN_ROWS, Detector, Evidence, too_few
from driftgate.monitor.signals import Direction

_METHOD = "contingency"


def compare(
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    bad: Direction = "either",
    resolution: float = 0.0,
    seed: int = 0,
) -> Evidence:
    """Compare two windows of 0/1 values.

    The 2x2 table is tested by Pearson's chi-square where every expected count is at least 5 (Cochran's rule [1]_), by
    Fisher's exact test otherwise. evidently's ``chisquare`` is a one-sample test, which takes the reference for the
    truth, and raises false alarms in 28 to 82% of unchanged windows.

    Parameters
    ----------
    reference, current
        0 or 1 a row, shapes (n,) and (m,).
    bad
        ``higher`` and ``lower`` make the test one-sided, half of the chi-square's p-value.
    resolution, seed
        As in `driftgate.monitor.detectors.Detector`; not used here.

    Returns
    -------
    Evidence
        The effect is the difference of the shares with Newcombe's interval.

    Raises
    ------
    ValueError
        A value is neither 0 nor 1.

    References
    ----------
    .. [1] Cochran (1954). Some methods for strengthening the common chi-square tests. Biometrics 10, 417-451.

    Examples
    --------
    Six refusals in 300 calls, then 24:

    >>> found = compare(np.repeat([0, 1], [294, 6]), np.repeat([0, 1], [276, 24]))
    >>> print(found.effect)
    0.0600 [0.0256, 0.0978] (95% newcombe, n=600)
    >>> round(found.p_value, 5)
    0.00075
    """
    before, after = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    for values in (before, after):
        if not np.isin(values, (0.0, 1.0)).all():
            raise ValueError(f"a value is {values[~np.isin(values, (0.0, 1.0))][0]!r}; expected 0 or 1.")
    n, m = before.size, after.size
    if min(n, m) < MIN_ROWS:
        return too_few(n, m, _METHOD)
    x, y = int(before.sum()), int(after.sum())
    return Evidence(
        p_value=_p_value(np.array([[y, m - y], [x, n - x]]), bad),
        effect=compare_unpaired(y, m, x, n).interval,
        reference_value=x / n,
        current_value=y / m,
        n_reference=n,
        n_current=m,
        method=_METHOD,
    )


def _p_value(table: NDArray[np.int64], bad: Direction) -> float:
    from scipy import stats

    if not table.sum(axis=0).all():
        return 1.0
    if stats.contingency.expected_freq(table).min() < 5.0:
        alternative = {"higher": "greater", "lower": "less", "either": "two-sided"}[bad]
        return float(stats.fisher_exact(table, alternative=alternative).pvalue)
    p_value = float(stats.chi2_contingency(table, correction=False).pvalue)
    if bad == "either":
        return p_value
    risen = table[0, 0] * table[1].sum() > table[1, 0] * table[0].sum()
    return p_value / 2.0 if risen == (bad == "higher") else 1.0 - p_value / 2.0


DETECTOR = Detector("proportion", compare)
