"""Exact test of canaries of which a few answer otherwise now, each asked several times in a window."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.monitor.detectors import mantel_haenszel
from driftgate.monitor.detectors._detector import Detector, Evidence
from driftgate.monitor.detectors._paired import paired_shares
from driftgate.monitor.signals import Direction

_METHOD = "few-changed"
SHARES: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Of the canaries that changed, each an equally likely alternative."""
ODDS: tuple[float, ...] = (0.003, 0.03, 0.2)
"""By what a canary that changed multiplies its odds to be right, or to agree; equally likely."""

Floats = NDArray[np.float64]


def compare(
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    bad: Direction = "lower",
    resolution: float = 0.0,
    seed: int = 0,
) -> Evidence:
    r"""Compare canaries' current answers with their reference answers, where a few may have changed and the rest not.

    The test of sums (`driftgate.monitor.detectors.mantel_haenszel`) asks whether all canaries together got worse, and
    ten of fifty that answer otherwise drown in the noise of forty that are right now and then. Yet a canary that agreed
    in eight of ten answers and now in none of four is news by itself. Given all its answers, the number k of a canary's
    right ones that fell into the window is hypergeometric, :math:`P_0`, if nothing changed, and Fisher's noncentral
    hypergeometric, :math:`P_\omega`, if its odds were multiplied by :math:`\omega`. With :math:`L` the mean of
    :math:`P_\omega / P_0` over :math:`\omega`, the product over canaries of :math:`1 - \pi + \pi L` has the mean 1
    under :math:`P_0`; so has its mean over the shares :math:`\pi` of canaries that changed: an e-value [1]_, one over
    which is a p-value by Markov's inequality. One more wrong answer never makes it larger: the mean of
    :math:`\omega^k` over :math:`P_0` falls by no more than :math:`\omega` where one right answer more is dealt out.

    The p-value is twice the smaller one of the two tests.

    Parameters
    ----------
    reference, current
        Of each canary, in the same order, how many answers were right and how many there are: shape (n, 2).
    bad
        ``higher`` looks for gains; ``either`` takes the sum's two-sided test and twice the smaller side of this one.
    resolution, seed
        As in `driftgate.monitor.detectors.Detector`; not used here.

    Returns
    -------
    Evidence
        As in `paired_evidence`; ``detail`` holds the logarithm of the e-value, ``log_e``.

    References
    ----------
    .. [1] Vovk, Wang (2021). E-values: calibration, combination and applications. Annals of Statistics 49, 1736-1754.

    Examples
    --------
    Fifty canaries that agree in 24 of 31 answers; then ten of them in none of four, and the others as before:

    >>> before = np.tile([24.0, 31.0], (50, 1))
    >>> after = np.c_[np.repeat([0.0, 3.0], [10, 40]), np.full(50, 4.0)]
    >>> sums, few = mantel_haenszel.compare(before, after).p_value, compare(before, after).p_value
    >>> f"{sums:.2g} {few:.2g}"
    '2.8e-07 1.5e-09'
    """
    found = mantel_haenszel.compare(reference, current, bad=bad)
    if found.p_value is None:
        return replace(found, method=_METHOD)
    paired_shares(reference, current)
    sides = {"lower": (False,), "higher": (True,), "either": (False, True)}[bad]
    logs = [log_e_value(*(_turned(side) if turn else side for side in (reference, current))) for turn in sides]
    few = min(1.0, len(logs) * float(np.exp(-max(logs))))
    detail = {**found.detail, "log_e": max(logs)}
    return replace(found, p_value=min(1.0, 2.0 * min(found.p_value, few)), method=_METHOD, detail=detail)


def log_e_value(reference: NDArray[Any], current: NDArray[Any]) -> float:
    """The natural logarithm of the e-value against "no canary got worse".

    Parameters
    ----------
    reference, current
        Counts of right and of all answers, shape (n, 2).

    Examples
    --------
    Nothing is told by canaries that are always right:

    >>> always = np.full((20, 2), 4.0)
    >>> log_e_value(always, always)
    0.0
    """
    from scipy.special import logsumexp

    tables = np.column_stack([reference, current]).astype(np.int64)
    kinds, counts = np.unique(tables, axis=0, return_counts=True)
    ratios = np.array([_ratio(*(int(count) for count in kind)) for kind in kinds])
    each = np.log1p(np.array(SHARES)[:, None] * (ratios - 1.0)) @ counts
    return float(logsumexp(each) - np.log(len(SHARES)))


def _turned(side: NDArray[Any]) -> NDArray[Any]:
    """Wrong answers in the place of right ones."""
    return np.column_stack([side[:, 1] - side[:, 0], side[:, 1]])


@lru_cache(maxsize=100_000)
def _ratio(before: int, asked_before: int, now: int, asked: int) -> float:
    """How many times likelier a canary's answers are if it got worse than if nothing changed, given all of them."""
    from scipy.special import gammaln, logsumexp

    right = before + now
    of_now = np.arange(max(0, right - asked_before), min(asked, right) + 1)
    of_before = right - of_now
    ways = -(
        gammaln(of_now + 1)
        + gammaln(asked - of_now + 1)
        + gammaln(of_before + 1)
        + gammaln(asked_before - of_before + 1)
    )
    ways -= logsumexp(ways)
    logs = [now * np.log(odds) - logsumexp(ways + of_now * np.log(odds)) for odds in ODDS]
    return float(np.exp(min(700.0, logsumexp(logs) - np.log(len(ODDS)))))


DETECTOR = Detector("paired_binary", compare)
