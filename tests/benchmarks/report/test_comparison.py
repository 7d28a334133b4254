"""The page and the tables of a comparison: complete, escaped, without a request."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from driftgate.benchmarks.compare import Comparisons, compare_cells
from driftgate.benchmarks.report import write_comparison, write_comparison_csv, write_flips
from driftgate.ledger import cells_of

from .conftest import SCRIPT, UNANSWERED, Written
from .page import Page
from .test_browser import CHROMIUM, browse


@pytest.fixture(scope="module")
def compared(written: Written) -> Comparisons:
    return compare_cells(written.ledger, cells_of(written.ledger, written.run.id), resamples=200, seed=1)


@pytest.fixture(scope="module")
def html(written: Written, compared: Comparisons, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(written.ledger, compared, tmp_path_factory.mktemp("compare") / "page.html")


def rows(path: Path) -> Sequence[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_is_well_formed_and_shows_every_pair(html: Path, compared: Comparisons) -> None:
    page = Page(html.read_text(encoding="utf-8"))
    assert page.unbalanced == page.left_open == []
    captions = [e["text"] for e in page.all("caption")]
    assert len(captions) == len(compared.pairs) == 3
    assert all(any(pair.name in caption for caption in captions) for pair in compared.pairs)
    assert {"plot-difference-overall", "plot-difference-0-0", "plot-categories-0"} <= set(page.figures())


def test_foreign_text_is_escaped_everywhere(html: Path) -> None:
    assert SCRIPT not in html.read_text(encoding="utf-8")


def test_the_page_asks_for_nothing(html: Path) -> None:
    for element in Page(html.read_text(encoding="utf-8")).elements:
        assert "//" not in element.get("src", "") + element.get("href", "")


def test_secrets_of_a_model_are_not_shown(html: Path) -> None:
    assert "TOP_SECRET" not in html.read_text(encoding="utf-8")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_every_plot_draws_in_a_browser_and_nothing_is_refused(html: Path, tmp_path: Path) -> None:
    document, console = browse(html, tmp_path / "profile")
    assert document.count('class="main-svg"') >= len(Page(html.read_text(encoding="utf-8")).figures())
    assert console == ""


def test_tables_hold_every_row_and_every_flip(written: Written, compared: Comparisons, tmp_path: Path) -> None:
    files = write_comparison_csv(written.ledger, compared, tmp_path / "tables")
    assert {file.name for file in files} == {"cells.csv", "differences.csv", "directions.csv", "suspect_keys.csv"}
    differences = rows(tmp_path / "tables/differences.csv")
    assert len(differences) == sum(len(pair.differences) for pair in compared.pairs)
    overall = compared.pairs[0].overall
    first = next(row for row in differences if row["slice_kind"] == "all")
    assert float(first["difference"]) == overall.comparison.difference
    assert (first["paired"], first["bootstrap_low"] != "") == ("True", True)
    assert int(first["unanswered"]) == len(UNANSWERED)
    flipped = write_flips(written.ledger, compared, tmp_path / "flips.csv")
    assert flipped == len(rows(tmp_path / "flips.csv")) > 0
    gained = [row for row in rows(tmp_path / "flips.csv") if row["direction"] == "gained"]
    assert len(gained) == sum(pair.overall.comparison.gained or 0 for pair in compared.pairs)


def test_a_formula_in_a_name_is_harmless_in_a_spreadsheet(written: Written, tmp_path: Path) -> None:
    from dataclasses import replace

    cells = cells_of(written.ledger, written.run.id)[:2]
    hostile = [replace(cells[0], model="=HYPERLINK(1)"), cells[1]]
    write_comparison_csv(written.ledger, compare_cells(written.ledger, hostile), tmp_path)
    assert rows(tmp_path / "cells.csv")[0]["model"] == "'=HYPERLINK(1)"
