"""Were the answers of two sides given by one and the same habit? An exact test within questions.

A question was answered n times on one side and m times on the other. If nothing but chance tells the sides apart, every
way of dealing the n + m answers out anew is as likely as the one that was seen [1]_, however unsteady the answers are.
The statistic sums over questions, so its distribution is the convolution of theirs, worked out and not drawn [2]_: a
p-value may be as small as the data say.

References
----------
.. [1] Fisher (1935). The Design of Experiments. Oliver and Boyd, section 21.
.. [2] Pagano, Tritchler (1983). On obtaining permutation distributions in polynomial time. Journal of the American
   Statistical Association 78, 435-440.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Term = Callable[[int, int, int, int], float]
"""What the answers of one kind add to a question's value: how many there are on either side, and of all kinds."""

_GRID = 360
"""Steps of a question's value; the statistic is of rounded values, which leaves the test exact."""
_SMALLEST = 1e-300


@dataclass(frozen=True)
class Pair:
    """The answers to one question: of each kind how many on either side."""

    reference: tuple[int, ...]
    current: tuple[int, ...]

    @property
    def sides(self) -> tuple[int, int]:
        """How many answers each side has."""
        return sum(self.reference), sum(self.current)

    def value(self, term: Term) -> float:
        """The question's value, larger for the worse."""
        n, m = self.sides
        return sum(term(a, b, n, m) for a, b in zip(self.reference, self.current, strict=True))


def exchange_p_value(pairs: Sequence[Pair], term: Term) -> float:
    """The chance of a sum of values as large as the one seen, where the answers of either side are alike.

    Examples
    --------
    A model says A five times of each of ten questions, and B twice where the choices stand otherwise, of four of them:

    >>> steady, moved = Pair((5, 0), (2, 0)), Pair((5, 0), (0, 2))
    >>> f"{exchange_p_value([moved] * 4 + [steady] * 6, more_flips):.2g}"
    '5.1e-06'
    >>> exchange_p_value([Pair((3, 2), (1, 1))] * 10, more_flips) > 0.5
    True
    """
    seen = 0
    total: NDArray[np.float64] = np.ones(1)
    lowest = 0
    for pair in pairs:
        seen += _step(pair.value(term))
        chances = _chances(
            tuple(sorted(a + b for a, b in zip(pair.reference, pair.current, strict=True))), pair.sides, term
        )
        first, last = min(chances), max(chances)
        grown = np.zeros(len(total) + last - first)
        for step, chance in chances.items():
            grown[step - first : step - first + len(total)] += chance * total
        total, lowest = grown, lowest + first
    return float(min(1.0, max(_SMALLEST, total[max(0, seen - lowest) :].sum())))


@cache
def _chances(kinds: tuple[int, ...], sides: tuple[int, int], term: Term) -> Mapping[int, float]:
    """The distribution of a question's value over all ways to deal its answers out, in steps of the grid."""
    n, m = sides
    ways: dict[tuple[int, float], int] = {(0, 0.0): 1}
    gone = 0
    for count in kinds:
        gone += count
        further: dict[tuple[int, float], int] = defaultdict(int)
        for (dealt, value), number in ways.items():
            # No side can hold more than its answers.
            for b in range(max(0, gone - dealt - n), min(count, m - dealt) + 1):
                further[dealt + b, round(value + term(count - b, b, n, m), 9)] += number * math.comb(count, b)
        ways = further
    found: dict[int, float] = defaultdict(float)
    whole = math.comb(n + m, m)
    for (dealt, value), number in ways.items():
        if dealt == m:
            found[_step(value)] += number / whole
    return found


def _step(value: float) -> int:
    return round(round(value, 7) * _GRID)


def more_flips(a: int, b: int, n: int, m: int) -> float:
    """How much oftener two answers differ across the sides than two of the reference."""
    return alike(a, n) - a * b / (n * m)


def less_agreement(a: int, b: int, n: int, m: int) -> float:
    """How much seldomer two answers of the current side are alike than two of the reference."""
    return alike(a, n) - alike(b, m)


def more_entropy(a: int, b: int, n: int, m: int) -> float:
    """How much larger the entropy of the current side is, as a share of the largest that so many answers can have.

    Entropy of few answers falls short of that of many, so the reference's is what as many of its answers as there are
    current ones have in the mean, drawn without replacement.
    """
    return _entropy(b, m) - rarefied(a, n, m)


def alike(count: int, of: int) -> float:
    """What a kind adds to the chance that two answers are alike."""
    return count * (count - 1) / (of * (of - 1)) if of > 1 else 0.0


def _entropy(count: int, of: int) -> float:
    if of < 2 or not count:
        return 0.0
    share = count / of
    return -share * math.log(share) / math.log(of)


@cache
def rarefied(count: int, of: int, drawn: int) -> float:
    """The mean of a kind's part of the entropy in ``drawn`` of the answers."""
    if drawn >= of:
        return _entropy(count, of)
    whole = math.comb(of, drawn)
    return sum(
        math.comb(count, k) * math.comb(of - count, drawn - k) / whole * _entropy(k, drawn)
        for k in range(min(count, drawn) + 1)
    )
