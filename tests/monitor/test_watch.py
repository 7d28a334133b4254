"""Looks at canaries: what they are compared with however many there were, and what missing answers do to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from promoted import right_answer
from sqlalchemy import text

from driftgate.benchmarks.datasets import make_sample
from driftgate.ledger import Ledger, add_cell, find_run, finish_run, open_ledger, pending_samples, record, start_run
from driftgate.monitor.watch import Watched, alerts_of, look_at_canaries, looks_of

RIGHT = "R" * 40
_numbers = count()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path_factory.mktemp("watch"))
    yield opened
    opened.close()


@pytest.fixture
def champion() -> str:
    return f"live#{next(_numbers)}"


def asked(ledger: Ledger, became: str) -> str:
    """A run of canaries and what became of them: Right, Wrong, Failed, eXcluded by a filter, Unparsed, Missing."""
    run = start_run(ledger, "canary-watch", {"cells": []}, "hash", 0, "0.1", id=f"run-{next(_numbers)}")
    samples = [
        make_sample("canaries", "test", n, {"question": f"{n}?"}, id=f"c{n}", category=f"s{n % 2}")
        for n in range(len(became))
    ]
    row = {"model": "live", "flow": "f", "variant": "v", "dataset": "canaries", "signature": "v1", "details": {}}
    cell = add_cell(ledger, run.id, 0, row, samples)
    pending = pending_samples(ledger, cell)
    records = []
    for sample, letter in zip(samples, became, strict=True):
        one = right_answer(cell, pending[sample.key][0])
        if letter == "W":
            one = replace(one, answer="B", correct=0.0)
        elif letter in "FXU":
            outcome = {"F": "failed", "X": "filtered", "U": "unparsed"}[letter]
            one = replace(one, outcome=outcome, answer=None, correct=None, error="HTTP 500" if letter != "U" else "")
        if letter != "M":
            records.append(one)
    record(ledger, records)
    finish_run(ledger, run.id)
    return run.id


def look(ledger: Ledger, champion: str, became: str, *, looks: int = 2) -> Watched:
    run = find_run(ledger, asked(ledger, became))
    return look_at_canaries(ledger, "watch", champion, run, reference_looks=looks)


def test_a_model_never_becomes_its_own_reference(tmp_path: Path, champion: str) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    first = [look(ledger, champion, RIGHT).row.run_id for _ in range(2)]
    later = [{"run": f"{champion}-{n}", "champion": champion, "number": n + 1} for n in range(1100)]
    with ledger.write() as connection:
        connection.execute(
            text(
                "INSERT INTO looks (monitor, champion, run_id, number, findings, at) "
                "VALUES ('watch', :champion, :run, :number, '[]', '2026-01-01 00:00:00')"
            ),
            later,
        )
        connection.execute(
            text(
                "INSERT INTO runs (id, suite, status, reason, created_at, plan, plan_hash, seed, version) VALUES "
                "(:run, 'canary-watch', 'complete', '', '2030-01-01 00:00:00', '{}', 'h', 0, '0.1')"
            ),
            later,
        )
    drifted = [look(ledger, champion, "W" * 40) for _ in range(3)]
    assert [watched.row.number for watched in drifted] == [1101, 1102, 1103]
    assert all(watched.alerts for watched in drifted)
    assert {alert.reference.start for alert in drifted[0].alerts} == {find_run(ledger, first[0]).created_at}
    ledger.close()


def test_a_reference_once_pinned_takes_in_no_later_look(ledger: Ledger, champion: str) -> None:
    for _ in range(2):
        look(ledger, champion, RIGHT)
    changed = look(ledger, champion, "W" * 40, looks=3)  # the workspace asks for more reference looks now
    assert changed.conclusion.result == "moved"
    assert look(ledger, champion, "W" * 40, looks=1).conclusion.result == "moved"


def test_looking_again_at_a_run_changes_nothing(ledger: Ledger, champion: str) -> None:
    runs = [look(ledger, champion, became) for became in (RIGHT, "F" * 40, RIGHT, RIGHT, "W" * 40)]
    before = looks_of(ledger, "watch", 5), len(alerts_of(ledger, limit=1000))
    again = [
        look_at_canaries(ledger, "watch", champion, find_run(ledger, one.row.run_id), reference_looks=2) for one in runs
    ]
    assert [one.conclusion.result for one in again] == ["reference", "unmeasurable", "reference", "quiet", "moved"]
    assert [one.row for one in again] == [one.row for one in runs]
    assert (looks_of(ledger, "watch", 5), len(alerts_of(ledger, limit=1000))) == before


def test_a_ledger_from_before_keeps_its_first_measured_looks_as_reference(ledger: Ledger, champion: str) -> None:
    """Results and references were not kept before, and whatever came first was the reference, failed or not."""
    runs = [asked(ledger, became) for became in ("F" * 40, RIGHT, RIGHT, "W" * 40)]
    rows = [{"run": run, "champion": champion} for run in runs]
    look(ledger, f"{champion}-other", RIGHT)  # makes the tables
    with ledger.write() as connection:
        connection.execute(
            text(
                "INSERT INTO looks (monitor, champion, run_id, number, findings, at) "
                "VALUES ('watch', :champion, :run, 0, '[]', '2026-01-01 00:00:00')"
            ),
            rows,
        )
    assert look(ledger, champion, RIGHT).conclusion.result == "quiet"
    assert look(ledger, champion, "W" * 40).conclusion.result == "moved"
    shown = next(row for row in looks_of(ledger, "watch") if row.run_id == runs[0])
    assert shown.conclusion is None


@pytest.mark.parametrize(
    ("became", "result"),
    [
        ("F" * 40, "unmeasurable"),
        ("M" * 40, "unmeasurable"),
        ("X" * 40, "unmeasurable"),
        ("U" * 40, "moved"),
        ("F" * 2 + "R" * 38, "unmeasurable"),
        ("M" + "R" * 39, "quiet"),
        ("X" * 20 + "W" * 20, "moved"),
        ("W" + "R" * 39, "quiet"),
        ("F" * 12 + "W" * 3 + "R" * 25, "unmeasurable"),
    ],
)
def test_what_is_not_measured_is_never_quiet(ledger: Ledger, champion: str, became: str, result: str) -> None:
    for _ in range(2):
        look(ledger, champion, RIGHT)
    found = look(ledger, champion, became)
    assert found.conclusion.result == result
    assert bool(found.alerts) == (result == "moved")


@pytest.mark.parametrize("reference", ["X" * 8 + "R" * 32, "U" * 15 + "R" * 25, "W" * 40])
def test_a_model_that_never_answered_all_can_be_watched(ledger: Ledger, champion: str, reference: str) -> None:
    for _ in range(2):
        assert look(ledger, champion, reference).conclusion.result == "reference"
    assert look(ledger, champion, reference).conclusion.result == "quiet"


@pytest.mark.parametrize("reference", ["F" * 2 + "R" * 38, "U" * 21 + "R" * 19, "X" * 21 + "R" * 19, "M" * 40])
def test_what_measured_too_little_is_no_reference(ledger: Ledger, champion: str, reference: str) -> None:
    for _ in range(3):
        found = look(ledger, champion, reference)
        assert (found.conclusion.result, found.row.number) == ("unmeasurable", 0)
    for _ in range(2):
        assert look(ledger, champion, RIGHT).conclusion.result == "reference"


@pytest.mark.parametrize("looks", [(RIGHT, "W" * 40), ("W" * 40, RIGHT), (RIGHT, "U" * 12 + "R" * 28)])
def test_looks_that_disagree_are_no_reference_together(ledger: Ledger, champion: str, looks: tuple[str, str]) -> None:
    first, second = looks
    assert look(ledger, champion, first).conclusion.result == "reference"
    broken = look(ledger, champion, second)
    assert (broken.conclusion.result, broken.row.number) == ("unmeasurable", 0)
    assert "no reference together" in broken.conclusion.reason
    assert look(ledger, champion, first).conclusion.result == "reference"
    assert look(ledger, champion, first).conclusion.result == "quiet"


def test_a_third_reference_look_agrees_with_both_before(ledger: Ledger, champion: str) -> None:
    for became, result in ((RIGHT, "reference"), ("W" + "R" * 39, "reference"), ("W" * 20 + "R" * 20, "unmeasurable")):
        assert look(ledger, champion, became, looks=3).conclusion.result == result


BETTER = {"quiet": 0, "inconclusive": 1, "unmeasurable": 2, "moved": 2}
WORSE = {"R": "WFXM", "W": "FXM", "U": "FXM", "F": "M", "X": "F", "M": "M"}
"""What may become of an answer instead, none of it better evidence."""


@settings(max_examples=20)
@given(
    st.integers(4, 24).flatmap(
        lambda n: st.tuples(
            st.lists(st.text("RRRRW", min_size=n, max_size=n), min_size=1, max_size=2),
            st.text("RRRRWWFXUM", min_size=n, max_size=n),
            st.integers(0, n - 1),
            st.integers(0, 3),
        )
    )
)
def test_worse_evidence_never_makes_a_look_better(ledger: Ledger, drawn: tuple[list[str], str, int, int]) -> None:
    reference, became, place, way = drawn
    letter = became[place]
    worse = WORSE[letter][way % len(WORSE[letter])]
    results = []
    for one in (became, became[:place] + worse + became[place + 1 :]):
        champion = f"live#{next(_numbers)}"
        for first in reference:
            # Looks that disagree are no reference, and there is nothing to compare with.
            assume(look(ledger, champion, first, looks=len(reference)).conclusion.result == "reference")
        results.append(look(ledger, champion, one, looks=len(reference)).conclusion.result)
    before, after = results
    assert BETTER[after] >= BETTER[before], (results, worse)
