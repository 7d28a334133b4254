"""Margin and threshold tests: their level summed exactly, their bounds, both directions."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from driftgate.benchmarks.stats import (
    OneSidedTest,
    above_threshold,
    below_threshold,
    bounded_mean,
    one_sided_mean,
)
from driftgate.benchmarks.stats._score import constrained_rates, independent_score

SIDES: tuple[Literal["above", "below"], ...] = ("above", "below")


def consistent(test: OneSidedTest) -> None:
    """Shown, p-value and bound are one decision; nothing is shown beyond its own estimate."""
    assert test.p_value is not None and test.bound is not None and test.estimate is not None
    assert 0.0 <= test.p_value <= 1.0
    assert test.shown == (test.p_value <= test.alpha)
    if abs(test.p_value - test.alpha) > 1e-6:
        assert test.shown == (test.bound > test.limit if test.side == "above" else test.bound < test.limit)
    if test.shown and test.alpha <= 0.5:
        assert test.estimate > test.limit if test.side == "above" else test.estimate < test.limit


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
    assert likelihood(rate0) >= max(likelihood(float(q)) for q in grid) - 1e-5


def test_independent_score_at_zero_is_pearsons() -> None:
    chi2 = scipy_stats.chi2_contingency([[56, 14], [48, 32]], correction=False).statistic
    assert float(independent_score(0.0, 56, 70, 48, 80)) ** 2 == pytest.approx(chi2)


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


@given(st.integers(0, 2**31), st.floats(0.1, 0.9), st.sampled_from([0.01, 0.05]), st.booleans())
def test_tests_of_means_are_consistent(seed: int, limit: float, alpha: float, clustered: bool) -> None:
    rng = np.random.default_rng(seed)
    values, clusters = rng.integers(0, 3, 40) / 2, rng.integers(0, 9, 40)
    mean = bounded_mean(values, 0.0, 1.0, clusters=clusters if clustered else None)
    above, below = (one_sided_mean(mean, limit, side, alpha=alpha) for side in SIDES)
    consistent(above)
    consistent(below)
    assert not (above.shown and below.shown)
    assert (above.bound, below.bound) == (mean.quantile(alpha), mean.quantile(1.0 - alpha))
    assert (above.p_value, below.p_value) == (mean.p_above(limit), mean.p_below(limit))


@pytest.mark.parametrize(("limit", "shown"), [(0.9, False), (0.5, True)])
def test_perfect_outcomes_count_their_clusters(limit: float, shown: bool) -> None:
    mean = bounded_mean(np.ones(60), 0.0, 1.0, clusters=np.repeat(np.arange(6), 10))
    test = one_sided_mean(mean, limit, "above", alpha=0.05)
    consistent(test)
    assert test.shown is shown and test.p_value == pytest.approx(limit**6)
    assert above_threshold(60, 60, limit).shown is True


def test_clusters_change_the_decision() -> None:
    # Forty lost samples alone are no evidence if all stand in one of thirty passages.
    differences = np.where(np.arange(300) < 40, -1.0, 0.0)
    passages = np.concatenate([np.zeros(40), 1 + np.arange(260) // 9])
    alone, clustered = (bounded_mean(differences, -1.0, 1.0, clusters=labels) for labels in (None, passages))
    assert one_sided_mean(alone, -0.05, "below", alpha=0.05).shown is True
    assert one_sided_mean(clustered, -0.05, "below", alpha=0.05).shown is False


def test_nothing_is_shown_without_samples() -> None:
    unshown = [
        above_threshold(0, 0, 0.5),
        below_threshold(0, 0, 0.5),
        one_sided_mean(bounded_mean([], 0, 1), 0.5, "above", alpha=0.05),
        one_sided_mean(bounded_mean([1, 0], 0, 1, clusters=["a", "a"]), 0.5, "below", alpha=0.05),
    ]
    for test in unshown:
        assert test.shown is None and test.p_value is None and test.bound is None and test.reason


def test_one_sample_shows_nothing() -> None:
    assert above_threshold(1, 1, 0.5).shown is False
