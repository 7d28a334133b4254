"""What is computed here, so that scipy.stats and statsmodels need not be imported, is what they give."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import quantile_test
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    samplesize_proportions_2indep_onetail,
)

from driftgate.benchmarks.stats import (
    compare_unpaired,
    minimum_detectable_effect_unpaired,
    quantile_interval,
    sample_size_unpaired,
)
from driftgate.benchmarks.stats._root import find_root

LEVELS = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


@settings(deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=120), st.floats(0.01, 0.99), LEVELS)
def test_a_quantile_has_the_limits_of_its_test(values: list[int], probability: float, level: float) -> None:
    found = quantile_interval(np.array(values, dtype=float), probability, level=level)
    limits = quantile_test(values, q=found.estimate, p=probability).confidence_interval(confidence_level=level)
    both = not (math.isnan(limits.low) or math.isnan(limits.high))
    assert (found.low, found.high) == ((limits.low, limits.high) if both else (None, None))


@st.composite
def two_counts(draw: Any) -> tuple[int, int, int, int]:
    n, reference_n = draw(st.integers(1, 400)), draw(st.integers(1, 400))
    return draw(st.integers(0, n)), n, draw(st.integers(0, reference_n)), reference_n


@settings(deadline=None)
@given(two_counts(), LEVELS)
def test_a_difference_has_newcombe_s_limits(counts: tuple[int, int, int, int], level: float) -> None:
    found = compare_unpaired(*counts, level=level).interval
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=1.0 - level)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@settings(deadline=None)
@given(st.integers(20, 5000), st.integers(20, 5000), st.floats(0.05, 0.95))
def test_the_detectable_effect_has_the_wanted_power(n: int, reference_n: int, rate: float) -> None:
    effect = minimum_detectable_effect_unpaired(n, reference_n, rate)
    if effect is None:
        return
    power = power_proportions_2indep(effect, rate - effect / 2.0, n, reference_n / n, 0.05, return_results=False)
    assert power == pytest.approx(0.8, abs=1e-6)


@given(st.floats(0.005, 0.2), st.floats(0.2, 0.8), st.floats(0.2, 5.0), st.sampled_from([-1.0, 1.0]))
def test_the_sample_size_is_that_of_statsmodels(size: float, rate: float, ratio: float, sign: float) -> None:
    needed = samplesize_proportions_2indep_onetail(size, rate - size / 2.0, 0.8, ratio, 0.05)
    assert abs(sample_size_unpaired(sign * size, rate, ratio=ratio) - needed) <= 1.0 + 1e-9 * needed


@given(st.floats(-5, 5), st.floats(0.01, 3))
def test_a_root_is_brent_s(root: float, steepness: float) -> None:
    def function(x: float) -> float:
        return math.tanh(steepness * (x - root)) + 0.1 * (x - root) ** 3

    found = find_root(function, -7.0, 9.0, tolerance=1e-11)
    assert found == pytest.approx(brentq(function, -7.0, 9.0, xtol=1e-11), abs=1e-9)
    assert found == pytest.approx(root, abs=1e-9)


def test_a_root_that_is_an_end_or_not_there() -> None:
    assert find_root(lambda x: x, 0.0, 1.0, tolerance=1e-9) == 0.0
    assert find_root(lambda x: x - 1.0, 0.0, 1.0, tolerance=1e-9) == 1.0
    assert find_root(lambda x: -1.0 if x < 0.3 else 1.0, 0.0, 1.0, tolerance=1e-9) == pytest.approx(0.3, abs=1e-8)
    with pytest.raises(ValueError, match="does not cross zero"):
        find_root(lambda x: x + 1.0, 0.0, 1.0, tolerance=1e-9)


def test_statistics_import_no_more_of_scipy_than_its_special_functions() -> None:
    script = (
        "import sys\n"
        "from driftgate.benchmarks.stats import *\n"
        "from driftgate.benchmarks import stats\n"
        "stats.wilson_interval(3, 9), stats.quantile_interval(range(200), 0.95), stats.holm([0.1]),\n"
        "stats.benjamini_hochberg([0.1, 0.2]), stats.compare_unpaired(5, 9, 3, 9), stats.compare_paired([1]*9, [0]*9)\n"
        "stats.sample_size_unpaired(0.1, 0.5)\n"
        "stats.bounded_mean([1, 0, 1], 0, 1).p_above(0.5), stats.sample_size_threshold(0.75, 0.7)\n"
        "print(sorted({m for m in sys.modules if m.startswith(('statsmodels', 'scipy.stats', 'scipy.optimize'))}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
