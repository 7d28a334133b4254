"""Bounds over what was not answered; p-values corrected around what was not measured."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import fdrcorrection, multipletests

from driftgate.benchmarks.stats import (
    benjamini_hochberg,
    bound_difference,
    bound_proportion,
    compare_paired,
    holm,
    wilson_interval,
)

NAN = float("nan")


@given(st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200)).filter(any))
def test_bounds_hold_every_score_the_unanswered_could_give(counts: tuple[int, int, int]) -> None:
    right, wrong, unanswered = counts
    n = sum(counts)
    bounds = bound_proportion(right, n, unanswered)
    assert bounds.low == wilson_interval(right, n) and bounds.high == wilson_interval(right + unanswered, n)
    assert (bounds.low.estimate == bounds.high.estimate) == (unanswered == 0)
    # A convention that drops what was not answered gives a score between the bounds.
    if right + wrong:
        dropped = right / (right + wrong)
        assert bounds.low.estimate is not None and bounds.high.estimate is not None
        assert bounds.low.estimate - 1e-12 <= dropped <= bounds.high.estimate + 1e-12


def test_a_threshold_between_the_bounds_is_unmeasurable() -> None:
    bounds = bound_proportion(60, 100, 10)
    assert [bounds.straddle(t) for t in (0.55, 0.60, 0.65, 0.70, 0.75)] == [False, False, True, True, False]
    assert not bound_proportion(60, 100, 0).straddle(0.6)
    assert bound_proportion(0, 0, 0).straddle(0.5)


@pytest.mark.parametrize(("right", "n", "unanswered"), [(8, 10, 3), (1, 10, 11), (-1, 10, 0)])
def test_impossible_bounds_are_refused(right: int, n: int, unanswered: int) -> None:
    with pytest.raises(ValueError, match="expected 0"):
        bound_proportion(right, n, unanswered)


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, NAN])] * 2), min_size=1, max_size=7))
def test_difference_bounds_are_the_extremes_over_all_fillings(samples: list[tuple[float, float]]) -> None:
    candidate, reference = (np.array(side) for side in zip(*samples, strict=True))
    gaps = [(side, i) for side in (0, 1) for i in range(len(samples)) if math.isnan(samples[i][side])]
    if len(gaps) > 8:
        return
    differences = []
    for filling in itertools.product([0.0, 1.0], repeat=len(gaps)):
        filled = [candidate.copy(), reference.copy()]
        for (side, i), value in zip(gaps, filling, strict=True):
            filled[side][i] = value
        differences.append(float(filled[0].mean() - filled[1].mean()))
    bounds = bound_difference(candidate, reference)
    assert bounds.low.estimate == pytest.approx(min(differences))
    assert bounds.high.estimate == pytest.approx(max(differences))
    assert bounds.n_unanswered == sum(math.isnan(a) or math.isnan(b) for a, b in samples)


def test_difference_bounds_of_complete_runs_are_the_comparison() -> None:
    candidate, reference = [1, 0, 1, 1, 0, 1], [1, 0, 0, 1, 1, 0]
    bounds = bound_difference(candidate, reference)
    assert bounds.low == bounds.high == compare_paired(candidate, reference).interval


def test_difference_bounds_refuse_what_is_not_an_outcome() -> None:
    with pytest.raises(ValueError, match="other than 0 and 1"):
        bound_difference([0.5, NAN], [1, 0])
    with pytest.raises(ValueError, match="candidate has 2 samples and reference 1"):
        bound_difference([1, NAN], [1])


p_values = st.lists(st.one_of(st.floats(0, 1), st.none(), st.just(NAN)), max_size=30)


@given(p_values)
def test_corrections_keep_the_unmeasured_in_place_and_do_not_count_it(values: list[float | None]) -> None:
    tested = [p for p in values if p is not None and not math.isnan(p)]
    for correct in (holm, benjamini_hochberg):
        adjusted = correct(values)
        assert [a is None for a in adjusted] == [p is None or math.isnan(p) for p in values]
        assert [a for a in adjusted if a is not None] == correct(tested)
        for p, a in zip(values, adjusted, strict=True):
            assert a is None or (p is not None and p - 1e-12 <= a <= 1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_is_that_of_statsmodels(values: list[float]) -> None:
    assert benjamini_hochberg(list(values)) == pytest.approx(fdrcorrection(values)[1])


@settings(max_examples=10)  # statsmodels collects garbage on every call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(values: list[float]) -> None:
    assert holm(list(values)) == pytest.approx(multipletests(values, method="holm")[1])


def test_published_adjustments() -> None:
    # Benjamini and Hochberg (1995), section 3.2: of fifteen p-values theirs rejects four at 5%, Bonferroni three.
    published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528]
    published += [0.7590, 1.0]
    assert sum(p is not None and p <= 0.05 for p in benjamini_hochberg(list(published))) == 4
    assert sum(p is not None and p <= 0.05 for p in holm(list(published))) == 3


def test_impossible_p_values_are_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        holm([0.5, 1.5])
