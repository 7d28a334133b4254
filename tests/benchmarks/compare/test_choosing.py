"""Which cells are compared where models are named: those that were asked the same way, and never a guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from driftgate.api.compare import chosen_cells, compare
from driftgate.benchmarks.compare import agreeing_cells, compare_cells
from driftgate.benchmarks.report import write_comparison
from driftgate.cli.show.compare import print_comparisons
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger

Put = Callable[..., CellRow]
RIGHT, WRONG = "D", "A"


@pytest.fixture
def ask(put: Put, questions) -> Callable[..., CellRow]:
    """``ask(model, "shots:5")``: a cell with these parts of a signature."""

    def write(model: str, *parts: str, **more: object) -> CellRow:
        return put(model, questions(8), [RIGHT] * 8, signature="|".join(["v1", "n:8", *parts]), **more)

    return write


def ids(cells: list[CellRow]) -> list[int]:
    return [cell.id for cell in cells]


def test_a_newer_cell_that_was_asked_otherwise_does_not_win(store: Ledger, ask: Callable[..., CellRow]) -> None:
    a0, b0 = ask("a", "shots:0"), ask("b", "shots:0")
    ask("b", "shots:5")
    assert ids(agreeing_cells(store, ["a", "b"])) == ids([a0, b0])
    assert ids(agreeing_cells(store, datasets=["exam"])) == ids([a0, b0])


def test_of_cells_that_were_asked_the_same_way_the_newest_counts(store: Ledger, ask: Callable[..., CellRow]) -> None:
    ask("a", "shots:0"), ask("a", "shots:0", "engine:native")  # what was left out was native
    b, a = ask("b", "shots:0", "engine:native"), ask("a", "shots:0")
    assert ids(agreeing_cells(store, ["a", "b"])) == ids([a, b])


def test_where_several_fit_it_asks_and_says_how_to_name_one(store: Ledger, ask: Callable[..., CellRow]) -> None:
    cells = {(m, s): ask(m, s) for s in ("shots:0", "shots:5") for m in "ab"}
    with pytest.raises(DriftgateError) as caught:
        chosen_cells(store, [], ["a", "b"], [])
    assert all(f"{cell.run_id}/0: {m}, {s}" in str(caught.value) for (m, s), cell in cells.items())
    assert "--where shots:5" in caught.value.remedy
    assert ids(chosen_cells(store, [], ["a", "b"], [], ["shots:0"])) == ids(
        [cells["a", "shots:0"], cells["b", "shots:0"]]
    )
    named = [f"{cells[m, 'shots:5'].run_id}/0" for m in "ab"]
    assert ids(chosen_cells(store, named, [], [])) == ids([cells["a", "shots:5"], cells["b", "shots:5"]])


def test_efforts_of_one_model_are_several_ways(store: Ledger, ask: Callable[..., CellRow]) -> None:
    a = ask("a")
    low, high = ask("thinks", "effort:low"), ask("thinks", "effort:high")
    with pytest.raises(DriftgateError, match=f"{high.run_id}/0: thinks, effort:high"):
        agreeing_cells(store, ["a", "thinks"])
    assert ids(chosen_cells(store, [a.run_id, low.run_id], [], [])) == ids([a, low])


def test_nothing_in_common_and_a_choice_is_asked_about(store: Ledger, ask: Callable[..., CellRow]) -> None:
    ask("a", "shots:unstated")
    ask("b", "shots:0"), ask("b", "shots:5")
    with pytest.raises(DriftgateError, match="no way of asking in common"):
        agreeing_cells(store, ["a", "b"])


def test_a_part_that_nobody_has_is_refused(store: Ledger, ask: Callable[..., CellRow]) -> None:
    ask("a", "shots:0"), ask("b", "shots:0")
    with pytest.raises(DriftgateError, match="no cell's signature has shots:5") as caught:
        agreeing_cells(store, ["a", "b"], where=["shots:5"])
    assert "shots:0" in caught.value.remedy
    with pytest.raises(DriftgateError, match="'five' is no part"):
        agreeing_cells(store, ["a", "b"], where=["five"])


def test_a_named_model_without_the_wanted_part_is_not_left_out_in_silence(
    store: Ledger, ask: Callable[..., CellRow]
) -> None:
    for model, shots in (("a", 5), ("b", 5), ("c", 0)):
        ask(model, f"shots:{shots}")
    with pytest.raises(DriftgateError, match="no cell of c has shots:5"):
        agreeing_cells(store, ["a", "b", "c"], where=["shots:5"])
    ask("b", dataset="other")
    with pytest.raises(DriftgateError, match="a was not run on the datasets"):
        agreeing_cells(store, ["a", "b"], ["other"])


def test_what_differs_between_rows_stands_in_the_row(
    store: Ledger, ask: Callable[..., CellRow], tmp_path: Path
) -> None:
    ask("a", "shots:5"), ask("b", "shots:0", "effort:low")
    compared = compare(store, models=["a", "b"])
    (dataset,) = compared.datasets
    assert [dataset.asked_as(e) for e in dataset.entries] == ["shots:5, no effort", "shots:0, effort:low"]
    assert "signatures differ in effort, shots" in dataset.pairs[0].design
    console = Console(width=250, record=True)
    print_comparisons(console, compared)
    assert "shots:5, no effort" in console.export_text()
    assert '<span class="sub">shots:0, effort:low</span>' in write_comparison(
        store, compared, tmp_path / "page.html"
    ).read_text(encoding="utf-8")
    assert compared.as_json()["datasets"][0]["cells"][0]["differs_in"] == "shots:5, no effort"


def test_rows_that_agree_say_nothing(store: Ledger, ask: Callable[..., CellRow]) -> None:
    (dataset,) = compare_cells(store, [ask("a", "shots:5"), ask("b", "shots:5")]).datasets
    assert [dataset.asked_as(e) for e in dataset.entries] == ["", ""]
