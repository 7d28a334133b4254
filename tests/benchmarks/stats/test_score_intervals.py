"""Intervals of one score: against statsmodels, published values, the matrix formulas, and their general properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.api import OLS
from statsmodels.stats.proportion import proportion_confint

from driftgate.benchmarks.stats import (
    Interval,
    cluster_mean,
    clustered_interval,
    design_effect,
    macro_interval,
    mean_interval,
    quantile_interval,
    wilson_interval,
)

counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def limits(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None and interval.high is not None, interval.reason
    return interval.low, interval.high


@given(counts, levels)
def test_wilson_is_that_of_statsmodels_and_holds_the_estimate(count: tuple[int, int], level: float) -> None:
    right, n = count
    low, high = limits(wilson_interval(right, n, level=level))
    assert (low, high) == pytest.approx(proportion_confint(right, n, alpha=1 - level, method="wilson"), abs=1e-12)
    assert 0.0 <= low <= right / n <= high <= 1.0


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_published(right: int, n: int, low: float, high: float) -> None:
    assert limits(wilson_interval(right, n)) == pytest.approx((low, high), abs=5e-5)


@given(counts, st.integers(2, 50))
def test_wilson_shrinks_with_n_and_mirrors(count: tuple[int, int], times: int) -> None:
    right, n = count
    low, high = limits(wilson_interval(right, n))
    narrow = limits(wilson_interval(right * times, n * times))
    assert narrow[1] - narrow[0] < high - low
    mirrored = limits(wilson_interval(n - right, n))
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_no_samples_have_no_interval() -> None:
    for interval in (wilson_interval(0, 0), clustered_interval([], []), mean_interval([]), quantile_interval([], 0.5)):
        assert (interval.estimate, interval.low, interval.high, interval.reason) == (None, None, None, "no samples")


@pytest.mark.parametrize(
    ("right", "n", "message"),
    [
        (5, 4, "expected 0 to 4"),
        (-1, 4, "expected 0 to 4"),
        (0.5, 4, "whole number"),
        (float("nan"), 4, "whole number"),
    ],
)
def test_impossible_counts_are_refused(right: int, n: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wilson_interval(right, n)


@pytest.mark.parametrize("level", [0.0, 1.0, 95, float("nan")])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level is"):
        wilson_interval(1, 2, level=level)


samples = st.integers(0, 2**31).map(
    lambda seed: (np.random.default_rng(seed).random(60) < 0.6, np.random.default_rng(seed + 1).integers(0, 12, 60))
)


@given(samples)
def test_cr2_is_the_matrix_formula(sample: tuple[np.ndarray, np.ndarray]) -> None:
    """Bias and degrees of freedom as Pustejovsky and Tipton define them, written out with n x n matrices."""
    values, clusters = sample[0].astype(float), sample[1]
    n, labels = values.size, np.unique(sample[1])
    same = clusters[:, None] == clusters[None, :]
    groups = [values[clusters == label] for label in labels]
    between = sum(g.size * (g.mean() - values.mean()) ** 2 for g in groups) / (labels.size - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (n - labels.size)
    size = (n - sum(g.size**2 for g in groups) / n) / (labels.size - 1)
    correlation = min(1.0, max(0.0, (between - within) / (between + (size - 1) * within)))
    covariance = np.where(same, correlation, 0.0) + (1 - correlation) * np.eye(n)

    sums = (clusters[None, :] == labels[:, None]).astype(float)
    of_sums = sums @ (np.eye(n) - 1.0 / n) @ covariance @ (np.eye(n) - 1.0 / n) @ sums.T
    true = sums @ covariance @ sums.T
    scale = np.diag(np.sqrt(np.diag(true) / np.diag(of_sums)))
    scaled = scale @ of_sums @ scale
    mean = cluster_mean(values, clusters)
    assert mean.standard_error == pytest.approx(np.linalg.norm(scale @ sums @ (values - values.mean())) / n)
    assert mean.degrees_of_freedom == pytest.approx(np.trace(scaled) ** 2 / np.trace(scaled @ scaled))
    assert mean.degrees_of_freedom is not None and mean.degrees_of_freedom <= mean.n_clusters - 1 + 1e-9


def test_without_correlation_cr2_is_that_of_bell_and_mccaffrey() -> None:
    """Each cluster's residuals multiplied by the inverse square root of its block of I - H."""
    values = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    clusters = np.array([0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3])
    residuals, meat = values - values.mean(), 0.0
    for label in range(4):
        mine = clusters == label
        eigenvalues, vectors = np.linalg.eigh(np.eye(mine.sum()) - 1.0 / values.size)
        root = vectors @ np.diag(eigenvalues**-0.5) @ vectors.T
        meat += float((root @ residuals[mine]).sum()) ** 2
    assert cluster_mean(values, clusters).standard_error == pytest.approx(math.sqrt(meat) / values.size)


def test_equal_clusters_agree_with_statsmodels_and_have_one_degree_less_than_clusters() -> None:
    values = np.random.default_rng(0).normal(size=120)
    clusters = np.repeat(np.arange(12), 10)
    mean = cluster_mean(values, clusters)
    # For equal clusters CR2 is the sandwich with the factor G / (G - 1), without statsmodels' (n - 1) / (n - k).
    fit = OLS(values, np.ones(120)).fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False})
    assert mean.standard_error == pytest.approx(fit.bse[0] * math.sqrt(12 / 11))
    assert mean.degrees_of_freedom == pytest.approx(11.0)


def test_single_sample_clusters_are_independent_samples() -> None:
    values = np.random.default_rng(1).normal(size=30)
    mean, apart = cluster_mean(values), cluster_mean(values, np.arange(30))
    assert mean.standard_error == pytest.approx(scipy_stats.sem(values)) == apart.standard_error
    assert mean.degrees_of_freedom == pytest.approx(29.0)
    assert design_effect(values, np.arange(30)) == pytest.approx(1.0)


@given(samples, levels)
def test_clustered_interval_stays_in_range_and_ignores_names_and_order(
    sample: tuple[np.ndarray, np.ndarray], level: float
) -> None:
    outcomes, clusters = sample
    low, high = limits(clustered_interval(outcomes, clusters, level=level))
    assert 0.0 <= low < outcomes.mean() < high <= 1.0
    order = np.random.default_rng(0).permutation(outcomes.size)
    renamed = np.array([f"passage {label}" for label in clusters], dtype=object)
    assert limits(clustered_interval(outcomes[order], renamed[order], level=level)) == pytest.approx((low, high))


def test_clusters_that_agree_within_count_as_one_sample_each() -> None:
    outcomes = np.repeat([1, 0, 1, 1, 0, 1, 1, 0, 1, 1], 5)
    clusters = np.repeat(np.arange(10), 5)
    assert cluster_mean(outcomes, clusters).standard_error == pytest.approx(scipy_stats.sem(outcomes[::5]))
    low, high = limits(clustered_interval(outcomes, clusters))
    plain = limits(wilson_interval(35, 50))
    assert high - low > 2 * (plain[1] - plain[0])


def test_all_alike_counts_clusters_not_samples() -> None:
    interval = clustered_interval(np.ones(50), np.repeat(np.arange(10), 5))
    assert interval.method == "wilson-kish"
    assert limits(interval) == pytest.approx(limits(wilson_interval(10, 10)))


def test_few_clusters_that_say_otherwise_tell_as_much_as_few_clusters() -> None:
    """Forty-five clusters of twenty, of which three hold all that is wrong: nothing like 44 degrees of freedom."""
    clusters = np.repeat(np.arange(45), 20)
    outcomes = np.ones(900)
    outcomes[[0, 1, 2, 20, 21, 22, 40, 41, 42]] = 0.0
    mean = cluster_mean(outcomes, clusters)
    assert mean.degrees_of_freedom == pytest.approx(3.0 / (2.0 * 891 / 900 - 1.0) - 1.0)
    narrow = limits(wilson_interval(891, 900))
    low, high = limits(clustered_interval(outcomes, clusters))
    assert low < narrow[0] and high - low > 3.0 * (narrow[1] - narrow[0])
    outcomes[20:60] = 1.0
    assert cluster_mean(outcomes, clusters).degrees_of_freedom is None
    alone = clustered_interval(outcomes, clusters)
    assert alone.method == "wilson-kish" and limits(alone)[0] < low
    assert not mean_interval(outcomes, clusters=clusters).known


def test_among_single_samples_nothing_is_concentrated() -> None:
    outcomes = np.ones(200)
    outcomes[:3] = 0.0
    freedom = cluster_mean(outcomes, [*range(190), *["p"] * 10]).degrees_of_freedom
    assert freedom is not None and freedom > 4.0  # three in clusters of several would leave two


@pytest.mark.parametrize(
    ("outcomes", "clusters", "reason"),
    [
        ([1, 0, 1], ["a", "a", "a"], "1 cluster"),
        ([1, 1, 1], ["a", "a", "a"], "1 cluster"),
        ([1, 0, 1, 0], ["a", "a", "b", "b"], "agree exactly"),
    ],
)
def test_clusters_that_tell_nothing_give_a_reason(outcomes: list[int], clusters: list[str], reason: str) -> None:
    interval = clustered_interval(outcomes, clusters)
    assert (interval.low, interval.high) == (None, None)
    assert interval.estimate == np.mean(outcomes)
    assert interval.reason is not None and reason in interval.reason


@pytest.mark.parametrize(
    ("outcomes", "clusters", "message"),
    [
        ([1, 0, float("nan")], ["a", "b", "c"], "1 of 3 values that are NaN"),
        ([1, 0, 2], ["a", "b", "c"], "other than 0 and 1"),
        ([1, 0, 1], ["a", "b"], "one label for each of the 3"),
        ([1, 0, 1], ["a", None, "b"], "1 of 3 labels missing"),
        ([1, 0, 1], [1.0, float("nan"), 2.0], "1 of 3 labels missing"),
        ([[1, 0, 1]], ["a", "b", "b"], "2 dimensions"),
    ],
)
def test_malformed_clusters_are_refused(outcomes: list[float], clusters: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clustered_interval(outcomes, clusters)


@given(st.lists(counts.filter(lambda c: c[1] > 1), min_size=1, max_size=12), levels)
def test_macro_is_the_mean_of_rates_within_its_interval(table: list[tuple[int, int]], level: float) -> None:
    right, n = zip(*table, strict=True)
    interval = macro_interval(right, n, level=level)
    assert interval.estimate is not None and interval.estimate == pytest.approx(np.mean([r / t for r, t in table]))
    if interval.known:
        low, high = limits(interval)
        assert 0.0 <= low <= interval.estimate + 1e-12 and interval.estimate - 1e-12 <= high <= 1.0
    else:
        assert all(r in (0, t) for r, t in table)


def test_macro_of_large_categories_is_the_stratified_normal_interval() -> None:
    right, n = [52_000, 71_000, 30_500], [100_000, 90_000, 50_000]
    low, high = limits(macro_interval(right, n))
    rates = np.array(right) / np.array(n)
    half = 1.959964 * math.sqrt(float((rates * (1 - rates) / np.array(n)).sum())) / 3
    assert (low, high) == pytest.approx((rates.mean() - half, rates.mean() + half), abs=5e-6)


@pytest.mark.parametrize(
    ("right", "n", "estimate", "reason"),
    [
        ([], [], None, "no categories"),
        ([3, 0], [4, 0], None, "1 of 2 categories have no samples"),
        ([3, 1], [4, 1], 0.875, "1 of 2 categories have 1 sample"),
        ([4, 0], [4, 4], 0.5, "all right or all wrong"),
    ],
)
def test_macro_without_enough_gives_a_reason(
    right: list[int], n: list[int], estimate: float | None, reason: str
) -> None:
    interval = macro_interval(right, n)
    assert interval.estimate == estimate
    assert interval.reason is not None and reason in interval.reason


def test_perfect_macro_is_not_certain() -> None:
    low, high = limits(macro_interval([10, 10], [10, 10]))
    assert (low, high) == pytest.approx(limits(wilson_interval(20, 20)))
    assert low < 1.0


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60).filter(lambda v: np.std(v) > 1e-6), levels)
def test_mean_interval_is_scipys(values: list[float], level: float) -> None:
    expected = scipy_stats.ttest_1samp(values, 0.0).confidence_interval(level)
    assert limits(mean_interval(values, level=level)) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("values", "reason"), [([3.0], "1 sample"), ([0.1] * 10, "agree exactly")])
def test_mean_without_variation_gives_a_reason(values: list[float], reason: str) -> None:
    interval = mean_interval(values)
    assert interval.reason is not None and reason in interval.reason and interval.low is None


@settings(max_examples=50)
@given(st.integers(0, 2**31), st.integers(1, 400), st.sampled_from([0.05, 0.5, 0.9, 0.95]), levels)
def test_quantile_limits_are_order_statistics_of_sufficient_coverage(seed: int, n: int, p: float, level: float) -> None:
    values = np.sort(np.random.default_rng(seed).lognormal(size=n))
    interval = quantile_interval(values, p, level=level)
    needed = math.ceil(math.log((1 - level) / 2) / math.log(max(p, 1 - p)))
    if n < needed:
        assert interval.reason == f"the p{100 * p:g} needs at least {needed} samples at level {level:g}"
        return
    low, high = limits(interval)
    first, last = np.searchsorted(values, low), np.searchsorted(values, high)
    assert values[first] == low and values[last] == high
    assert interval.estimate is not None and low <= interval.estimate <= high
    # True quantile within [X(first + 1), X(last + 1)]: the number of values below it is binomial.
    assert scipy_stats.binom.cdf(last, n, p) - scipy_stats.binom.cdf(first, n, p) >= level - 1e-9


def test_an_interval_has_limits_or_a_reason() -> None:
    with pytest.raises(ValueError, match="limits or a reason"):
        Interval(0.5, None, None, level=0.95, method="wilson", n=3)
    with pytest.raises(ValueError, match="in order"):
        Interval(0.5, 0.6, 0.4, level=0.95, method="wilson", n=3)
    unknown = Interval.unknown(0.5, level=0.95, method="t", n=1, reason="1 sample")
    assert 0.9 in unknown and 0.9 not in Interval(0.5, 0.4, 0.6, level=0.95, method="t", n=9)
