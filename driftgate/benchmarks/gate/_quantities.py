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
from driftgate.benchmarks.stats import ClusterMean, Interval, OneSidedTest

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
    """A proportion: the exact binomial test, or the cluster-robust score test where samples share clusters."""

    values: Floats
    clusters: Labels | None
    limit: float
    """Strictly between 0 and 1."""

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        if self.clusters is None:
            exact = stats.above_threshold if side == "above" else stats.below_threshold
            return exact(int(self.values.sum()), self.values.size, self.limit, alpha=alpha)
        robust = stats.above_threshold_clustered if side == "above" else stats.below_threshold_clustered
        return robust(self.values, self.clusters, self.limit, alpha=alpha)

    def interval(self) -> Interval:
        if self.clusters is None:
            return stats.wilson_interval(int(self.values.sum()), self.values.size)
        return stats.clustered_interval(self.values, self.clusters)

    @cached_property
    def _design_effect(self) -> float:
        if self.clusters is None or not self.values.size:
            return 1.0
        known = stats.design_effect(self.values, self.clusters)
        effective = stats.cluster_mean(self.values, self.clusters).effective_clusters
        return known if known else self.values.size / max(effective, 1.0)

    def detectable(self, side: Side, alpha: float) -> float | None:
        limit, n = self.limit if side == "above" else 1.0 - self.limit, self.values.size
        if self.clusters is None:
            return stats.minimum_detectable_effect_threshold(n, limit, alpha=alpha, power=POWER)
        if not n:
            return None
        # The robust test measures in standard errors at the limit; the truth varies with its own. Where all clusters
        # agree there are no degrees of freedom, and the test is normal.
        freedom = stats.cluster_mean(self.values, self.clusters).degrees_of_freedom
        shown, reached = (_z(p) if freedom is None else _reach(freedom, p) for p in (1.0 - alpha, POWER))
        unit, effect = math.sqrt(self._design_effect / n), 0.0
        for _ in range(50):
            truth = min(limit + effect, 1.0)
            effect = unit * (shown * math.sqrt(limit * (1.0 - limit)) + reached * math.sqrt(truth * (1.0 - truth)))
        return effect if limit + effect <= 1.0 else None

    def needed(self, alpha: float) -> int | None:
        share = float(self.values.mean()) if self.values.size else self.limit
        effect = self._design_effect
        if share == self.limit:
            return None
        spread = math.sqrt(self.limit * (1.0 - self.limit))
        roughly = ((_z(1.0 - alpha) + _z(POWER)) * spread / (share - self.limit)) ** 2 * effect
        if roughly > _EXACT_UP_TO:  # summed exactly, so many would take seconds and say the same
            return math.ceil(roughly)
        return _known(
            lambda: stats.sample_size_threshold(share, self.limit, alpha=alpha, power=POWER, design_effect=effect)
        )


@dataclass(frozen=True)
class Mean:
    """The mean of graded values, or of differences: Student's t, cluster-robust where samples share clusters."""

    values: Floats
    clusters: Labels | None
    limit: float
    name: str = ""
    """What the values are, for the method."""

    @cached_property
    def _mean(self) -> ClusterMean:
        return stats.cluster_mean(self.values, self.clusters)

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        judge = stats.mean_above_threshold if side == "above" else stats.mean_below_threshold
        found = judge(self.values, self.limit, clusters=self.clusters, alpha=alpha)
        if found.p_value is not None or found.estimate is None or self._mean.n_clusters < 2:
            return found
        # All agree exactly, so that nothing estimates a variance. That so many fall on one side has itself a p-value:
        # the sign test's.
        on_side = found.estimate > self.limit if side == "above" else found.estimate < self.limit
        p_value = 0.5**self._mean.n_clusters if on_side else 1.0
        return replace(found, shown=p_value <= alpha, p_value=p_value, method="sign", reason=None)

    def interval(self) -> Interval:
        return stats.mean_interval(self.values, clusters=self.clusters)

    def detectable(self, side: Side, alpha: float) -> float | None:
        freedom, error = self._mean.degrees_of_freedom, self._mean.standard_error
        if freedom is None or error is None:
            return None
        return (_reach(freedom, 1.0 - alpha) + _reach(freedom, POWER)) * error

    def needed(self, alpha: float) -> int | None:
        freedom, error, mean = self._mean.degrees_of_freedom, self._mean.standard_error, self._mean.estimate
        if freedom is None or error is None or mean is None or mean == self.limit:
            return None
        reach = (_t(freedom, 1.0 - alpha) + _t(freedom, POWER)) * error / abs(mean - self.limit)
        return math.ceil(self.values.size * reach**2)


@dataclass(frozen=True)
class Quantile:
    """A quantile such as the p95 of the latency: at most the limit means that so large a share is within it."""

    values: Floats
    """Infinite where a value is missing and counts as too large, minus infinite where it counts as small."""
    probability: float
    limit: float

    def _share(self) -> Share:
        return Share((self.values <= self.limit).astype(np.float64), None, self.probability)

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        found = self._share().test(opposite(side), alpha)
        finite = self._finite
        estimate = float(np.quantile(finite, self.probability)) if finite.size else None
        return replace(found, side=side, limit=self.limit, estimate=estimate, bound=None, method="order-statistics")

    @property
    def _finite(self) -> Floats:
        return self.values[np.isfinite(self.values)]

    def interval(self) -> Interval:
        return stats.quantile_interval(self._finite, self.probability)

    def detectable(self, side: Side, alpha: float) -> float | None:
        known = self.interval()
        if known.low is None or known.high is None:
            return None
        # As if the quantile varied normally, with the spread that its interval shows.
        return (_z(1.0 - alpha) + _z(POWER)) * (known.high - known.low) / (2.0 * _z(0.975))

    def needed(self, alpha: float) -> int | None:
        return self._share().needed(alpha)


@dataclass(frozen=True)
class Macro:
    """The mean of the categories' proportions, each weighing the same."""

    right: tuple[int, ...]
    n: tuple[int, ...]
    limit: float

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        def shown_at(level: float) -> bool:
            interval = stats.macro_interval(self.right, self.n, level=1.0 - 2.0 * level)
            if interval.low is None or interval.high is None:
                return False
            return interval.low > self.limit if side == "above" else interval.high < self.limit

        interval = self.interval()
        if interval.reason is not None:
            return OneSidedTest(
                None,
                side,
                self.limit,
                interval.estimate,
                None,
                None,
                alpha,
                sum(self.n),
                interval.method,
                interval.reason,
            )
        return one_sided(shown_at, interval.estimate, self.limit, side, alpha, sum(self.n), interval.method)

    def interval(self) -> Interval:
        return stats.macro_interval(self.right, self.n)

    def detectable(self, side: Side, alpha: float) -> float | None:
        error = self._error()
        return None if error is None else (_z(1.0 - alpha) + _z(POWER)) * error

    def needed(self, alpha: float) -> int | None:
        error, interval = self._error(), self.interval()
        if error is None or interval.estimate is None or interval.estimate == self.limit:
            return None
        reach = (_z(1.0 - alpha) + _z(POWER)) * error / abs(interval.estimate - self.limit)
        return math.ceil(sum(self.n) * reach**2)

    def _error(self) -> float | None:
        interval = self.interval()
        if interval.low is None or interval.high is None:
            return None
        return (interval.high - interval.low) / (2.0 * _z(0.975))


def _t(freedom: float, probability: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _reach(freedom: float, probability: float) -> float:
    """A t quantile in estimated standard errors, which are too small on average by a factor of about 1 - 1 / (4 df).

    References
    ----------
    .. [1] Holtzman (1950). The unbiased estimate of the population variance and standard deviation. American Journal of
       Psychology 63, 615-617.
    """
    return _t(freedom, probability) / (1.0 - 1.0 / (4.0 * max(freedom, 1.0)))


def _z(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def _known(plan: Callable[[], int]) -> int | None:
    """The number a plan arrives at; None where no number, or an absurd one, would decide."""
    try:
        return plan()
    except ValueError:
        return None
