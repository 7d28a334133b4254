"""What each coalition of a few nodes scores, and which nodes move the score only together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.attribution._configuration import Player
from driftgate.benchmarks.attribution._contributions import ALPHA, REPEAT, mean_within
from driftgate.benchmarks.stats import Interval, holm

MOST_NODES = 3
"""Nodes up to which the table of coalitions is made: eight rows."""
_LEAST = 1e-9


@dataclass(frozen=True)
class Coalition:
    """The flow with some nodes as the second side has them, and all others as the first side has them."""

    nodes: tuple[str, ...]
    """Names of the players that have joined; none are the first side itself."""
    score: float
    change: Interval
    """Of the score, less the first side's, at 95%."""
    lower: int
    """Samples that score less than with the first side."""
    higher: int


@dataclass(frozen=True)
class Together:
    """Nodes that move the score where all of them are exchanged, and not where only some of them are."""

    nodes: tuple[str, ...]
    change: Interval
    """With all of them, less the first side's score."""
    parts: Sequence[Coalition]
    """With only some of them: of none is the change told from 0."""
    only: int
    """Samples that score less (where the change is a gain: more) with all of them and with no part of them."""
    p_adjusted: float
    """Of what is in them together and in no part of them; by Holm's method over the sets that were looked at."""

    @property
    def told(self) -> str:
        """What was found, in a sentence."""
        names = " and ".join([", ".join(self.nodes[:-1]), self.nodes[-1]])
        change = self.change.estimate or 0.0
        parts = ", ".join(
            f"{part.change.estimate or 0.0:+.4f} with {'+'.join(part.nodes)} alone" for part in self.parts
        )
        moves = "lower the score only together" if change < 0 else "raise the score only together"
        samples = "1 sample" if self.only == 1 else f"{self.only:,} samples"
        return f"{names} {moves}: {change:+.4f} with all of them, {parts}; {samples} that no part of them moves"


def coalition_table(
    everyone: Sequence[Player],
    worths: Sequence[Mapping[int, float]],
    width: float,
    clusters: NDArray[np.object_] | None = None,
) -> list[Coalition]:
    """Every coalition of up to three nodes, small ones first; empty where there are more.

    Where a model did not repeat itself, its outputs are those of the first run in all rows but one more, the last,
    which is the second run as it was.

    Parameters
    ----------
    worths
        By sample, of every coalition as a bit mask over ``everyone``.
    width
        Of the metric's scale; infinite where nobody knows it.

    Examples
    --------
    >>> pair = [Player(("a",), ("source",)), Player(("b",), ("source",))]
    >>> fails_with_both = [{0: 1.0, 1: 1.0, 2: 1.0, 3: 0.0}] * 30
    >>> [(row.nodes, row.score, row.lower) for row in coalition_table(pair, fails_with_both, 1.0)]
    [((), 1.0, 0), (('a',), 1.0, 0), (('b',), 1.0, 0), (('a', 'b'), 0.0, 30)]
    >>> found_together(pair, fails_with_both, 1.0)[0].nodes
    ('a', 'b')
    """
    nodes = [place for place, player in enumerate(everyone) if player.nodes != (REPEAT,)]
    if not nodes or len(nodes) > MOST_NODES:
        return []
    masks = _subsets(nodes)
    if len(nodes) < len(everyone):
        masks.append((1 << len(everyone)) - 1)
    return [_row(everyone, worths, mask, width, clusters) for mask in masks]


def found_together(
    everyone: Sequence[Player],
    worths: Sequence[Mapping[int, float]],
    width: float,
    clusters: NDArray[np.object_] | None = None,
) -> list[Together]:
    r"""The smallest sets of up to three nodes that move the score only together.

    Of such a set the change is told from 0, and of no part of it is it. What is left of the change when that of the
    parts is taken off (Harsanyi's dividend) is told from 0 as well, and has the sign of the change:

    .. math:: d(S) = \sum_{T \subseteq S} (-1)^{|S| - |T|} \, v(T)

    References
    ----------
    .. [1] Harsanyi (1963). A simplified bargaining model for the n-person cooperative game. International Economic
       Review 4, 194-220.
    """
    nodes = [place for place, player in enumerate(everyone) if player.nodes != (REPEAT,)]
    if len(nodes) > MOST_NODES:
        return []
    looked_at = [mask for mask in _subsets(nodes) if mask.bit_count() > 1]
    dividends = [_dividend(worths, mask, width, clusters) for mask in looked_at]
    adjusted = holm([p_value for _, p_value in dividends])
    found: list[Together] = []
    for mask, (dividend, _), p_adjusted in zip(looked_at, dividends, adjusted, strict=True):
        parts = [part for part in _subsets(nodes) if part and part != mask and part & mask == part]
        rows = [_row(everyone, worths, part, width, clusters) for part in parts]
        change = _row(everyone, worths, mask, width, clusters).change
        alike = math.copysign(1.0, dividend.estimate or 0.0) == math.copysign(1.0, change.estimate or 0.0)
        none_alone = not any(_told(row.change) for row in rows)
        if p_adjusted is None or p_adjusted > ALPHA or not (alike and none_alone and _told(change)):
            continue
        sign = math.copysign(1.0, change.estimate or 0.0)
        only = sum(
            sign * (worth[mask] - worth[0]) > _LEAST and all(sign * (worth[p] - worth[0]) <= _LEAST for p in parts)
            for worth in worths
        )
        found.append(Together(_names(everyone, mask), change, rows, only, p_adjusted))
    return found


def _row(
    everyone: Sequence[Player],
    worths: Sequence[Mapping[int, float]],
    mask: int,
    width: float,
    clusters: NDArray[np.object_] | None,
) -> Coalition:
    values = np.array([worth[mask] for worth in worths])
    moved = values - np.array([worth[0] for worth in worths])
    return Coalition(
        nodes=_names(everyone, mask),
        score=float(values.mean()),
        change=mean_within(moved, width, clusters)[0],
        lower=int((moved < -_LEAST).sum()),
        higher=int((moved > _LEAST).sum()),
    )


def _dividend(
    worths: Sequence[Mapping[int, float]], mask: int, width: float, clusters: NDArray[np.object_] | None
) -> tuple[Interval, float | None]:
    places = [place for place in range(mask.bit_length()) if mask >> place & 1]
    signs = {part: (-1.0) ** (mask.bit_count() - part.bit_count()) for part in _subsets(places)}
    values = np.array([sum(sign * worth[part] for part, sign in signs.items()) for worth in worths])
    return mean_within(values, width * 2 ** (mask.bit_count() - 1), clusters)


def _told(change: Interval) -> bool:
    return change.known and 0.0 not in change


def _names(everyone: Sequence[Player], mask: int) -> tuple[str, ...]:
    return tuple(player.name for place, player in enumerate(everyone) if mask >> place & 1)


def _subsets(places: Sequence[int]) -> list[int]:
    """Bit masks of all subsets, small ones first; the empty one too."""
    masks = [0]
    for place in places:
        masks += [mask | 1 << place for mask in masks]
    return sorted(masks, key=lambda mask: (mask.bit_count(), mask))
