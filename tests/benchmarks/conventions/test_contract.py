"""What every scoring convention must do, run on every member of the registry."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from driftgate.benchmarks.conventions import (
    CONVENTIONS,
    Convention,
    ConventionScores,
    find_convention,
    rescore,
    store_scores,
)
from driftgate.benchmarks.outcomes import OUTCOMES
from driftgate.benchmarks.signature import parse_signature
from driftgate.ledger import CellRow, Ledger, outcome_frame, scores_of

MakeCell = Callable[..., CellRow]


@pytest.fixture(params=CONVENTIONS.names())
def convention(request: pytest.FixtureRequest) -> Convention:
    return CONVENTIONS.get(request.param)


@pytest.fixture
def scores(ledger: Ledger, make_cell: MakeCell, convention: Convention) -> ConventionScores:
    return rescore(ledger, make_cell(), convention)


def test_it_is_found_by_the_name_it_gives_itself(convention: Convention) -> None:
    assert find_convention(convention.name) is convention
    assert convention.describe


def test_every_sample_asked_for_has_one_outcome(scores: ConventionScores, ledger: Ledger) -> None:
    asked = outcome_frame(ledger, scores.cell.id)
    assert list(scores.frame["sample_id"]) == list(asked["sample_id"])
    assert set(scores.frame["outcome"]) <= set(OUTCOMES)
    assert sum(scores.outcomes().values()) == len(asked)


def test_what_is_counted_is_what_the_signature_says(scores: ConventionScores, convention: Convention) -> None:
    dropped = scores.frame["outcome"].isin(convention.dropped)
    assert list(scores.frame["counted"]) == list(~dropped)
    row = scores.get()
    assert row is not None and row.n == int((~dropped).sum())
    parts = parse_signature(scores.signature)
    assert parts["denominator"] == convention.denominator
    assert parts["averaging"] == convention.averaging
    assert {"dataset", "shots", "scoring", "extract", "prompt"} <= set(parts)


def test_the_bounds_hold_whatever_was_not_answered(scores: ConventionScores, convention: Convention) -> None:
    bounds = scores.bounds()
    assert bounds is not None
    low, high = bounds
    assert 0 <= low <= high <= 1
    if not convention.dropped:
        row = scores.get()
        assert row is not None and row.value == pytest.approx(low)


def test_the_stored_run_is_not_changed(ledger: Ledger, make_cell: MakeCell, convention: Convention) -> None:
    cell = make_cell()
    before = outcome_frame(ledger, cell.id)
    scores = rescore(ledger, cell, convention)
    store_scores(ledger, scores)
    assert outcome_frame(ledger, cell.id).equals(before)


def test_scores_are_kept_once_under_their_signature(ledger: Ledger, scores: ConventionScores) -> None:
    store_scores(ledger, scores)
    store_scores(ledger, scores)
    assert scores_of(ledger, scores.cell.id, scores.signature) == scores.rows


def test_nothing_to_count_is_no_number(ledger: Ledger, make_cell: MakeCell, convention: Convention) -> None:
    cell = make_cell(outcomes=["failed"] * 4) if convention.reading != "logprobs" else make_cell(outcomes=["answered"])
    row = rescore(ledger, cell, convention).get()
    assert row is not None
    if convention.dropped:
        assert (row.value, row.n) == (None, 0)
