"""What a rule that compares is about: the candidate less the reference, or the candidate's share of the reference's.

Differences are oriented so that more is better, and are tested against minus the margin; ratios are of prices, less
is better, and are tested against one plus the margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftgate.benchmarks import stats
from driftgate.benchmarks.gate._quantities import POWER, Floats, Labels, Mean, Side, _known, _t, _z, one_sided
from driftgate.benchmarks.stats import ClusterMean, Interval, OneSidedTest


@dataclass(frozen=True)
class PairedShares:
    """Difference of two proportions on shared samples: Tango's score test, or a cluster-robust t."""

    candidate: Floats
    reference: Floats
    clusters: Labels | None
    margin: float

    @property
    def limit(self) -> float:
        return -self.margin

    @cached_property
    def _sides(self) -> tuple[Floats, Floats, Labels | None]:
        """Both sides and their clusters; where all clusters say exactly the same, each counts as one sample."""
        if self.clusters is None:
            return self.candidate, self.reference, None
        mean = stats.cluster_mean(self.candidate - self.reference, self.clusters)
        if mean.standard_error is not None or mean.n_clusters < 2:
            return self.candidate, self.reference, self.clusters
        first = np.unique(self.clusters, return_index=True)[1]
        return self.candidate[first], self.reference[first], None

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        candidate, reference, clusters = self._sides
        judge = stats.noninferiority_paired if side == "above" else stats.inferiority_paired
        return judge(candidate, reference, self.margin, clusters=clusters, alpha=alpha)

    def interval(self) -> Interval:
        candidate, reference, clusters = self._sides
        if clusters is None:
            return stats.tango_interval(stats.paired_table(candidate, reference))
        return stats.compare_paired(candidate, reference, clusters=clusters).interval

    def detectable(self, side: Side, alpha: float) -> float | None:
        candidate, reference, clusters = self._sides
        if clusters is not None:
            return Mean(candidate - reference, clusters, self.limit).detectable(side, alpha)
        n = candidate.size
        if not n:
            return None
        discordance = max(float((candidate != reference).mean()), self.margin)
        return _smallest_reach(n, self.limit, discordance, side, alpha)

    def needed(self, alpha: float) -> int | None:
        candidate, reference, clusters = self._sides
        n = candidate.size
        if not n:
            return None
        if clusters is not None:
            return Mean(candidate - reference, clusters, self.limit).needed(alpha)
        difference = float((candidate - reference).mean())
        discordance = float((candidate != reference).mean())
        return _known(
            lambda: stats.sample_size_noninferiority_paired(
                self.margin, discordance, difference, alpha=alpha, power=POWER
            )
        )


def _smallest_reach(n: int, limit: float, discordance: float, side: Side, alpha: float) -> float | None:
    """How far beyond the limit the true difference must lie for the paired score test to show it with 80% power."""
    value = limit if side == "above" else -limit

    def power(reach: float) -> float:
        return stats.power_above_paired(n, value, value + reach, max(discordance, abs(value + reach)), alpha)

    low, high = 0.0, 1.0 - value
    if power(high) < POWER:
        return None
    while high - low > 1e-5:
        middle = (low + high) / 2.0
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


@dataclass(frozen=True)
class UnpairedShares:
    """Difference of two proportions that share no sample: Farrington and Manning's score test."""

    candidate: Floats
    reference: Floats
    margin: float

    @property
    def limit(self) -> float:
        return -self.margin

    @property
    def _counts(self) -> tuple[int, int, int, int]:
        return int(self.candidate.sum()), self.candidate.size, int(self.reference.sum()), self.reference.size

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        judge = stats.noninferiority_unpaired if side == "above" else stats.inferiority_unpaired
        return judge(*self._counts, self.margin, alpha=alpha)

    def interval(self) -> Interval:
        return stats.compare_unpaired(*self._counts).interval

    def detectable(self, side: Side, alpha: float) -> float | None:
        ours, theirs = self.candidate.size, self.reference.size
        rate, reference = float(self.candidate.mean()), float(self.reference.mean())
        # The score test measures in standard errors at the limit, with rates that lie just so far apart.
        pooled = (ours * rate + theirs * reference) / (ours + theirs)
        at_limit = pooled + self.limit * theirs / (ours + theirs)
        null = _error(at_limit, ours, at_limit - self.limit, theirs)
        correction = (1.0 / ours + 1.0 / theirs) / 2.0
        return _z(1.0 - alpha) * null + _z(POWER) * _error(rate, ours, reference, theirs) + correction

    def needed(self, alpha: float) -> int | None:
        rate = float(self.reference.mean())
        difference = float(self.candidate.mean()) - rate
        ratio = self.reference.size / self.candidate.size
        return _known(
            lambda: stats.sample_size_noninferiority_unpaired(
                self.margin, rate, difference, ratio=ratio, alpha=alpha, power=POWER
            )
        )


def _error(rate: float, n: int, reference: float, reference_n: int) -> float:
    """Standard error of the difference of two independent proportions."""
    variance = max(0.0, rate * (1.0 - rate)) / n + max(0.0, reference * (1.0 - reference)) / reference_n
    return math.sqrt(variance)


@dataclass(frozen=True)
class UnpairedMeans:
    """Difference of two means that share no sample: Welch's t, with cluster-robust errors where there are clusters.

    References
    ----------
    .. [1] Welch (1947). The generalization of "Student's" problem when several different population variances are
       involved. Biometrika 34, 28-35.
    """

    candidate: Floats
    reference: Floats
    clusters: Labels | None
    reference_clusters: Labels | None
    margin: float

    @property
    def limit(self) -> float:
        return -self.margin

    @cached_property
    def _mean(self) -> ClusterMean:
        """The difference, as a mean with its error and degrees of freedom."""
        ours = stats.cluster_mean(self.candidate, self.clusters)
        theirs = stats.cluster_mean(self.reference, self.reference_clusters)
        n, groups = ours.n + theirs.n, ours.n_clusters + theirs.n_clusters
        known = None if ours.estimate is None or theirs.estimate is None else ours.estimate - theirs.estimate
        errors = (ours.standard_error or 0.0, theirs.standard_error or 0.0)
        total = sum(error**2 for error in errors)
        if total == 0.0 or None in (ours.standard_error, theirs.standard_error):
            reason = ours.reason or theirs.reason or "no samples"
            return ClusterMean(known, None, None, n, groups, 0.0, reason)
        parts = ((ours.standard_error, ours.degrees_of_freedom), (theirs.standard_error, theirs.degrees_of_freedom))
        freedom = total**2 / sum((e or 0.0) ** 4 / (f or 1.0) for e, f in parts)
        return ClusterMean(known, math.sqrt(total), freedom, n, groups, 0.0)

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        mean = self._mean
        p_value = mean.p_above(self.limit) if side == "above" else mean.p_below(self.limit)
        shown = None if p_value is None else p_value <= alpha
        bound = mean.quantile(alpha if side == "above" else 1.0 - alpha)
        return OneSidedTest(shown, side, self.limit, mean.estimate, bound, p_value, alpha, mean.n, "welch", mean.reason)

    def interval(self) -> Interval:
        mean = self._mean
        return Interval(
            mean.estimate, mean.quantile(0.025), mean.quantile(0.975), 0.95, "welch", mean.n, reason=mean.reason
        )

    def detectable(self, side: Side, alpha: float) -> float | None:
        freedom, error = self._mean.degrees_of_freedom, self._mean.standard_error
        return None if freedom is None or error is None else (_t(freedom, 1.0 - alpha) + _t(freedom, POWER)) * error

    def needed(self, alpha: float) -> int | None:
        reach, mean = self.detectable("above", alpha), self._mean.estimate
        if reach is None or mean is None or mean == self.limit:
            return None
        return math.ceil(self.candidate.size * (reach / abs(mean - self.limit)) ** 2)


@dataclass(frozen=True)
class MeanRatio:
    """The candidate's mean over the reference's, of prices on shared samples, against one plus the margin.

    "The ratio is below L" is "the mean of c - L r is below 0" (Fieller 1954), which Student's t tests pair by pair.

    References
    ----------
    .. [1] Fieller (1954). Some problems in interval estimation. Journal of the Royal Statistical Society B 16, 175-185.
    """

    candidate: Floats
    reference: Floats
    clusters: Labels | None
    limit: float

    def _residuals(self, ratio: float) -> Mean:
        return Mean(self.candidate - ratio * self.reference, self.clusters, 0.0)

    @property
    def _estimate(self) -> float | None:
        total = float(self.reference.sum()) if self.reference.size else 0.0
        return float(self.candidate.sum()) / total if total > 0.0 else None

    def test(self, side: Side, alpha: float) -> OneSidedTest:
        n, ratio = self.candidate.size, self._estimate
        if ratio is None:
            reason = "the reference's values add up to 0" if n else "no samples"
            return OneSidedTest(None, side, self.limit, None, None, None, alpha, n, "fieller", reason)
        found = self._residuals(self.limit).test(side, alpha)
        return OneSidedTest(
            found.shown, side, self.limit, ratio, None, found.p_value, alpha, n, f"fieller-{found.method}", found.reason
        )

    def interval(self) -> Interval:
        n, ratio = self.candidate.size, self._estimate
        if ratio is None:
            return Interval.unknown(None, level=0.95, method="fieller", n=n, reason="no ratio")
        # The delta method's, for the eye; the verdict is the test's.
        spread = self._residuals(ratio)._mean
        if spread.standard_error is None or spread.degrees_of_freedom is None:
            reason = spread.reason or "no variance"
            return Interval.unknown(ratio, level=0.95, method="ratio", n=n, reason=reason)
        half = _t(spread.degrees_of_freedom, 0.975) * spread.standard_error / float(self.reference.mean())
        return Interval(ratio, ratio - half, ratio + half, 0.95, "ratio-t", n)

    def detectable(self, side: Side, alpha: float) -> float | None:
        if self._estimate is None:
            return None
        reach = self._residuals(self.limit).detectable(side, alpha)
        return None if reach is None else reach / float(self.reference.mean())

    def needed(self, alpha: float) -> int | None:
        return None if self._estimate is None else self._residuals(self.limit).needed(alpha)


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

    def _at(self, level: float) -> Interval:
        n = self.candidate.size
        ours = stats.quantile_interval(self.candidate, self.probability, level=level)
        theirs = stats.quantile_interval(self.reference, self.probability, level=level)
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
