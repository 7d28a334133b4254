"""What may be said of a difference: significant, inconclusive, or unmeasurable, and how many slices go which way."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from driftgate.benchmarks.compare import Pair, compare_cells
from driftgate.benchmarks.report import write_comparison, write_comparison_csv
from driftgate.cli.show.compare import print_comparisons
from driftgate.ledger import CellRow, Ledger

Put = Callable[..., CellRow]
RIGHT, WRONG = "D", "A"


@pytest.fixture
def turned(store: Ledger, put: Put, questions) -> list[CellRow]:
    """The second leads by 14 of 60, and is 6 behind on the 40 that both answered."""
    asked = questions(60)
    old = put("old", asked, [RIGHT] * 20 + ["missing"] * 20 + [WRONG] * 20)
    new = put("new", asked, [RIGHT] * 12 + [WRONG] * 8 + [RIGHT] * 22 + [WRONG] * 18)
    return [old, new]


def test_what_unanswered_samples_could_turn_is_unmeasurable(store: Ledger, turned: list[CellRow]) -> None:
    (pair,) = compare_cells(store, turned).pairs
    overall = pair.overall
    assert overall.p_adjusted is not None and overall.p_adjusted < 0.05
    assert overall.comparison.difference == pytest.approx(14 / 60)
    assert (overall.finding, overall.significant, overall.certain) == ("unmeasurable", False, 0.0)
    assert overall.common is not None and overall.common.n == 40
    assert overall.common.difference == pytest.approx(-6 / 40)
    (macro,) = pair.of_kind("macro")
    assert macro.comparison.p_value is not None and macro.comparison.p_value < 0.05
    assert macro.finding == "unmeasurable" and macro.common is not None and macro.common.n == 40


def test_an_unmeasurable_difference_is_called_so_everywhere(
    store: Ledger, turned: list[CellRow], tmp_path: Path
) -> None:
    compared = compare_cells(store, turned)
    console = Console(width=250, record=True, force_terminal=True)
    print_comparisons(console, compared)
    said = console.export_text(styles=False)
    assert "unmeasurable; -15.00" in said and "on the 40 that both answered" in said
    assert "│ higher" not in said
    page = write_comparison(store, compared, tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<span class="badge unmeasurable">unmeasurable</span>' in page and "on the 40 that both answered" in page
    assert '<span class="badge pass">higher</span>' not in page
    write_comparison_csv(store, compared, tmp_path)
    with (tmp_path / "differences.csv").open(encoding="utf-8") as file:
        rows = {row["slice_kind"]: row for row in csv.DictReader(file)}
    assert (rows["all"]["finding"], rows["all"]["common_n"]) == ("unmeasurable", "40")
    (overall, *_) = json.loads(json.dumps(compared.as_json()))["datasets"][0]["pairs"][0]["differences"]
    assert (overall["finding"], overall["common"]["n"]) == ("unmeasurable", 40)


def test_a_cell_is_not_beaten_by_an_unmeasurable_lead(store: Ledger, put: Put, questions) -> None:
    asked = questions(60)
    old = put("old", asked, [RIGHT] * 20 + ["missing"] * 20 + [WRONG] * 20, cost=0.001, latency=1.0)
    new = put("new", asked, [RIGHT] * 12 + [WRONG] * 8 + [RIGHT] * 22 + [WRONG] * 18, cost=0.001, latency=1.0)
    (dataset,) = compare_cells(store, [old, new]).datasets
    assert [s.place for s in dataset.standings] == ["tied", "tied"]


def test_every_direction_is_counted(store: Ledger, put: Put, questions) -> None:
    asked = questions(120)  # Law, Math and Art in turn
    law, math, art = [RIGHT, WRONG], [WRONG, RIGHT], [RIGHT, RIGHT]
    old = [answer for triple in zip(law * 20, [WRONG] * 40, art * 20, strict=True) for answer in triple]
    new = [answer for triple in zip([WRONG] * 40, math * 20, art * 20, strict=True) for answer in triple]
    compared = compare_cells(store, [put("old", asked, old), put("new", asked, new)])
    found = compared.pairs[0].directions()
    assert (found.total, found.higher, found.lower, found.equal) == (3, 1, 1, 1)
    assert (list(found.significantly_lower), list(found.significantly_higher)) == (["Law"], ["Math"])
    words = "lower in 1 of 3, 1 significant: Law; higher in 1 of 3, 1 significant: Math; equal in 1"
    assert found.words == words
    console = Console(width=250, record=True)
    print_comparisons(console, compared)
    assert words in console.export_text()
    told = compared.as_json()["datasets"][0]["pairs"][0]["directions"]["category"]
    assert (told["lower"], list(told["significantly_lower"])) == (1, ["Law"])


_ANSWERS = st.lists(st.sampled_from([RIGHT, WRONG, "missing"]), min_size=12, max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(ours=_ANSWERS, theirs=_ANSWERS)
def test_what_is_significant_holds_however_the_missing_were_answered(
    store: Ledger, put: Put, questions, ours: list[str], theirs: list[str]
) -> None:
    asked = questions(12)
    cells = [put("old", asked, theirs), put("new", asked, ours)]
    pair: Pair = compare_cells(store, cells).pairs[0]
    worst = sum(a == RIGHT for a in ours) - sum(b != WRONG for b in theirs)
    best = sum(a != WRONG for a in ours) - sum(b == RIGHT for b in theirs)
    if pair.overall.finding == "higher":
        assert worst > 0
    if pair.overall.finding == "lower":
        assert best < 0
