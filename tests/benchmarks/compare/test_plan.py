"""What a comparison could find, from runs and from assumptions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from driftgate.benchmarks import stats
from driftgate.benchmarks.compare import (
    Entry,
    assumed_design,
    compare_cells,
    half_observed,
    observed_design,
    round_sizes,
)
from driftgate.benchmarks.scores import score_cell
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger

Put = Callable[..., CellRow]
RIGHT, WRONG = "D", "A"


def test_the_observed_discordance_is_what_is_planned_with(store: Ledger, put: Put, questions) -> None:
    asked = questions(100)
    old = put("old", asked, [RIGHT] * 50 + [WRONG] * 50)
    new = put("new", asked, [RIGHT] * 45 + [WRONG] * 5 + [RIGHT] * 10 + [WRONG] * 40)
    (pair,) = compare_cells(store, [old, new]).pairs
    design = observed_design(pair)
    assert (design.n, design.rate, design.discordance) == (100, pytest.approx(0.525), 0.15)
    assert design.detectable() == pair.overall.comparison.minimum_detectable_effect
    assert design.needed(0.05) == stats.sample_size_paired(0.05, 0.15)


def test_passages_make_more_samples_necessary(store: Ledger, put: Put, questions) -> None:
    asked = questions(100, passage=5)
    old = put("old", asked, [WRONG] * 100)
    new = put("new", asked, ([RIGHT] * 5 + [WRONG] * 5) * 10)
    (pair,) = compare_cells(store, [old, new]).pairs
    design = observed_design(pair)
    assert design.design_effect > 4
    assert design.needed(0.05) > 4 * stats.sample_size_paired(0.05, 0.5)


def test_the_needed_samples_detect_the_wanted_difference() -> None:
    design = assumed_design(0.6, 1000, discordance=0.25)
    n = design.needed(0.04)
    found = design.detectable(n)
    assert found is not None and found == pytest.approx(0.04, rel=0.02)
    unpaired = design.needed_unpaired(0.04)
    assert unpaired is not None and unpaired > n


def test_a_pair_without_shared_samples_plans_nothing(store: Ledger, put: Put, questions) -> None:
    cells = [put("a", questions(10), [RIGHT] * 10), put("b", questions(10, start=10), [WRONG] * 10)]
    (pair,) = compare_cells(store, cells).pairs
    with pytest.raises(DriftgateError, match="no sample is shared"):
        observed_design(pair)


def test_one_model_alone_gives_its_accuracy(store: Ledger, put: Put, questions) -> None:
    cell = put("a", questions(40), [RIGHT] * 30 + [WRONG] * 10)
    design = half_observed(Entry("a", score_cell(store, cell)), discordance=None, alpha=0.05, power=0.8)
    assert (design.n, design.rate, design.discordance) == (40, 0.75, 0.375)
    assert "assumed" in design.source


def test_a_model_that_is_always_right_is_no_certainty(store: Ledger, put: Put, questions) -> None:
    cell = put("a", questions(10), [RIGHT] * 10)
    design = half_observed(Entry("a", score_cell(store, cell)), discordance=None, alpha=0.05, power=0.8)
    assert design.rate == 0.95 and design.discordance > 0


@pytest.mark.parametrize(("rate", "n", "share"), [(0.0, 10, None), (1.0, 10, None), (0.5, 0, None), (0.5, 10, 0.0)])
def test_impossible_assumptions_are_refused(rate: float, n: int, share: float | None) -> None:
    with pytest.raises(DriftgateError):
        assumed_design(rate, n, discordance=share)


def test_five_samples_find_nothing() -> None:
    assert assumed_design(0.5, 5).detectable() is None


def test_sizes_hold_the_planned_one_once() -> None:
    for n in (1, 100, 300, 1995, 35_030):
        assert round_sizes(n).count(n) == 1
