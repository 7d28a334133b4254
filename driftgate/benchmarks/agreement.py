"""How well a judge agrees with people on texts that both graded, and whether that is enough for its scores to decide.

A judge is admitted where both hold.

It agrees with people: the quadratic weighted kappa [1]_ reaches :func:`wanted_kappa`. That is :data:`FLOOR`, and with
few texts as much more as keeps out one that grades at random: on the very grades that people gave, judges that draw
theirs at random reach it in one case of a hundred. One that always says the same has a kappa of 0 with any labels.

It says enough of what people say beyond the length of a text (:mod:`driftgate.benchmarks._beyond_length`). Where longer
answers are better answers a ruler agrees with people as well as a judge does, and is none.

A grade more extreme than people's earns no more than theirs, so that a grade farther from theirs does not help. A text
that the judge gave no grade counts as graded as wrongly as can be: no judge is admitted for what it did not say.

References
----------
.. [1] Cohen (1968). Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit.
   Psychological Bulletin 70(4), 213-220. With quadratic weights it is the concordance correlation of Lin (1989).
   A concordance correlation coefficient to evaluate reproducibility. Biometrics 45(1), 255-268.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks._beyond_length import beyond_length, wanted_beyond

Floats = NDArray[np.float64]

FLOOR = 0.4
"""The least weighted kappa with which scores decide, however many texts there are: moderate agreement."""
LEAST = 10
"""Texts that a judge must have graded."""
_AT_RANDOM = 0.01
"""How often a judge that grades at random may reach the wanted kappa."""
_DRAWS, _MOST_DRAWN = 4000, 100
"""Of judges at random, and up to how many texts: beyond that they stay far below :data:`FLOOR`."""


@dataclass(frozen=True)
class Agreement:
    """How well a judge's grades agree with people's."""

    n: int
    kappa: float
    """Quadratic weighted; 1 where all are equal, 0 where they agree as by chance."""
    low: float
    high: float
    """The 95% interval of ``kappa``."""
    mae: float
    """The mean distance of the two grades."""
    bias: float
    """The judge's mean grade less people's."""

    @property
    def words(self) -> str:
        """In one phrase.

        Examples
        --------
        >>> agreement(np.array([1.0, 2, 3, 4, 5, 4]), np.array([1.0, 2, 3, 5, 5, 4])).words
        'weighted kappa 0.96 (0.18 to 1.00), 0.2 grades from people on average, on 6 texts'
        """
        return (
            f"weighted kappa {self.kappa:.2f} ({self.low:.2f} to {self.high:.2f}), {self.mae:.1f} grades from people "
            f"on average, on {self.n:,} texts"
        )


@dataclass(frozen=True)
class Admission:
    """Whether the scores of a judge may decide, by the texts that people graded, too."""

    admitted: bool
    found: Agreement
    wanted: float
    """The kappa that these texts ask for."""
    reason: str
    """Why not; empty where they may."""


def quadratic_kappa(given: Floats, known: Floats) -> Floats:
    r"""Quadratic weighted kappa of one judge, or of many at once.

    :math:`\kappa = 2 \operatorname{cov}(a, b) / (\operatorname{var} a + \operatorname{var} b + (\bar a - \bar b)^2)`.

    Parameters
    ----------
    given : array, shape (n,) or (judges, n)
        The judges' grades.
    known : array, shape (n,)
        People's.

    Examples
    --------
    >>> float(quadratic_kappa(np.array([5.0, 5, 5, 5]), np.array([1.0, 2, 4, 5])))
    0.0
    """
    about = known.mean(axis=-1, keepdims=True)
    both = ((given - about) * (known - about)).mean(axis=-1)
    apart = ((given - about) ** 2).mean(axis=-1) + known.var(axis=-1)
    return np.asarray(2.0 * both / np.where(apart > 0.0, apart, 1.0), dtype=np.float64)


def reaches(given: Floats, known: Floats, kappa: float) -> NDArray[np.bool_]:
    r"""Whether judges reach a kappa, where a grade more extreme than people's earns no more than theirs.

    With :math:`y, \beta` the distances of a judge's grade and people's from people's mean, kappa is at least
    :math:`f` if the mean of :math:`2 y \beta - f y^2` is at least :math:`f` times that of :math:`\beta^2`. Each text's
    part is highest beyond people's grade; here it is at most what people's own earns, so that no grade farther from
    theirs ever helps.

    Examples
    --------
    >>> people = np.array([1.0, 2, 3, 4, 5])
    >>> bool(reaches(people, people, 1.0)), bool(reaches(np.full(5, 3.0), people, 0.1))
    (True, False)
    """
    middle = known.mean()
    said, people = given - middle, known - middle
    earned = np.minimum(2.0 * said * people - kappa * said**2, (2.0 - kappa) * people**2)
    return np.asarray(earned.mean(axis=-1) >= kappa * (people**2).mean() - 1e-12)


def agreement(given: Floats, known: Floats) -> Agreement:
    """How well grades agree with people's; the interval is the jackknife's on the scale of the inverse tangent.

    Where all grades are equal, nothing varies and the interval is by the rule of three: three more texts might have
    been one grade apart.

    Raises
    ------
    ValueError
        There are fewer than three texts, or not as many grades as people gave.
    """
    if given.shape != known.shape or given.size < 3:
        raise ValueError(f"found {given.size} grades for {known.size} of people's, expected as many and at least 3")
    n, kappa = given.size, float(quadratic_kappa(given, known))
    if (given == known).all():
        spread = float(known.var())
        low, high = (max(0.0, 1.0 - 3.0 / n / (2.0 * spread)) if spread else 0.0), kappa
    else:
        others = _leaving_out_each(given, known)
        error = math.sqrt((n - 1) / n * float(((others - others.mean()) ** 2).sum()))
        reach = _student(n - 1) * error / max(1.0 - kappa**2, 1e-9)
        centre = math.atanh(max(-0.999999, min(0.999999, kappa)))
        low, high = math.tanh(centre - reach), math.tanh(centre + reach)
    off = given - known
    return Agreement(n, kappa, low, high, float(np.abs(off).mean()), float(off.mean()))


def _leaving_out_each(given: Floats, known: Floats) -> Floats:
    """Kappa without each text in turn; shape (n,)."""
    left = given.size - 1
    mine, theirs, mine_2, theirs_2, both = (
        (each.sum() - each) / left for each in (given, known, given**2, known**2, given * known)
    )
    apart = mine_2 - mine**2 + theirs_2 - theirs**2 + (mine - theirs) ** 2
    together = 2.0 * (both - mine * theirs)
    return np.asarray(np.where(apart > 1e-12, together / np.where(apart > 1e-12, apart, 1.0), 0.0))


def _student(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def admit(
    given: Mapping[str, float | None],
    known: Mapping[str, float],
    lengths: Mapping[str, float],
    scale: tuple[float, float],
    *,
    texts: str = "anchors",
) -> Admission | None:
    """Whether the scores of a judge may decide.

    Parameters
    ----------
    given : mapping
        The judge's grade of each text that it was asked for; None where it gave none.
    known : mapping
        People's.
    lengths : mapping
        Characters of each text; where that of any is not known, length is not looked at.
    scale : tuple of float
        The lowest and the highest grade.
    texts : str
        What the texts are, for a sentence.

    Returns
    -------
    Admission or None
        None where fewer than :data:`LEAST` texts were graded by both.

    Examples
    --------
    >>> people = {str(i): float(1 + i % 5) for i in range(25)}
    >>> long = {item: float(40 + 7 * (int(item) * 11 % 25)) for item in people}
    >>> admit(people, people, long, (1, 5)).admitted
    True
    >>> admit(dict.fromkeys(people, 5.0), people, long, (1, 5)).reason
    'it always grades 5'
    """
    items = sorted(given.keys() & known.keys())
    graded = [item for item in items if given[item] is not None]
    if len(graded) < LEAST:
        return None
    people = np.array([known[item] for item in items], dtype=np.float64)
    there = np.array([given[item] is not None for item in items])
    said = np.array([np.nan if given[item] is None else given[item] for item in items], dtype=np.float64)
    long = np.array([lengths.get(item, np.nan) for item in items], dtype=np.float64)
    worst = np.where(there, said, np.where(people - scale[0] > scale[1] - people, scale[0], scale[1]))
    found = agreement(said[there], people[there])
    wanted = wanted_kappa(tuple(people.tolist()), scale)
    told = _objection(said[there], people[there], long[there], scale, wanted, texts)
    if not told and not there.all() and _objection(worst, people, long, scale, wanted, texts):
        none = int((~there).sum())
        told = f"{none} of {len(items)} {texts} have no grade, and whether it agrees enough depends on them"
    return Admission(not told, found, wanted, told)


def _objection(
    given: Floats, known: Floats, lengths: Floats, scale: tuple[float, float], wanted: float, texts: str
) -> str:
    """Why a judge is not admitted; empty where it is."""
    if np.ptp(known) == 0:
        return f"people gave all {texts} the grade {known[0]:g}, by which no judge can be told from another"
    if np.ptp(given) == 0:
        return f"it always grades {given[0]:g}"
    if not reaches(given, known, wanted):
        return "it agrees with people too little"
    beyond, least = float(beyond_length(given, known, lengths, scale)), wanted_beyond(given.size)
    if beyond < least:
        return (
            "its grades say too little beyond the length of a text "
            f"({max(0.0, beyond):.0%} of what people say beyond it, at least {least:.0%} is wanted)"
        )
    return ""


@cache
def wanted_kappa(known: tuple[float, ...], scale: tuple[float, float]) -> float:
    """The kappa that a judge must reach on texts with these grades of people's.

    At least :data:`FLOOR`; with few texts what only one in a hundred judges reaches that draws grades evenly from the
    scale, or as often as people gave each (seed 0).

    Examples
    --------
    >>> round(wanted_kappa(tuple(1.0 + i % 5 for i in range(25)), (1.0, 5.0)), 1)
    0.5
    >>> wanted_kappa(tuple(1.0 + i % 5 for i in range(100)), (1.0, 5.0))
    0.4
    """
    people, chance = np.array(known, dtype=np.float64), np.random.default_rng(0)
    if people.size > _MOST_DRAWN:
        return FLOOR
    even = chance.integers(math.ceil(scale[0]), math.floor(scale[1]) + 1, (_DRAWS, people.size)).astype(np.float64)
    alike = chance.permuted(np.tile(people, (_DRAWS, 1)), axis=1)
    reached = [float(np.quantile(quadratic_kappa(one, people), 1.0 - _AT_RANDOM)) for one in (even, alike)]
    return max(FLOOR, *reached)


TRUE = 0.7
"""The kappa of a judge that is worth having, for which the power of anchors is said."""
SHIFT = 1.0 / 3.0
"""The shift, in grades, for which the power of anchors is said."""
WAVERS = 0.15
"""How many grades of a judge that did not move are one off, each time it is asked; as the tests' judges do."""
_LIKELY = 0.9
_SIZES = (30, 40, 50, 60, 80, 100, 150, 200, 300)


@dataclass(frozen=True)
class AnchorPower:
    """What anchors can tell of a judge."""

    n: int
    admits: float
    """How often a judge of a true kappa of :data:`TRUE` is admitted."""
    sees: float
    """How often a shift of :data:`SHIFT` grades is seen."""
    needed: int
    """How many anchors would do both in nine of ten cases."""

    @property
    def words(self) -> str:
        """In one sentence."""
        told = (
            f"with {self.n:,} anchors a judge of true kappa {TRUE:g} is admitted in {self.admits:.0%} of runs, a shift "
            f"of a third of a grade is seen in {self.sees:.0%}"
        )
        return told if self.needed <= self.n else f"{told}; {self.needed:,} anchors would do"


@cache
def anchor_power(
    known: tuple[float, ...], lengths: tuple[float, ...], scale: tuple[float, float], level: float
) -> AnchorPower:
    """What anchors with these grades and lengths can tell, by simulation (seed 0) and, of a shift, as the normal law.

    Parameters
    ----------
    level : float
        At which a judge is said to have moved; two two-sided tests share it.
    """
    people, long = np.array(known, dtype=np.float64), np.array(lengths, dtype=np.float64)
    chance = np.random.default_rng(0)
    noise = _noise(people, scale, chance)
    admits = _admitted(people, long, scale, noise, chance)
    needed = people.size
    if admits < _LIKELY:
        for size in (one for one in _SIZES if one > people.size):
            drawn = chance.integers(0, people.size, size)
            needed = size
            if _admitted(people[drawn], long[drawn], scale, noise, chance) >= _LIKELY:
                break
    normal = NormalDist()
    spread = 2.0 * WAVERS + SHIFT * (1.0 - SHIFT)
    limit = normal.inv_cdf(1.0 - level / 4.0)
    wide = limit * math.sqrt(
        spread + SHIFT**2
    )  # signs are flipped about zero, so that the shift widens what is flipped
    sees = normal.cdf((SHIFT * math.sqrt(people.size) - wide) / math.sqrt(spread))
    enough = math.ceil(((wide + normal.inv_cdf(_LIKELY) * math.sqrt(spread)) / SHIFT) ** 2)
    return AnchorPower(people.size, admits, sees, max(needed, enough))


def _noise(people: Floats, scale: tuple[float, float], chance: np.random.Generator) -> float:
    """The spread of the errors of a judge whose kappa is :data:`TRUE` on endlessly many such texts."""
    drawn = chance.standard_normal((400, people.size))
    low, high = 0.05, float(scale[1] - scale[0]) * 2.0
    for _ in range(20):
        middle = (low + high) / 2.0
        found = _judged(people, middle * drawn, scale)
        whole = float(quadratic_kappa(found.ravel(), np.broadcast_to(people, found.shape).ravel()))
        low, high = (middle, high) if whole > TRUE else (low, middle)
    return low


def _judged(people: Floats, errors: Floats, scale: tuple[float, float]) -> Floats:
    return np.asarray(np.clip(np.round(people + errors), *scale), dtype=np.float64)


def _admitted(
    people: Floats, lengths: Floats, scale: tuple[float, float], noise: float, chance: np.random.Generator
) -> float:
    """How often a judge with errors of this spread is admitted."""
    if np.ptp(people) == 0:
        return 0.0
    found = _judged(people, noise * chance.standard_normal((1000, people.size)), scale)
    enough = reaches(found, people, wanted_kappa(tuple(people.tolist()), scale))
    enough &= beyond_length(found, people, lengths, scale) >= wanted_beyond(people.size)
    return float(enough.mean())
