"""P-values corrected around what was not measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import fdrcorrection, multipletests

from driftgate.benchmarks.stats import benjamini_hochberg, holm

NAN = float("nan")
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


@settings(max_examples=4)  # statsmodels collects garbage on every call
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
