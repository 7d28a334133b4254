"""What a rule that compares is about: the candidate less the reference, or the candidate's share of the reference's.

Differences are oriented so that more is better, and are tested against minus the margin; ratios are of prices, less
is better, and are tested against one plus the margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from driftgate.benchmarks import stats
from driftgate.benchmarks.gate._quantities import POWER, Floats, Labels, Mean, Side, _t, _z, one_sided
from driftgate.benchmarks.stats import BoundedMean, Interval, OneSidedTest


@dataclass(frozen=True)
class UnpairedMeans:
    """Difference of two means that share no sample, of outcomes or of grades: Gaffke's means, one against the other."""

    candidate: Floats
    reference: Floats
    clusters: Labels | None
    reference_clusters: Labels | None
    limit: float
    low: float
    high: float
    """The least and the greatest value a sample can have; infinite where nobody said."""

    @cached_property
    def _means(self) -> tuple[BoundedMean, BoundedMean]:
        ours = stats.bounded_mean(self.candidate, self.low, self.high, clusters=self.clusters)
        return ours, stats.bounded_mean(self.reference, self.low, self.high, clusters=self.reference_clusters)

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        ours, theirs = self._means
        above = side == "above"
        p_value = stats.p_difference_above(*((ours, theirs, self.limit) if above else (theirs, ours, -self.limit)))
        shown, known = None if p_value is None else p_value <= alpha, self._interval
        return OneSidedTest(
            shown, side, self.limit, known.estimate, None, p_value, alpha, known.n, known.method, known.reason
        )

    def interval(self) -> Interval:
        return self._interval

    @cached_property
    def _interval(self) -> Interval:
        # Zou and Donner's, see QuantileRatio, of both sides' intervals.
        ours, theirs = (mean.interval() for mean in self._means)
        n, method = ours.n + theirs.n, f"{ours.method}-unpaired"
        known = (ours.estimate, ours.low, ours.high, theirs.estimate, theirs.low, theirs.high)
        a, a_low, a_high, b, b_low, b_high = (math.nan if value is None else value for value in known)
        estimate = None if math.isnan(a - b) else a - b
        if reason := ours.reason or theirs.reason:
            return Interval.unknown(estimate, level=0.95, method=method, n=n, reason=reason)
        low, high = a - b - math.hypot(a - a_low, b_high - b), a - b + math.hypot(a_high - a, b - b_low)
        return Interval(estimate, low, high, 0.95, method, n)

    def detectable(self, side: Side, alpha: float) -> float | None:
        ours, theirs = self._means
        first, second = (ours, theirs) if side == "above" else (theirs, ours)
        if first.estimate is None or second.estimate is None or not math.isfinite(self.high - self.low):
            return None
        # The values at the scale's ends draw the means together, and vary by as much as they draw.
        pulls = (first.pull(first.estimate - self.low), second.pull(self.high - second.estimate))
        error = math.hypot(first.standard_error, second.standard_error)
        return sum(pulls) + _z(1.0 - alpha) * math.hypot(error, *pulls) + _z(POWER) * error

    def needed(self, alpha: float) -> int | None:
        difference = self._interval.estimate
        if difference is None or difference == self.limit:
            return None
        reach = self.detectable("above" if difference > self.limit else "below", alpha)
        return None if reach is None else math.ceil(self.candidate.size * (reach / abs(difference - self.limit)) ** 2)


@dataclass(frozen=True)
class MeanRatio:
    """The candidate's mean over the reference's, of prices on shared samples, against one plus the margin.

    "The ratio is below L" is "the mean of c - L r is below 0" (Fieller 1954), which Gaffke's test shows pair by pair. A
    price has no upper end; that the next sample costs as much as the dearest one did, and cost the other side nothing,
    stands for it.

    References
    ----------
    .. [1] Fieller (1954). Some problems in interval estimation. Journal of the Royal Statistical Society B 16, 175-185.
    """

    candidate: Floats
    reference: Floats
    clusters: Labels | None
    limit: float

    @cached_property
    def _residuals(self) -> Mean:
        low, high = -self.limit * float(self.reference.max()), float(self.candidate.max())
        return Mean(self.candidate - self.limit * self.reference, self.clusters, 0.0, low, high)

    @property
    def _estimate(self) -> float | None:
        total = float(self.reference.sum()) if self.reference.size else 0.0
        return float(self.candidate.sum()) / total if total > 0.0 else None

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        n, ratio = self.candidate.size, self._estimate
        if ratio is None:
            reason = "the reference's values add up to 0" if n else "no samples"
            return OneSidedTest(None, side, self.limit, None, None, None, alpha, n, "fieller", reason)
        found = self._residuals.test(side, alpha)
        return OneSidedTest(
            found.shown, side, self.limit, ratio, None, found.p_value, alpha, n, f"fieller-{found.method}", found.reason
        )

    def interval(self) -> Interval:
        n, ratio = self.candidate.size, self._estimate
        if ratio is None:
            return Interval.unknown(None, level=0.95, method="fieller", n=n, reason="no ratio")
        # The delta method's, for the eye; the verdict is the test's.
        spread = stats.cluster_mean(self.candidate - ratio * self.reference, self.clusters)
        if spread.standard_error is None or spread.degrees_of_freedom is None:
            reason = spread.reason or "no variance"
            return Interval.unknown(ratio, level=0.95, method="ratio", n=n, reason=reason)
        half = _t(spread.degrees_of_freedom, 0.975) * spread.standard_error / float(self.reference.mean())
        return Interval(ratio, ratio - half, ratio + half, 0.95, "ratio-t", n)

    def detectable(self, side: Side, alpha: float) -> float | None:
        if self._estimate is None:
            return None
        reach = self._residuals.detectable(side, alpha)
        return None if reach is None else reach / float(self.reference.mean())

    def needed(self, alpha: float) -> int | None:
        return None if self._estimate is None else self._residuals.needed(alpha)


@dataclass(frozen=True)
class QuantileRatio:
    """A quantile of the candidate over the reference's, such as the p95 of the latency, against one plus the margin.

    The interval joins the two quantiles' order-statistic intervals on the logarithmic scale (Zou and Donner's MOVER).
    It takes them for independent; latencies of shared samples rise together, which makes it too wide, never too narrow.

    References
    ----------
    .. [1] Zou, Donner (2008). Construction of confidence limits about effect measures: a general approach. Statistics
       in Medicine 27, 1693-1702.
    """

    candidate: Floats
    reference: Floats
    probability: float
    limit: float
    repeats: tuple[float, float] = (1.0, 1.0)
    """How many values of each side stand together in one sample."""

    def _at(self, level: float) -> Interval:
        n = self.candidate.size
        ours = stats.quantile_interval(self.candidate, self.probability, level=level, repeats=self.repeats[0])
        theirs = stats.quantile_interval(self.reference, self.probability, level=level, repeats=self.repeats[1])
        values = (ours.estimate, ours.low, ours.high, theirs.estimate, theirs.low, theirs.high)
        known = [math.log(value) for value in values if value is not None and value > 0.0]
        if len(known) < len(values):
            estimated = ours.estimate is not None and theirs.estimate
            ratio = float(ours.estimate or 0.0) / float(theirs.estimate or 1.0) if estimated else None
            reason = ours.reason or theirs.reason or "a latency of 0 has no ratio"
            return Interval.unknown(ratio, level=level, method="mover", n=n, reason=reason)
        a, a_low, a_high, b, b_low, b_high = known
        low = a - b - math.hypot(a - a_low, b_high - b)
        high = a - b + math.hypot(a_high - a, b - b_low)
        ratio = math.exp(a - b)
        return Interval(ratio, min(ratio, math.exp(low)), max(ratio, math.exp(high)), level, "mover", n)

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        def shown_at(level: float) -> bool:
            found = self._at(1.0 - 2.0 * level)
            if found.low is None or found.high is None:
                return False
            return found.low > self.limit if side == "above" else found.high < self.limit

        known = self._at(1.0 - 2.0 * alpha)
        n = self.candidate.size
        if known.reason is not None:
            return OneSidedTest(
                None, side, self.limit, known.estimate, None, None, alpha, n, known.method, known.reason
            )
        return one_sided(shown_at, known.estimate, self.limit, side, alpha, n, "mover")

    def interval(self) -> Interval:
        return self._at(0.95)

    def detectable(self, side: Side, alpha: float) -> float | None:
        known = self._at(0.95)
        if known.low is None or known.high is None:
            return None
        error = math.log(known.high / known.low) / (2.0 * _z(0.975))
        return self.limit * math.expm1((_z(1.0 - alpha) + _z(POWER)) * error)

    def needed(self, alpha: float) -> int | None:
        known = self._at(0.95)
        if known.low is None or known.high is None or known.estimate in (None, self.limit):
            return None
        error = math.log(known.high / known.low) / (2.0 * _z(0.975))
        distance = abs(math.log(float(known.estimate or 1.0) / self.limit))
        return math.ceil(self.candidate.size * ((_z(1.0 - alpha) + _z(POWER)) * error / distance) ** 2)
