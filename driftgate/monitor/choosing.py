"""Canaries that are chosen by the information they carry about a change of the model.

A canary says that the model changed where its answer is another than before. How surely, is a matter of two chances:
that its answer differs though nothing changed (``unsteady``, from repeats), and that it differs after a change
(``changes``). The information of one ask is the Kullback-Leibler divergence of the second from the first: by Stein's
lemma [1]_ the chance of a test to miss the change falls with the exponent of their sum over all asks, so canaries with
twice the information say as much with half of the requests. What is always answered alike by every model says nothing,
and what is answered anyhow says little; most is said by what the model just about settles on.

A canary has a margin by which its usual answer wins over the noise of asking, with spread 1. How large margins are in
the mean is fitted to all repeats together, and what is known of one canary is its repeats in the light of that; its
information is the mean over the margins that it may have. A change moves margins by as much again as asking does, and
it moves the answers on which other models differ: where these were asked, they count against two models' worth of the
margins.

References
----------
.. [1] Cover, Thomas (2006). Elements of Information Theory, second edition. Wiley. Chapter 11.8.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_OF_MARGINS = 2.0
"""How many other models what the margins tell counts as much as."""
PROBED = 0.2
"""How often a canary of a probe answers otherwise though nothing changed, about: what it settles on hangs on little,
and four answers in a row that are all others are still news."""
_CHANGED = math.sqrt(2.0)
"""The spread of a margin after a change: that of asking, and as much again."""
_LEAST = 1e-3
"""No canary is steadier: a reply may always be garbled."""
Counts = NDArray[np.integer[Any]]
_MARGINS = np.linspace(0.0, 6.0, 61)
_SPREADS = np.geomspace(0.25, 8.0, 26)


@dataclass(frozen=True)
class Informed:
    """What one canary can tell."""

    key: str
    unsteady: float
    """The chance that its answer is not the usual one though nothing changed."""
    changes: float
    """The chance after a change."""
    information: float
    """What one ask tells of a change, in nats."""
    tokens: float | None = None
    """What one ask costs, in the mean; None where that is not known."""

    @property
    def per_token(self) -> float:
        """What a token tells; of an ask where its tokens are not known."""
        return self.information / (self.tokens or 1.0)


def informed(
    answers: pd.DataFrame, others: Sequence[Mapping[str, str]] = (), *, tokens: Mapping[str, float] | None = None
) -> list[Informed]:
    """What each canary can tell of a change of the model.

    Parameters
    ----------
    answers : DataFrame
        ``key`` and ``answer`` of the model that is to be watched, a row for every time that it was asked; of what was
        not measured there is none.
    others : sequence of mapping
        Of each other model its answer by key.
    tokens : mapping, optional
        What an ask costs by key; none where it is not known of all.

    Returns
    -------
    list
        In the order in which the keys come first.

    Examples
    --------
    Three canaries asked five times, of which the last is a coin's throw, and what two other models say:

    >>> import pandas as pd
    >>> answers = pd.DataFrame({"key": list("abc") * 5, "answer": ["A", "B", "C"] * 3 + ["A", "B", "D"] * 2})
    >>> for one in informed(answers, [{"a": "A", "b": "D", "c": "D"}, {"a": "A", "b": "C", "c": "C"}]):
    ...     print(one.key, f"{one.unsteady:.2f} {one.changes:.2f} {one.information:.2f}")
    a 0.04 0.08 0.02
    b 0.04 0.54 1.84
    c 0.31 0.43 0.06
    """
    from scipy.stats import norm

    counts = answers.groupby(["key", "answer"], sort=False).size()
    by_key = counts.groupby(level=0, sort=False)
    asked, most = by_key.sum().to_numpy(dtype=np.int64), by_key.max().to_numpy(dtype=np.int64)
    keys = [str(key) for key in by_key.sum().index]
    usual = {str(key): str(answer) for key, answer in by_key.idxmax()}
    unsteady = np.clip(norm.sf(_MARGINS), _LEAST, 0.5)
    moved = np.maximum(norm.sf(_MARGINS / _CHANGED), unsteady)
    weights = _posterior(asked - most, asked, unsteady)
    found = []
    for key, weight in zip(keys, weights, strict=True):
        other = [one[key] != usual[key] for one in others if key in one]
        changes = (_OF_MARGINS * moved + sum(other)) / (_OF_MARGINS + len(other))
        # That other models agree does not make a canary steadier than it is.
        changes = np.clip(changes, moved, 1.0 - _LEAST)
        told = changes * np.log(changes / unsteady) + (1.0 - changes) * np.log((1.0 - changes) / (1.0 - unsteady))
        means = [float(weight @ values) for values in (unsteady, changes, told)]
        found.append(Informed(key, means[0], means[1], means[2], (tokens or {}).get(key)))
    return found


def _posterior(odd: Counts, asked: Counts, unsteady: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each margin is of each canary, the spread of all margins being the likeliest."""
    chances = unsteady ** odd[:, None] * (1.0 - unsteady) ** (asked - odd)[:, None]
    priors = np.exp(-0.5 * (_MARGINS / _SPREADS[:, None]) ** 2)
    priors /= priors.sum(axis=1, keepdims=True)
    prior = priors[np.log(chances @ priors.T).sum(axis=0).argmax()]
    weights = chances * prior
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def chosen(canaries: Sequence[Informed], n: int, *, seed: int = 0) -> list[Informed]:
    """The ``n`` canaries that tell most by the token, in their order; ``seed`` decides between equals.

    Examples
    --------
    >>> [one.key for one in chosen([Informed("a", 0.1, 0.2, 0.04, 100.0), Informed("b", 0.1, 0.3, 0.1, 1000.0)], 1)]
    ['a']
    """
    known, drawn = all(one.tokens for one in canaries), random.Random(seed)

    def rank(at: int) -> tuple[float, float]:
        return -(canaries[at].per_token if known else canaries[at].information), drawn.random()

    return [canaries[at] for at in sorted(sorted(range(len(canaries)), key=rank)[:n])]


def chosen_for_probe(canaries: Sequence[Informed], n: int, *, seed: int = 0) -> list[Informed]:
    """The ``n`` canaries whose unsteadiness is nearest to `PROBED`, in their order; ``seed`` decides between equals.

    Examples
    --------
    >>> of = [Informed(key, unsteady, 0.3, 0.1) for key, unsteady in zip("abc", (0.02, 0.19, 0.45))]
    >>> [one.key for one in chosen_for_probe(of, 1)]
    ['b']
    """
    drawn = random.Random(seed)
    ranks = [(abs(one.unsteady - PROBED), drawn.random(), at) for at, one in enumerate(canaries)]
    return [canaries[at] for at in sorted(at for *_, at in sorted(ranks)[:n])]
