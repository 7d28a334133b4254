"""More than six cells of a dataset: ranks, a matrix, pairs on request."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from driftgate.benchmarks.compare import Comparisons, compare_cells
from driftgate.benchmarks.report import write_comparison, write_comparison_csv, write_flips
from driftgate.cli.show.compare import print_comparisons
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger, brief_frame, outcome_frame

Put = Callable[..., CellRow]
RIGHT, WRONG = "D", "A"
SCORES = {"best": 90, "good": 60, "twin": 60, "mid": 35, "low": 20, "worst": 2, "near": 88}


def answers(right: int, n: int = 100) -> list[str]:
    return [RIGHT] * right + [WRONG] * (n - right)


@pytest.fixture
def seven(put: Put, questions) -> list[CellRow]:
    return [put(model, questions(100), answers(right)) for model, right in SCORES.items()]


def ranks(compared: Comparisons) -> dict[str, tuple[int, int, int]]:
    (dataset,) = compared.datasets
    assert dataset.ranking is not None
    return {r.entry.label: (r.rank, r.low, r.high) for r in dataset.ranking.ranks}


def test_cells_are_ranked_with_the_ranks_they_may_have(store: Ledger, seven: list[CellRow]) -> None:
    found = ranks(compare_cells(store, seven))
    assert list(found)[:2] == ["best", "near"] and list(found)[-1] == "worst"
    assert found["best"] == (1, 1, 2) and found["near"] == (2, 1, 2)  # two of a hundred part nobody
    assert found["good"] == (3, 3, 4) and found["twin"] == (3, 3, 4)
    assert found["worst"] == (7, 7, 7)
    assert found == ranks(compare_cells(store, seven)) and found == ranks(compare_cells(store, seven, seed=1))


def test_six_cells_are_not_ranked_and_every_pair_has_its_slices(store: Ledger, seven: list[CellRow]) -> None:
    (dataset,) = compare_cells(store, seven[:6]).datasets
    assert dataset.ranking is None
    assert len(dataset.detailed) == len(dataset.pairs) == 15


def test_the_overall_differences_are_those_of_pairs_compared_alone(store: Ledger, seven: list[CellRow]) -> None:
    (dataset,) = compare_cells(store, seven).datasets
    alone = compare_cells(store, seven[:2]).pairs[0]
    assert dataset.detailed == [] and len(dataset.pairs) == 21
    assert dataset.pairs[0].name == alone.name
    assert dataset.pairs[0].overall.comparison == alone.overall.comparison
    assert all(len(pair.differences) == 1 for pair in dataset.pairs)


def test_what_was_not_answered_parts_no_two_cells(store: Ledger, put: Put, questions) -> None:
    cells = [put(model, questions(100), answers(right)) for model, right in SCORES.items() if model != "worst"]
    silent = put("silent", questions(100), [RIGHT] * 2 + ["missing"] * 98)
    found = ranks(compare_cells(store, [*cells, silent]))
    assert found["silent"] == (7, 1, 7)
    assert found["best"][2] == 3  # it may be the silent one that is best
    answered = put("silent", questions(100), answers(2))
    assert ranks(compare_cells(store, [*cells, answered]))["silent"] == (7, 7, 7)


def test_few_passages_give_ranks_without_intervals(store: Ledger, put: Put, questions) -> None:
    asked = questions(100, passage=10)
    compared = compare_cells(store, [put(model, asked, answers(right)) for model, right in SCORES.items()])
    assert {(low, high) for _, low, high in ranks(compared).values()} == {(1, 7)}
    (dataset,) = compared.datasets
    assert dataset.ranking is not None and "10 passages" in dataset.ranking.words


def test_ranks_of_equal_cells_cover_the_truth(store: Ledger, put: Put, questions) -> None:
    # All are of one quality, so each may have any rank: limits that part a pair are wrong.
    asked, wrong, drawn = questions(60), 0, np.random.default_rng(7)
    for trial in range(10):
        rolls = drawn.random((7, 60)) < 0.6
        cells = [
            put(f"m{trial}-{i}", asked, [RIGHT if right else WRONG for right in row]) for i, row in enumerate(rolls)
        ]
        wrong += any((low, high) != (1, 7) for _, low, high in ranks(compare_cells(store, cells)).values())
    assert wrong <= 3  # 10 trials at 5%: more than 3 has a chance of 0.1%


def test_what_is_read_of_many_is_what_is_read_of_one(store: Ledger, put: Put, questions) -> None:
    spread = [RIGHT, "missing", "failed", "B", "unparsed"] * 4
    cells = [put("a", questions(20), spread, latency=1.5), put("b", questions(20, passage=4), spread, cost=0.01)]
    like = None
    for cell in [*cells, cells[0]]:
        whole = outcome_frame(store, cell.id)
        brief = brief_frame(store, cell.id, like)
        pd.testing.assert_frame_equal(brief, whole[brief.columns], check_dtype=False)
        like = brief


def test_a_pair_is_shown_by_category_on_request(store: Ledger, seven: list[CellRow]) -> None:
    (dataset,) = compare_cells(store, seven, pairs=[("twin", "best")]).datasets
    (pair,) = dataset.detailed
    assert pair.name == "twin − best"
    assert {d.name for d in pair.of_kind("category")} == {"Law", "Math", "Art"}
    with pytest.raises(DriftgateError, match="no dataset has the pair best,worse") as caught:
        compare_cells(store, seven, pairs=[("best", "worse")])
    assert "worst" in caught.value.remedy


def test_the_terminal_has_a_ranking_and_a_matrix(store: Ledger, seven: list[CellRow]) -> None:
    console = Console(width=160, record=True)
    print_comparisons(console, compare_cells(store, seven))
    said = console.export_text()
    assert "1-2" in said and "7-7" in said
    assert "  7 - - - - - -    worst" in said
    assert "of 21 pairs" in said
    assert "differences between all pairs" not in said and "such as" not in said


def test_the_page_has_two_tables_a_dataset_and_no_plots(store: Ledger, seven: list[CellRow], tmp_path: Path) -> None:
    page = write_comparison(store, compare_cells(store, seven), tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<table") == 3  # the ranking, the matrix, and the signatures
    assert "<script" not in page and len(page) < 200_000
    assert page.count('<td class="higher"') == page.count('<td class="lower"') == 19
    asked = compare_cells(store, seven, pairs=[("best", "worst")])
    more = write_comparison(store, asked, tmp_path / "more.html").read_text(encoding="utf-8")
    assert "Categories: lower in 3 of 3" in more and "<script" not in more


def test_tables_have_ranks_and_flips_only_what_was_asked_for(
    store: Ledger, seven: list[CellRow], tmp_path: Path
) -> None:
    compared = compare_cells(store, seven, pairs=[("best", "worst")])
    files = write_comparison_csv(store, compared, tmp_path)
    assert not any("flips" in file.name for file in files)
    with (tmp_path / "cells.csv").open(encoding="utf-8") as file:
        assert {row["cell"]: row["rank_high"] for row in csv.DictReader(file)}["worst"] == "7"
    assert write_flips(store, compared, tmp_path / "flips.csv") == 88
    assert write_flips(store, compare_cells(store, seven), tmp_path / "all.csv") > 88
