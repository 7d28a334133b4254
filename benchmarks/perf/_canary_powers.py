"""What the best tests there can be find of a loss, so that one knows where the information is not there.

Both are told what nobody is told: of what kinds the canaries are, how many are lost, and when. The first is the most
powerful test that knows no canary's own chance, as an exact test must not: the likelihood ratio given each canary's
right answers before and after together (Lehmann and Romano [1]_, chapter 4.4), here with the tail that a normal
saddlepoint formula gives. The second also knows how many canaries of each kind there are (Neyman and Pearson's lemma).
Their level is that of all the looks in which a loss may be found together.

References
----------
.. [1] Lehmann, Romano (2005). Testing Statistical Hypotheses, third edition. Springer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import binom, norm

from driftgate.monitor.config import REFERENCE_LOOKS
from driftgate.monitor.pooling import Budget

_KINDS = ((1.0, 0.65), (0.0, 0.15), (0.7, 0.1), (0.4, 0.1))
"""Chances to be right, and how many canaries have them."""
_CHANCE, _FALLS_FROM, _AFTER, _YEAR = 0.25, 0.7, 48, 8760
_SURELY = 60.0
"""In the place of an infinite likelihood ratio."""

Floats = NDArray[np.float64]


def most_powerful(canaries: int, loss: float, before: int, runs: int, seed: int) -> tuple[float, float]:
    """The power of both tests against a loss after so many looks beside eight of the reference."""
    asked = REFERENCE_LOOKS + before
    level = _AFTER * Budget(0.05, _YEAR).level
    falling = [(chance, share) for chance, share in _KINDS if chance >= _FALLS_FROM]
    among = sum(share for _, share in falling)
    step = sum(share * (chance - _CHANCE) for chance, share in falling) / among
    lost = loss / step / among
    quiet, moved = _tables(asked, 0.0), _tables(asked, lost)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(np.log(moved / quiet), nan=0.0, posinf=_SURELY, neginf=-_SURELY)
    rng = np.random.default_rng([seed, canaries, round(1000 * loss)])
    drawn = _draws(rng, canaries, lost * among * canaries, asked, runs)
    # The tail under the null from draws under the alternative, each weighed by its ratio.
    cells = rng.choice(moved.size, size=(4000, canaries), p=moved.ravel() / moved.sum())
    ordered = np.sort(ratio.ravel()[cells].sum(axis=1))[::-1]
    tail = np.cumsum(np.exp(-ordered)) / ordered.size
    bar = ordered[min(int(np.searchsorted(tail, level)), ordered.size - 1)]
    known = ratio[drawn[..., 0], drawn[..., 1]].sum(axis=1) > bar
    return float((_conditional(drawn, moved, asked) <= level).mean()), float(known.mean())


def _tables(asked: int, lost: float) -> Floats:
    """The chances of right answers before and after, if a canary that mostly was right is lost with a chance."""
    before, after = np.arange(asked + 1)[:, None], np.arange(_AFTER + 1)[None]
    total = np.zeros((asked + 1, _AFTER + 1))
    for chance, share in _KINDS:
        gone = lost if chance >= _FALLS_FROM else 0.0
        now = gone * binom.pmf(after, _AFTER, _CHANCE) + (1.0 - gone) * binom.pmf(after, _AFTER, chance)
        total += share * binom.pmf(before, asked, chance) * now
    return total


def _draws(rng: np.random.Generator, canaries: int, lost: float, asked: int, runs: int) -> NDArray[np.int64]:
    """Right answers before and after of runs with so many lost canaries, of which the last is lost in part."""
    chances, shares = zip(*_KINDS, strict=True)
    before = rng.choice(chances, size=(runs, canaries), p=shares)
    after = before.copy()
    for run in range(runs):
        falling = rng.permutation(np.flatnonzero(before[run] >= _FALLS_FROM))
        whole = int(lost)
        after[run, falling[:whole]] = _CHANCE
        last = falling[whole : whole + 1]
        after[run, last] -= (lost - whole) * (before[run, last] - _CHANCE)
    return np.stack([rng.binomial(asked, before), rng.binomial(_AFTER, after)], axis=-1)


def _conditional(drawn: NDArray[np.int64], moved: Floats, asked: int) -> Floats:
    """P-values of the likelihood ratio given each canary's right answers in all."""
    from scipy.stats import hypergeom

    total, after = np.arange(asked + _AFTER + 1)[:, None], np.arange(_AFTER + 1)[None]
    before = total - after
    possible = (before >= 0) & (before <= asked)
    alone = np.where(possible, hypergeom.pmf(after, asked + _AFTER, total, _AFTER), 0.0)
    there = np.where(possible, moved[np.clip(before, 0, asked), after], 0.0)
    there = there / np.maximum(there.sum(axis=1, keepdims=True), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(alone > 0.0, np.clip(np.log(there / alone), -_SURELY, _SURELY), 0.0)
    tilts = np.concatenate([[1e-3], np.arange(0.02, 2.0, 0.02)])
    bent = np.where(alone > 0.0, alone, 0.0)[None] * np.exp(tilts[:, None, None] * scores[None])
    mass = bent.sum(axis=2)
    mean = (bent * scores[None]).sum(axis=2) / mass
    spread = (bent * scores[None] ** 2).sum(axis=2) / mass - mean**2
    found = np.ones(len(drawn))
    for run, one in enumerate(drawn):
        kinds = one.sum(axis=1)
        observed = scores[kinds, one[:, 1]].sum()
        cumulants = np.log(mass[:, kinds]).sum(axis=1)
        at = int((cumulants - tilts * observed).argmin())
        tilt, variance = tilts[at], spread[at, kinds].sum()
        root = np.sqrt(max(2.0 * (tilt * observed - cumulants[at]), 1e-12))
        wide = tilt * np.sqrt(variance)
        if at and wide > 0.0:
            found[run] = np.clip(1.0 - ndtr(root) + norm.pdf(root) * (1.0 / wide - 1.0 / root), 0.0, 1.0)
    return found
