"""A text is found in what nodes gave wherever that is kept, and how far the search got is told."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from driftgate.flows.engines import NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import (
    Ledger,
    SampleFilter,
    _browse_outputs,
    add_cell,
    archive_details,
    cells_of,
    find_samples,
    finish_run,
    pending_samples,
    record,
    search_outputs,
)
from driftgate.ledger._pack import pack_details

Make = Callable[..., Any]
LONG = "근거를 길게 적습니다. " * 4


def given(n: int) -> list[NodeResult]:
    """A prompt that is kept once for both cells, and a reply."""
    if n == 3:
        return [NodeResult("ask", "failed", None, 0.2, 'Refused with "HTTP 500"')]
    reply = {
        "text": f"답은 {n}번입니다. {LONG if n % 2 else ''}Straße {n}",
        "finish_reason": "stop",
        "deep": [{"of": "ÆON"}],
    }
    return [
        NodeResult("prompt", "completed", f"{LONG}\n문제 {n}번은?\t", 0.0),
        NodeResult("ask", "completed", reply, 0.2),
    ]


@pytest.fixture
def run(ledger: Ledger, samples: Make, add: Make, entry: Make) -> str:
    asked = samples(12)
    run, first, _ = add(ledger, asked)
    row = {"model": "n", "flow": "f", "variant": "v", "dataset": "d", "signature": "v1", "details": {}}
    second = add_cell(ledger, run.id, 1, row, asked)
    for cell in (first, second):
        todo = pending_samples(ledger, cell)
        record(ledger, [entry(cell, todo[one.key][0], nodes=given(n)) for n, one in enumerate(asked)])
    finish_run(ledger, run.id)
    return str(run.id)


@pytest.mark.parametrize("kept", ["rows", "pages", "archive"])
def test_a_text_is_found_wherever_outputs_are(
    ledger: Ledger, run: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_browse_outputs, "_ROWS", 5)
    cells = cells_of(ledger, run)
    if kept != "rows":
        pack_details(ledger)
    if kept == "archive":
        archive_details(ledger, run=run)

    def found(text: str) -> set[int]:
        *before, last = search_outputs(ledger, cells, text)
        assert last.complete and last.of == 46 and [one.of for one in before] == [46] * len(before)
        wanted = SampleFilter(text=text, said=last.found)
        total, places = find_samples(ledger, cells, wanted)
        assert total == len(places) and {place.cell_id for place in places} <= {cell.id for cell in cells}
        assert len({place.sample_id for place in places}) * 2 == total
        return {place.sample_id for place in places}

    everyone = {place.sample_id for place in find_samples(ledger, cells, SampleFilter())[1]}
    third, seventh = sorted(everyone)[3], sorted(everyone)[7]
    assert found("답은 7번입니다") == found("\n문제 7번은?\t") == {seventh}
    assert found(unicodedata.normalize("NFD", "답은 7번입니다")) == {seventh}
    assert found("근거를 길게") == found("STRASSE") == found("æon") == everyone - {third}
    assert found('"HTTP 500"') == {third}
    assert found("nowhere") == found("finish_reason") == set()  # what keys are called nobody said
    assert found("STOP") == everyone - {third}


def test_it_says_how_far_it_is_and_begins_anew_where_outputs_were_moved(
    ledger: Ledger, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_browse_outputs, "_ROWS", 5)
    cells = cells_of(ledger, run)
    search = search_outputs(ledger, cells, "근거를")
    begun = [next(search) for _ in range(3)]
    assert [(one.done, one.of, one.complete) for one in begun] == [(0, 46, False), (5, 46, False), (10, 46, False)]
    pack_details(ledger)
    rest = list(search)
    assert [one.done for one in rest] == [0, 23, 46] and rest[-1].complete
    assert {len(samples) for samples in rest[-1].found.values()} == {11}


def test_what_comes_in_meanwhile_is_not_taken_for_searched(ledger: Ledger, run: str, entry: Make) -> None:
    cells = cells_of(ledger, run)
    search = search_outputs(ledger, cells, "근거를")
    next(search)
    sample = next(iter(pending_samples(ledger, cells[0].id).values()), (1,))[0]
    record(ledger, [entry(cells[0].id, sample, round=1, nodes=given(1))])
    *_, last = search
    assert not last.complete and last.of == 48


def test_a_missing_file_of_the_archive_is_said(ledger: Ledger, run: str) -> None:
    archive_details(ledger, run=run)
    for file in ledger.archive.glob("*.parquet"):
        file.unlink()
    with pytest.raises(DriftgateError, match="is missing"):
        next(search_outputs(ledger, cells_of(ledger, run), "x"))
