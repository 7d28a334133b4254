"""Planning: power summed over all tables, and its inverse functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from driftgate.benchmarks.stats import (
    above_threshold,
    below_threshold,
    mcnemar_exact,
    minimum_detectable_effect_paired,
    minimum_detectable_effect_threshold,
    minimum_detectable_effect_unpaired,
    power_paired,
    sample_size_paired,
    sample_size_threshold,
    sample_size_unpaired,
)
from driftgate.benchmarks.stats._score import independent_score


@pytest.mark.parametrize(("n", "difference", "discordance"), [(20, 0.3, 0.5), (60, -0.15, 0.25), (80, 0.0, 0.3)])
def test_power_is_the_sum_over_all_tables(n: int, difference: float, discordance: float) -> None:
    chances = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    expected = sum(
        float(scipy_stats.multinomial.pmf([gained, lost, n - gained - lost], n, chances))
        for gained in range(n + 1)
        for lost in range(n + 1 - gained)
        if mcnemar_exact(gained, lost) <= 0.05
    )
    assert power_paired(n, difference, discordance) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30)
@given(st.integers(20, 20_000), st.floats(0.0, 0.6), st.sampled_from([0.5, 0.8, 0.9]))
def test_the_paired_effect_has_the_stated_power(n: int, discordance: float, power: float) -> None:
    effect = minimum_detectable_effect_paired(n, discordance, power=power)
    assert effect is not None and 0.0 < effect <= 1.0
    # Crossing the given discordance switches the sum to another one: two hundredths allow for that.
    assert power_paired(n, effect, max(discordance, effect)) == pytest.approx(power, abs=0.02)


@pytest.mark.parametrize(("difference", "discordance"), [(0.01, 0.05), (-0.02, 0.1), (0.1, 0.1), (0.05, 0.4)])
def test_the_paired_sample_size_is_enough_and_near_connors(difference: float, discordance: float) -> None:
    n = sample_size_paired(difference, discordance)
    assert power_paired(n, difference, discordance) >= 0.8
    assert power_paired(round(0.95 * n), difference, discordance) < 0.8
    connor = (1.959964 * discordance**0.5 + 0.841621 * (discordance - difference**2) ** 0.5) ** 2 / difference**2
    # Exactness costs some samples, relatively the fewer the more there are discordant.
    assert connor < n < 1.6 * connor


def test_more_of_everything_finds_less_or_needs_fewer() -> None:
    effects = [minimum_detectable_effect_paired(n, 0.1) or 1.0 for n in (50, 200, 1000, 5000, 35_030)]
    assert effects == sorted(effects, reverse=True)
    assert sample_size_paired(0.02, 0.05) < sample_size_paired(0.02, 0.1) < sample_size_paired(0.01, 0.1)
    assert sample_size_paired(0.02, 0.1, design_effect=2.0) == pytest.approx(2 * sample_size_paired(0.02, 0.1), abs=1)
    half = minimum_detectable_effect_paired(1000, 0.1, design_effect=2.0)
    assert half == minimum_detectable_effect_paired(500, 0.1)


def test_pairing_pays() -> None:
    paired, unpaired = minimum_detectable_effect_paired(1000, 0.1), minimum_detectable_effect_unpaired(1000, 1000, 0.6)
    assert paired is not None and unpaired is not None and paired < unpaired / 2


@pytest.mark.parametrize(("n", "reference_n", "rate"), [(300, 300, 0.6), (200, 500, 0.8)])
def test_the_unpaired_effect_has_the_stated_power(n: int, reference_n: int, rate: float) -> None:
    effect = minimum_detectable_effect_unpaired(n, reference_n, rate)
    assert effect is not None
    right, reference = np.arange(n + 1)[:, None], np.arange(reference_n + 1)[None, :]
    found = np.abs(independent_score(0.0, right, n, reference, reference_n)) >= scipy_stats.norm.ppf(0.975)
    first = scipy_stats.binom.pmf(right, n, rate + effect / 2)
    second = scipy_stats.binom.pmf(reference, reference_n, rate - effect / 2)
    assert float((first * second)[found].sum()) == pytest.approx(0.8, abs=0.02)


def test_the_unpaired_size_and_effect_are_inverse() -> None:
    n = sample_size_unpaired(0.05, 0.7)
    assert minimum_detectable_effect_unpaired(n, n, 0.7) == pytest.approx(0.05, abs=2e-4)
    assert sample_size_unpaired(-0.05, 0.7) == n


@given(st.integers(10, 3000), st.floats(0.05, 0.95))
def test_the_threshold_effect_has_exactly_the_stated_power(n: int, threshold: float) -> None:
    effect = minimum_detectable_effect_threshold(n, threshold)
    if effect is None:
        assert above_threshold(n, n, threshold).shown is False
        return
    fewest = next(right for right in range(n + 1) if above_threshold(right, n, threshold).shown)
    assert scipy_stats.binom.sf(fewest - 1, n, threshold + effect) == pytest.approx(0.8)


@pytest.mark.parametrize(("proportion", "threshold"), [(0.75, 0.7), (0.6, 0.7), (0.99, 0.95), (0.02, 0.05)])
def test_from_the_threshold_sample_size_on_power_never_falls_short(proportion: float, threshold: float) -> None:
    needed = sample_size_threshold(proportion, threshold)
    up = proportion > threshold

    def power(n: int) -> float:
        right = np.arange(n + 1)
        test = above_threshold if up else below_threshold
        shown = [bool(test(int(r), n, threshold).shown) for r in right]
        return float(scipy_stats.binom.pmf(right, n, proportion)[shown].sum())

    assert power(needed - 1) < 0.8
    assert all(power(n) >= 0.8 for n in range(needed, needed + 25))


def test_too_little_detects_nothing() -> None:
    assert minimum_detectable_effect_paired(5, 0.2) is None
    assert minimum_detectable_effect_paired(0, 0.0) is None
    assert minimum_detectable_effect_unpaired(0, 10, 0.5) is None
    assert minimum_detectable_effect_unpaired(100, 100, 1.0) is None
    assert minimum_detectable_effect_unpaired(1, 1, 0.5) is None
    assert minimum_detectable_effect_threshold(0, 0.5) is None
    # Six pairs that all go the same way are the fewest that exact McNemar finds.
    assert minimum_detectable_effect_paired(6, 0.0) is not None


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (lambda: sample_size_paired(0.0, 0.1), "difference is 0"),
        (lambda: sample_size_paired(0.2, 0.1), "at least as many samples must be discordant"),
        (lambda: sample_size_unpaired(0.0, 0.5), "difference is 0"),
        (lambda: sample_size_unpaired(0.4, 0.9), "expected a proportion"),
        (lambda: sample_size_threshold(0.7, 0.7), "threshold itself"),
        (lambda: minimum_detectable_effect_paired(100, float("nan")), "discordance is nan"),
        (lambda: minimum_detectable_effect_paired(100, 0.1, power=1.0), "power is 1.0"),
        (lambda: minimum_detectable_effect_paired(100, 0.1, design_effect=0.0), "design_effect is 0.0"),
    ],
)
def test_plans_that_cannot_be_are_refused(plan: object, message: str) -> None:
    assert callable(plan)
    with pytest.raises(ValueError, match=message):
        plan()
