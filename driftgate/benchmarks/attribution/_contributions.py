"""What each player accounts for over all samples, with limits that hold where few samples moved, or none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.attribution._configuration import Player
from driftgate.benchmarks.stats import Comparison, Interval, bounded_mean, compare_means, holm

REPEAT = "repeat"
"""The player that is no node: whose run an output is taken from where both hold one of the same configuration and
input, and the two are unlike. Its contribution is what comes of a model not repeating itself."""
ALPHA = 0.05
_SAMPLES = 20
_LEAST = 1e-9


@dataclass(frozen=True)
class SampleShare:
    """A sample and what each player contributed to its difference."""

    key: str
    id: str
    category: str
    question: str
    scores: tuple[float, float]
    contributions: Mapping[str, float]
    outputs: Mapping[str, tuple[Any, Any]]
    """By node, what it gave in the first run and in the second."""


@dataclass(frozen=True)
class Contribution:
    """What a player accounts for."""

    player: Player
    interval: Interval
    """Of its mean contribution, at 95%, robust to shared passages; in the metric's unit."""
    p_value: float | None
    p_adjusted: float | None
    """By Holm's method over all players."""
    share: float | None
    """Of the whole difference; None where that is not told from 0."""
    moved: int
    """Samples to which it contributed anything."""
    samples: Sequence[SampleShare]
    """Those to which it contributed the most, in the direction of its mean."""

    @property
    def named(self) -> bool:
        """Whether its contribution is told from 0."""
        return self.p_adjusted is not None and self.p_adjusted <= ALPHA


def contributions(
    everyone: Sequence[Player],
    table: NDArray[np.float64],
    width: float,
    clusters: NDArray[np.object_] | None,
    difference: Comparison,
    shares: Sequence[SampleShare],
) -> list[Contribution]:
    """What each player accounts for, the largest first.

    Parameters
    ----------
    table
        Contribution of each player to each sample, shape (samples, players).
    width
        Of the metric's scale; infinite where nobody knows it.
    difference
        The whole, of which shares are stated where it is told from 0.
    shares
        Of the samples, in the table's order.
    """
    whole = difference.difference or 0.0
    told = difference.interval.known and 0.0 not in difference.interval
    measured = [mean_within(table[:, place], width, clusters) for place in range(len(everyone))]
    adjusted = holm([p_value for _, p_value in measured])
    found = []
    for place, player in enumerate(everyone):
        interval, p_value = measured[place]
        values = table[:, place]
        mean = float(values.mean()) if values.size else 0.0
        sign = -1.0 if mean < 0 else 1.0
        by_size = [int(i) for i in np.argsort(-sign * values, kind="stable") if abs(values[i]) > _LEAST]
        found.append(
            Contribution(
                player=player,
                interval=interval,
                p_value=p_value,
                p_adjusted=adjusted[place],
                share=mean / whole if told and abs(whole) > _LEAST else None,
                moved=len(by_size),
                samples=[shares[i] for i in by_size[:_SAMPLES]],
            )
        )
    return sorted(found, key=lambda c: -abs(c.interval.estimate or 0.0))


def mean_within(
    values: NDArray[np.float64], width: float, clusters: NDArray[np.object_] | None = None
) -> tuple[Interval, float | None]:
    """Mean of what samples moved by, with its interval at 95% and its two-sided p-value against none.

    Where no sample moves by more than ``width``, the limits are Gaffke's
    (:func:`driftgate.benchmarks.stats.bounded_mean`). They hold however few samples moved: of none in ``n`` they are
    the exact binomial ones, ``1 - 0.025 ** (1 / n)`` of the width to both sides, where Student's t has no width.

    Parameters
    ----------
    values
        By sample.
    width
        Infinite where nobody knows it: then Student's t, and no limits where all samples moved alike.

    Examples
    --------
    >>> interval, p_value = mean_within(np.zeros(40), 1.0)
    >>> round(interval.low, 4), round(interval.high, 4), p_value
    (-0.0881, 0.0881, 1.0)
    """
    if not math.isfinite(width):
        compared = compare_means(values, np.zeros(values.size), clusters=clusters)
        return compared.interval, compared.p_value
    mean = bounded_mean(np.clip(values, -width, width), -width, width, clusters=clusters)
    above, below = mean.p_above(0.0), mean.p_below(0.0)
    p_value = None if above is None or below is None else min(1.0, 2.0 * min(above, below))
    return mean.interval(), p_value


def scale_width(worths: Sequence[Mapping[int, float]], declared: tuple[float, float] | None) -> float:
    """How far apart two values of a metric can lie: as it is declared, 1 where all lie between 0 and 1, else unknown.

    Examples
    --------
    >>> scale_width([{0: 1.0, 1: 0.0}], None), scale_width([{0: 4.0, 1: 5.0}], (1.0, 5.0))
    (1.0, 4.0)
    >>> scale_width([{0: 4.0}], None)
    inf
    """
    values = [value for worth in worths for value in worth.values()]
    if declared is not None:  # what has no value is worth 0, which may lie below the scale
        low, high = min(declared[0], *values), declared[1]
        return high - low if max(values) <= high else math.inf
    return 1.0 if all(0.0 <= value <= 1.0 for value in values) else math.inf
