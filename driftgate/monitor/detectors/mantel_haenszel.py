"""Exact conditional test of canaries asked once or several times in each window."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.monitor.detectors._detector import Detector, Evidence
from driftgate.monitor.detectors._paired import paired_evidence, paired_shares
from driftgate.monitor.signals import Direction

_METHOD = "mantel-haenszel-exact"


def compare(
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    bad: Direction = "lower",
    resolution: float = 0.0,
    seed: int = 0,
) -> Evidence:
    """Compare canaries' current answers with their reference answers, exactly.

    If nothing changed, a canary's answers are exchangeable: which of its right ones fell into the current window is a
    draw without replacement. So the number of right current answers is a sum of independent hypergeometric variables,
    one a canary, whatever each canary's own chance to be answered right. This is the exact form of Mantel and
    Haenszel's test [1]_ [2]_ with canaries as strata; of canaries asked once in each window it is McNemar's. It holds
    for one look, and for several looks pooled, also of a canary that is right now and then; how much many looks may do
    together is `driftgate.monitor.pooling`'s.

    Parameters
    ----------
    reference, current
        Of each canary, in the same order, how many answers were right and how many there are: shape (n, 2).
    bad
        ``lower`` and ``higher`` make the test one-sided; ``either`` doubles the smaller side.
    resolution, seed
        As in `driftgate.monitor.detectors.Detector`; not used here.

    Returns
    -------
    Evidence
        As in `paired_evidence`.

    References
    ----------
    .. [1] Mantel, Haenszel (1959). Statistical aspects of the analysis of data from retrospective studies of disease.
       Journal of the National Cancer Institute 22, 719-748.
    .. [2] Gart (1970). Point and interval estimation of the common odds ratio in the combination of 2 x 2 tables with
       fixed marginals. Biometrika 57, 471-475.

    Examples
    --------
    Seven canaries lost and one gained, in the example of `driftgate.benchmarks.stats.mcnemar_exact` (two-sided 0.0703):

    >>> once = np.ones(21)
    >>> before, after = np.repeat([1, 1, 0, 0], [1, 7, 1, 12]), np.repeat([1, 0, 1, 0], [1, 7, 1, 12])
    >>> round(compare(np.c_[before, once], np.c_[after, once], bad="either").p_value, 4)
    0.0703
    """
    before, after = paired_shares(reference, current)
    return paired_evidence(before, after, exact_p_value(reference, current, bad), _METHOD)


def exact_p_value(reference: NDArray[Any], current: NDArray[Any], bad: Direction) -> float:
    """The p-value of `compare` alone."""
    chances, least = _right_answers(reference, current)
    observed = int(current[:, 0].sum()) - least
    lower, higher = float(chances[: observed + 1].sum()), float(chances[observed:].sum())
    return min(1.0, {"lower": lower, "higher": higher, "either": 2.0 * min(lower, higher)}[bad])


def _right_answers(reference: NDArray[Any], current: NDArray[Any]) -> tuple[NDArray[np.float64], int]:
    """Probability of the least, the next, ... number of right current answers in all, if the windows are alike."""
    tables = np.column_stack([reference + current, current[:, 1]]).astype(np.int64)
    total, least = np.ones(1), 0
    for right, asked, now in tables.tolist():
        one, first = _of_one(right, asked, now)
        least += first
        if one.size > 1:  # a canary whose answers are all alike can only be as it is
            total = np.convolve(total, one)
    return total, least


@lru_cache(maxsize=100_000)
def _of_one(right: int, asked: int, now: int) -> tuple[NDArray[np.float64], int]:
    """The distribution of one canary's right answers where it can be at all, and its least number."""
    from scipy.stats import hypergeom

    first, last = max(0, now - (asked - right)), min(now, right)
    chances: NDArray[np.float64] = hypergeom.pmf(np.arange(first, last + 1), asked, right, now)
    return chances, first


DETECTOR = Detector("paired_binary", compare)
