"""Margin and threshold tests: their level summed exactly, their bounds, both directions, equivalence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from driftgate.benchmarks.stats import (
    OneSidedTest,
    above_threshold,
    above_threshold_clustered,
    below_threshold,
    below_threshold_clustered,
    bounded_mean,
    equivalence_paired,
    inferiority_means,
    inferiority_paired,
    inferiority_unpaired,
    mean_above_threshold,
    mean_below_threshold,
    noninferiority_means,
    noninferiority_paired,
    noninferiority_unpaired,
)
from driftgate.benchmarks.stats._score import constrained_rates, independent_score, paired_score

margins = st.sampled_from([0.0, 0.01, 0.02, 0.05, 0.1])


def pairs(gained: int, lost: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    tied = n - gained - lost
    return np.repeat([1, 0, 1], [gained, lost, tied]), np.repeat([0, 1, 1], [gained, lost, tied])


def consistent(test: OneSidedTest) -> None:
    """Shown, p-value and bound are one decision; nothing is shown beyond its own estimate."""
    assert test.p_value is not None and test.bound is not None and test.estimate is not None
    assert 0.0 <= test.p_value <= 1.0
    assert test.shown == (test.p_value <= test.alpha)
    if abs(test.p_value - test.alpha) > 1e-6:
        assert test.shown == (test.bound > test.limit if test.side == "above" else test.bound < test.limit)
    if test.shown and test.alpha <= 0.5:
        assert test.estimate > test.limit if test.side == "above" else test.estimate < test.limit


@settings(max_examples=60)
@given(st.integers(0, 80), st.integers(0, 80), st.integers(0, 400), margins, st.sampled_from([0.01, 0.05, 0.1]))
def test_paired_tests_are_consistent_and_mirror(gained: int, lost: int, tied: int, margin: float, alpha: float) -> None:
    n = gained + lost + tied
    if n == 0:
        return
    candidate, reference = pairs(gained, lost, n)
    better = noninferiority_paired(candidate, reference, margin, alpha=alpha)
    worse = inferiority_paired(candidate, reference, margin, alpha=alpha)
    consistent(better)
    consistent(worse)
    assert not (better.shown and worse.shown)
    if margin == 0.0:
        exchanged = inferiority_paired(reference, candidate, 0.0, alpha=alpha)
        assert exchanged.p_value == pytest.approx(better.p_value)


def noninferior(gained: np.ndarray, lost: np.ndarray, n: int, margin: float) -> np.ndarray:
    return np.asarray(paired_score(-margin, gained, lost, n, shift=0.5) >= 1.6448536)


@pytest.mark.parametrize("n", [1, 7, 30, 50, 100, 200])
@pytest.mark.parametrize("margin", [0.01, 0.02, 0.05, 0.1])
def test_level_of_the_paired_gate_summed_exactly(n: int, margin: float) -> None:
    """At the margin a candidate passes in at most 5% of all possible tables, whatever share up to 60% is discordant."""
    gained, lost = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    passes = (gained + lost <= n) & noninferior(gained, lost, n, margin)
    gained, discordant = gained[passes], (gained + lost)[passes]
    for discordance in np.linspace(margin, 0.6, 12):
        share = (discordance - margin) / (2 * discordance)
        chance = scipy_stats.binom.pmf(discordant, n, discordance) * scipy_stats.binom.pmf(gained, discordant, share)
        assert float(chance.sum()) <= 0.05


def test_the_summed_level_is_that_of_the_public_test() -> None:
    for gained, lost in [(0, 0), (5, 3), (3, 9), (10, 30), (0, 6)]:
        shown = noninferiority_paired(*pairs(gained, lost, 100), 0.05).shown
        assert shown == bool(noninferior(np.array(gained), np.array(lost), 100, 0.05))


@settings(max_examples=60)
@given(st.integers(1, 300), st.integers(1, 300), margins, st.data())
def test_unpaired_tests_are_consistent(n: int, reference_n: int, margin: float, data: st.DataObject) -> None:
    right, reference = data.draw(st.integers(0, n)), data.draw(st.integers(0, reference_n))
    better = noninferiority_unpaired(right, n, reference, reference_n, margin)
    worse = inferiority_unpaired(right, n, reference, reference_n, margin)
    consistent(better)
    consistent(worse)
    assert not (better.shown and worse.shown)


@given(st.integers(2, 200), st.integers(2, 200), st.floats(-0.6, 0.6), st.data())
def test_constrained_rates_are_the_most_likely_ones(n1: int, n0: int, value: float, data: st.DataObject) -> None:
    x1, x0 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n0))
    rate1, rate0 = (float(rate) for rate in constrained_rates(value, x1, n1, x0, n0))
    assert rate1 - rate0 == pytest.approx(value, abs=1e-9)

    def likelihood(q: float) -> float:
        return sum(
            k * math.log(max(p, 1e-300))
            for k, p in [(x1, q + value), (n1 - x1, 1 - q - value), (x0, q), (n0 - x0, 1 - q)]
            if k
        )

    grid = np.linspace(max(0.0, -value), min(1.0, 1.0 - value), 400)
    assert likelihood(rate0) >= max(likelihood(float(q)) for q in grid) - 1e-6


def test_independent_score_at_zero_is_pearsons() -> None:
    chi2 = scipy_stats.chi2_contingency([[56, 14], [48, 32]], correction=False).statistic
    assert float(independent_score(0.0, 56, 70, 48, 80)) ** 2 == pytest.approx(chi2)


def test_level_of_the_unpaired_gate_summed_exactly() -> None:
    n, margin = 60, 0.1
    right = np.arange(n + 1)
    z = scipy_stats.norm.ppf(0.95)
    shown = independent_score(-margin, right[:, None], n, right[None, :], n, shift=1 / n) >= z
    assert noninferiority_unpaired(40, n, 40, n, margin).shown == shown[40, 40]
    assert noninferiority_unpaired(45, n, 40, n, margin).shown == shown[45, 40]
    for rate in np.linspace(0.15, 0.95, 17):
        weights = np.outer(scipy_stats.binom.pmf(right, n, rate - margin), scipy_stats.binom.pmf(right, n, rate))
        assert float(weights[shown].sum()) <= 0.05


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.05, 0.95))
def test_thresholds_are_exact_binomial_tests(count: tuple[int, int], threshold: float) -> None:
    right, n = count
    above, below = above_threshold(right, n, threshold), below_threshold(right, n, threshold)
    greater = scipy_stats.binomtest(right, n, threshold, alternative="greater")
    less = scipy_stats.binomtest(right, n, threshold, alternative="less")
    assert above.p_value == pytest.approx(greater.pvalue)
    assert below.p_value == pytest.approx(less.pvalue)
    assert above.bound == pytest.approx(greater.proportion_ci(0.95, "exact").low, abs=1e-9)
    assert below.bound == pytest.approx(less.proportion_ci(0.95, "exact").high, abs=1e-9)
    consistent(above)
    consistent(below)


@given(st.integers(0, 2**31), st.floats(0.1, 0.9), st.sampled_from([0.01, 0.05]))
def test_clustered_thresholds_are_consistent(seed: int, threshold: float, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    outcomes, clusters = rng.integers(0, 2, 40), rng.integers(0, 9, 40)
    above = above_threshold_clustered(outcomes, clusters, threshold, alpha=alpha)
    below = below_threshold_clustered(outcomes, clusters, threshold, alpha=alpha)
    consistent(above)
    consistent(below)
    mean = bounded_mean(outcomes, 0.0, 1.0, clusters=clusters)
    assert (above.bound, below.bound) == (mean.quantile(alpha), mean.quantile(1.0 - alpha))


def test_clustered_threshold_of_perfect_outcomes_counts_clusters() -> None:
    perfect, clusters = np.ones(60), np.repeat(np.arange(6), 10)
    consistent(above_threshold_clustered(perfect, clusters, 0.9))
    assert above_threshold_clustered(perfect, clusters, 0.9).shown is False
    assert above_threshold(60, 60, 0.9).shown is True
    assert above_threshold_clustered(perfect, clusters, 0.5).shown is True


@given(st.integers(0, 2**31), st.floats(-1.0, 1.0))
def test_means_are_scipys_one_sided_t(seed: int, threshold: float) -> None:
    values = np.random.default_rng(seed).normal(size=25)
    above, below = mean_above_threshold(values, threshold), mean_below_threshold(values, threshold)
    assert above.p_value == pytest.approx(scipy_stats.ttest_1samp(values, threshold, alternative="greater").pvalue)
    assert below.p_value == pytest.approx(scipy_stats.ttest_1samp(values, threshold, alternative="less").pvalue)
    consistent(above)
    consistent(below)


def test_mean_margins_are_paired() -> None:
    rng = np.random.default_rng(2)
    reference = rng.normal(size=200)
    candidate = reference + rng.normal(-0.05, 0.05, 200)
    assert noninferiority_means(candidate, reference, 0.1).shown is True
    assert inferiority_means(candidate, reference, 0.02).shown is True
    assert noninferiority_means(candidate, reference, 0.05).shown is False


def test_clusters_change_the_decision() -> None:
    # Twenty lost samples alone are no evidence if all stand in one of thirty passages.
    candidate, reference = np.ones(300), np.ones(300)
    candidate[:40] = 0
    passages = np.concatenate([np.zeros(40), 1 + np.arange(260) // 9])
    assert inferiority_paired(candidate, reference, 0.05).shown is True
    assert inferiority_paired(candidate, reference, 0.05, clusters=passages).shown is False


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 900), st.sampled_from([0.01, 0.03, 0.1]))
def test_equivalence_is_both_one_sided_tests(gained: int, lost: int, tied: int, margin: float) -> None:
    candidate, reference = pairs(gained, lost, gained + lost + tied)
    test = equivalence_paired(candidate, reference, margin)
    both = noninferiority_paired(candidate, reference, margin).shown
    both = bool(both) and bool(noninferiority_paired(reference, candidate, margin).shown)
    assert test.shown == both
    low, high = test.interval.low, test.interval.high
    assert low is not None and high is not None and test.p_value is not None
    if abs(test.p_value - 0.05) > 1e-6:
        assert test.shown == (-margin < low and high < margin)


def test_nothing_is_shown_without_samples() -> None:
    unshown = [
        noninferiority_paired([], [], 0.02),
        noninferiority_paired([1, 0], [1, 1], 0.02, clusters=["a", "a"]),
        noninferiority_unpaired(0, 0, 5, 9, 0.02),
        above_threshold(0, 0, 0.5),
        above_threshold_clustered([1, 0], ["a", "a"], 0.5),
        mean_above_threshold([1.0], 0.5),
        mean_above_threshold([1.0, 1.0], 0.5),
    ]
    for test in unshown:
        assert test.shown is None and test.p_value is None and test.bound is None and test.reason
    nothing = equivalence_paired([], [], 0.02)
    assert nothing.shown is None and nothing.interval.reason == "no samples"


def test_one_sample_shows_nothing() -> None:
    assert noninferiority_paired([1], [1], 0.02).shown is False
    assert inferiority_paired([0], [1], 0.02).shown is False
    assert above_threshold(1, 1, 0.5).shown is False


@pytest.mark.parametrize("margin", [-0.02, 2, float("nan")])
def test_impossible_margins_are_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin is"):
        noninferiority_paired([1, 0], [1, 1], margin)
