"""What a rule is about, as a number that can be tested against a limit from either side.

Every quantity offers the same: the one-sided test of "it lies above (or below) the limit", its two-sided 95% interval,
the minimum detectable effect of that test and the number of samples that would decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks import stats
from driftgate.benchmarks.stats import BoundedMean, Interval, OneSidedTest

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Side = Literal["above", "below"]
POWER = 0.8
"""Power at which the minimum detectable effect and the number of samples that decide are stated."""
_EXACT_UP_TO = 100_000
COUNTED = "counted"
"""Method of what needs no test: a sum that was counted, a limit at the end of the scale."""


class Quantity(Protocol):
    """A number with a limit."""

    @property
    def limit(self) -> float:
        """What it is tested against."""

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        """Test that the true value lies on one side of the limit."""

    def interval(self) -> Interval:
        """Two-sided 95% interval."""

    def detectable(self, side: Side, alpha: float) -> float | None:
        """How far on that side of the limit the truth must lie to be shown there with 80% power; None if unknown."""

    def needed(self, alpha: float) -> int | None:
        """Samples that show its side with 80% power if the truth is as observed; None where no number would."""


def is_binary(values: Floats) -> bool:
    """Whether every value is 0 or 1."""
    return bool(((values == 0) | (values == 1)).all())


def opposite(side: Side) -> Side:
    """The other side."""
    return "below" if side == "above" else "above"


def one_sided(
    shown_at: Callable[[float], bool],
    estimate: float | None,
    limit: float,
    side: Side,
    alpha: float,
    n: int,
    method: str,
) -> OneSidedTest:
    """A test made from intervals: the p-value is the least level at which the one-sided limit excludes the limit.

    Parameters
    ----------
    shown_at : callable
        Whether the claim is shown at a one-sided level; once true it stays so for larger levels.
    """
    if estimate is None:
        return OneSidedTest(None, side, limit, None, None, None, alpha, n, method, "no samples")
    low, high = 1e-9, 0.4999
    if not shown_at(high):
        return OneSidedTest(False, side, limit, estimate, None, 1.0, alpha, n, method)
    if shown_at(low):
        high = low
    while high - low > 1e-3 * high:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if shown_at(middle) else (middle, high)
    return OneSidedTest(high <= alpha, side, limit, estimate, None, high, alpha, n, method)


@dataclass(frozen=True)
class Counted:
    """A sum over exactly these samples, such as their cost: it is on its side of the limit or it is not."""

    value: float
    n: int
    limit: float
    side: Side
    """The side that includes the limit itself."""

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        held = self.value >= self.limit if self.side == "above" else self.value <= self.limit
        shown = held if side == self.side else not held
        return OneSidedTest(
            shown, side, self.limit, self.value, self.value, 0.0 if shown else 1.0, alpha, self.n, COUNTED
        )

    def interval(self) -> Interval:
        return Interval(self.value, self.value, self.value, 0.95, COUNTED, self.n)

    def detectable(self, side: Side, alpha: float) -> float | None:
        return None

    def needed(self, alpha: float) -> int | None:
        return None


@dataclass(frozen=True)
class Share:
    """A proportion of independent samples: the exact binomial test."""

    values: Floats
    limit: float
    """Strictly between 0 and 1."""

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        exact = stats.above_threshold if side == "above" else stats.below_threshold
        return exact(int(self.values.sum()), self.values.size, self.limit, alpha=alpha)

    def interval(self) -> Interval:
        return stats.wilson_interval(int(self.values.sum()), self.values.size)

    def detectable(self, side: Side, alpha: float) -> float | None:
        limit = self.limit if side == "above" else 1.0 - self.limit
        return stats.minimum_detectable_effect_threshold(self.values.size, limit, alpha=alpha, power=POWER)

    def needed(self, alpha: float) -> int | None:
        share = float(self.values.mean()) if self.values.size else self.limit
        if share == self.limit:
            return None
        spread = math.sqrt(self.limit * (1.0 - self.limit))
        roughly = ((_z(1.0 - alpha) + _z(POWER)) * spread / (share - self.limit)) ** 2
        if roughly > _EXACT_UP_TO:  # summed exactly, so many would take seconds and say the same
            return math.ceil(roughly)
        return _known(lambda: stats.sample_size_threshold(share, self.limit, alpha=alpha, power=POWER))


@dataclass(frozen=True)
class Mean:
    """A mean of grades, of outcomes in clusters, or of differences, on their scale: Gaffke's test."""

    values: Floats
    clusters: Labels | None
    limit: float
    low: float
    high: float
    """The least and the greatest value a sample can have; infinite where nobody said."""
    weights: Floats | None = None
    """What each sample weighs; None: all the same."""

    @cached_property
    def _mean(self) -> BoundedMean:
        return stats.bounded_mean(self.values, self.low, self.high, clusters=self.clusters, weights=self.weights)

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        return stats.one_sided_mean(self._mean, self.limit, side, alpha=alpha)

    def to_show(self, side: Side, alpha: float) -> tuple[int, int] | None:
        """How many clusters there are, and how many would show the side if all were at their best; None if these do."""
        wanted = self._mean.clusters_to_show(self.limit, above=side == "above", alpha=alpha)
        return None if wanted is None else (self._mean.n_clusters, wanted)

    def interval(self) -> Interval:
        known = self._mean.interval()
        # Clusters that all say the same say it once each.
        return known if self._mean.standard_error else replace(known, n=self._mean.n_clusters)

    def detectable(self, side: Side, alpha: float) -> float | None:
        return self._mean.detectable(self.limit, above=side == "above", alpha=alpha, power=POWER)

    def needed(self, alpha: float) -> int | None:
        return self._mean.needed(self.limit, alpha=alpha, power=POWER)


def per_sample(values: Floats, samples: Labels | None) -> float:
    """How many of the values stand together in one sample, on average."""
    return 1.0 if samples is None or not values.size else values.size / np.unique(samples).size


@dataclass(frozen=True)
class Quantile:
    """A quantile such as the p95 of the latency: at most the limit means that so large a share is within it."""

    values: Floats
    """Infinite where a value is missing and counts as too large, minus infinite where it counts as small."""
    probability: float
    limit: float
    samples: Labels | None = None
    """The sample of every value, where samples are asked several times."""

    def _share(self) -> Share | Mean:
        within = (self.values <= self.limit).astype(np.float64)
        if self.samples is None:
            return Share(within, self.probability)
        return Mean(within, self.samples, self.probability, 0.0, 1.0)

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        found = self._share().test(opposite(side), alpha)
        finite = self._finite
        estimate = float(np.quantile(finite, self.probability)) if finite.size else None
        return replace(found, side=side, limit=self.limit, estimate=estimate, bound=None, method="order-statistics")

    @property
    def _finite(self) -> Floats:
        return self.values[np.isfinite(self.values)]

    def interval(self) -> Interval:
        known = np.isfinite(self.values)
        repeats = per_sample(self._finite, None if self.samples is None else self.samples[known])
        return stats.quantile_interval(self._finite, self.probability, repeats=repeats)

    def detectable(self, side: Side, alpha: float) -> float | None:
        known = self.interval()
        if known.low is None or known.high is None:
            return None
        # As if the quantile varied normally, with the spread that its interval shows.
        return (_z(1.0 - alpha) + _z(POWER)) * (known.high - known.low) / (2.0 * _z(0.975))

    def needed(self, alpha: float) -> int | None:
        return self._share().needed(alpha)


def too_few(quantity: Quantity | None, side: Side, alpha: float) -> str:
    """That nothing as small could show a side, however good it were, and how much could; empty where it is enough.

    Examples
    --------
    >>> too_few(Share(np.ones(20), 0.9), "above", 0.05)
    'too few samples: 20 could not show it even if all were at their best, 29 could'
    """
    match quantity:
        case Share():
            of, found = "samples", Mean(quantity.values, None, quantity.limit, 0.0, 1.0).to_show(side, alpha)
        case Mean():
            of, found = "samples" if quantity.clusters is None else "clusters", quantity.to_show(side, alpha)
        case Quantile():
            return too_few(quantity._share(), opposite(side), alpha)
        case _:
            found = None
    if found is None:
        return ""
    return f"too few {of}: {found[0]:,} could not show it even if all were at their best, {found[1]:,} could"


def _t(freedom: float, probability: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _z(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def _known(plan: Callable[[], int]) -> int | None:
    """The number a plan arrives at; None where no number, or an absurd one, would decide."""
    try:
        return plan()
    except ValueError:
        return None
