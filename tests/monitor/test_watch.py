"""Looks at canaries: what they are compared with however many there were, and what missing answers do to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from promoted import right_answer
from sqlalchemy import event, text

from driftgate.benchmarks.datasets import make_sample
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, add_cell, find_run, finish_run, open_ledger, pending_samples, record, start_run
from driftgate.monitor.looks import Conclusion, LookRow, keep_look, pinned_reference
from driftgate.monitor.rereference import begin_anew, newest_rereference
from driftgate.monitor.watch import Watched, alerts_of, look_at_canaries, looks_of

RIGHT = "R" * 40
DRIFTED = "W" * 36 + "R" * 4
_numbers = count()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path_factory.mktemp("watch"))
    yield opened
    opened.close()


@pytest.fixture
def champion() -> str:
    return f"live#{next(_numbers)}"


def asked(ledger: Ledger, became: str, served: str = "served") -> str:
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
        one = replace(right_answer(cell, pending[sample.key][0]), served_model=served)
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


def look(ledger: Ledger, champion: str, became: str, *, looks: int = 2, served: str = "served") -> Watched:
    run = find_run(ledger, asked(ledger, became, served))
    return look_at_canaries(ledger, "watch", champion, run, reference_looks=looks)


@pytest.mark.core
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


@pytest.mark.parametrize("moved", [False, True])
def test_a_reference_grows_while_nothing_moves_and_it_is_recorded(ledger: Ledger, champion: str, moved: bool) -> None:
    """One of forty: four looks are too few to tell, the eight that they have grown to are not."""
    lost = "W" + "R" * 39
    pinned = [look(ledger, champion, RIGHT, looks=4).row.run_id for _ in range(4)]
    made = [asked(ledger, became) for became in [RIGHT] * 4 + [lost] * 31]
    for number, run in enumerate(made, 1):
        result = "moved" if moved and number == 2 else "quiet"
        row = LookRow(0, "watch", champion, run, number, [], datetime.now(UTC), Conclusion(result))
        keep_look(ledger, row)
    run = find_run(ledger, asked(ledger, lost))
    found = look_at_canaries(ledger, "watch", champion, run, reference_looks=4, floors={"canary_accuracy": 0.02})
    assert found.conclusion.result == ("quiet" if moved else "moved")
    assert pinned_reference(ledger, "watch", champion) == tuple(pinned)
    grown = () if moved else (*pinned, *made[:4])
    assert pinned_reference(ledger, "watch", f"{champion}+4") == grown


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


def test_a_quiet_look_says_which_losses_it_would_not_have_shown(ledger: Ledger, champion: str) -> None:
    for _ in range(2):
        look(ledger, champion, RIGHT)
    found = look(ledger, champion, "W" + "R" * 39).conclusion.reason
    (points,) = re.findall(r"^not to be seen in one look: a loss of canary accuracy below ([\d.]+) points", found)
    lost = round(40 * float(points) / 100)
    assert look(ledger, champion, "W" * (lost - 1) + "R" * (41 - lost)).conclusion.result == "quiet"
    assert look(ledger, champion, "W" * lost + "R" * (40 - lost)).conclusion.result == "moved"


def test_another_model_that_answers_as_well_is_named(ledger: Ledger, champion: str) -> None:
    for _ in range(2):
        look(ledger, champion, RIGHT)
    assert "answered by" not in look(ledger, champion, RIGHT).conclusion.reason
    found = look(ledger, champion, RIGHT, served="other-2026").conclusion
    assert found.result == "quiet" and found.reason.startswith("answered by other-2026; the reference by served;")


@pytest.mark.parametrize("reference", ["X" * 8 + "R" * 32, "U" * 15 + "R" * 25, "W" * 38 + "R" * 2])
def test_a_model_that_never_answered_all_can_be_watched(ledger: Ledger, champion: str, reference: str) -> None:
    for _ in range(2):
        assert look(ledger, champion, reference).conclusion.result == "reference"
    assert look(ledger, champion, reference).conclusion.result == "quiet"


@pytest.mark.parametrize("right", [0, 1])
def test_a_model_that_was_wrong_from_the_start_is_never_quiet(ledger: Ledger, champion: str, right: int) -> None:
    reference = "W" * (40 - right) + "R" * right
    looks = [look(ledger, champion, reference).conclusion for _ in range(3)]
    assert [one.result for one in looks] == ["reference", "reference", "inconclusive"]
    told = f"of 40 canaries the reference answered {right} right: no loss of canary accuracy as large as the floor"
    assert told in looks[1].reason and told in looks[2].reason and "rereference" in looks[2].remedy


@pytest.mark.parametrize("reference", ["F" * 2 + "R" * 38, "U" * 21 + "R" * 19, "X" * 21 + "R" * 19, "M" * 40])
def test_what_measured_too_little_is_no_reference(ledger: Ledger, champion: str, reference: str) -> None:
    for _ in range(3):
        found = look(ledger, champion, reference)
        assert (found.conclusion.result, found.row.number) == ("unmeasurable", 0)
    for _ in range(2):
        assert look(ledger, champion, RIGHT).conclusion.result == "reference"


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        (RIGHT, "W" * 40, "moved"),
        (RIGHT, "U" * 40, "moved"),
        (RIGHT, "U" * 12 + "R" * 28, "moved"),
        ("W" * 38 + "R" * 2, RIGHT, "unmeasurable"),
    ],
)
def test_looks_that_disagree_are_no_reference_together(
    ledger: Ledger, champion: str, first: str, second: str, result: str
) -> None:
    assert look(ledger, champion, first).conclusion.result == "reference"
    broken = look(ledger, champion, second)
    assert (broken.conclusion.result, broken.row.number) == (result, 0)
    assert bool(broken.alerts) == (result == "moved") == bool(broken.row.findings and broken.regression)
    assert result == "moved" or "no reference together" in broken.conclusion.reason
    assert look(ledger, champion, first).conclusion.result == "reference"
    assert look(ledger, champion, first).conclusion.result == "quiet"


def test_a_third_reference_look_agrees_with_both_before(ledger: Ledger, champion: str) -> None:
    for became, result in ((RIGHT, "reference"), ("W" + "R" * 39, "reference"), ("W" * 20 + "R" * 20, "moved")):
        assert look(ledger, champion, became, looks=3).conclusion.result == result


def test_eight_looks_are_the_reference_where_nobody_says_otherwise(ledger: Ledger, champion: str) -> None:
    results = []
    for _ in range(9):
        run = find_run(ledger, asked(ledger, RIGHT))
        results.append(look_at_canaries(ledger, "watch", champion, run).conclusion)
    assert [one.result for one in results] == ["reference"] * 8 + ["quiet"]
    assert results[4].reason == "look 5 of the 8 that are the reference: no worse than the 4 before it"


def test_a_loss_while_the_reference_is_made_is_found_also_where_it_takes_four_looks(
    ledger: Ledger, champion: str
) -> None:
    """Four of forty: too few for one look, and eight looks would have taken half of the loss for the reference."""
    for _ in range(4):
        assert look(ledger, champion, RIGHT, looks=8).conclusion.result == "reference"
    found = [look(ledger, champion, "W" * 4 + "R" * 36, looks=8) for _ in range(4)]
    assert [one.conclusion.result for one in found] == ["reference"] * 3 + ["moved"]
    assert {alert.looks for alert in found[-1].alerts} == {4}


def test_three_lost_canaries_of_a_hundred_are_found_by_looks_that_are_pooled(ledger: Ledger, champion: str) -> None:
    """Where the team says that it wants to hear of three points, and not where it does not."""
    found = {0.03: [], 0.05: []}
    for floor in found:
        for became in ["R" * 100] * 8 + ["W" * 3 + "R" * 97] * 16:
            run = find_run(ledger, asked(ledger, became))
            name, floors = f"{champion}-{floor}", {"canary_accuracy": floor}
            found[floor].append(look_at_canaries(ledger, "watch", name, run, floors=floors))
    told = [one for one in found[0.03] if one.conclusion.result == "moved"]
    assert told[0].row.number == 4 and told[-1].row.number == 16
    assert told[-1].conclusion.reason.startswith("canary_accuracy pooled over the last 16 looks: -0.030 [")
    assert {one.conclusion.result for one in found[0.05]} == {"reference", "quiet"}
    kept = next(row for row in looks_of(ledger, "watch") if row.run_id == told[-1].row.run_id).findings
    pooled = [one for one in kept if one["signal"] == "canary_accuracy"]
    assert [one["looks"] for one in pooled] == [1, 4, 16]
    assert pooled[-1]["everywhere"]["effect"] == pytest.approx(-0.03) and set(pooled[-1]["slices"]) == {"s0", "s1"}
    # Three of a hundred changed for sure; that a hundred others were worse is not, and trains no model.
    assert told[-1].alerts[0].effect_high > 0.0 and told[-1].regression is None


BETTER = {"quiet": 0, "inconclusive": 1, "unmeasurable": 2, "moved": 2}
WORSE = {"R": "WFXM", "W": "FXM", "U": "FXM", "F": "M", "X": "F", "M": "M"}
"""What may become of an answer instead, none of it better evidence."""


@settings(max_examples=8)
@given(
    st.integers(4, 24).flatmap(
        lambda n: st.tuples(
            st.lists(st.text("RRRRW", min_size=n, max_size=n), min_size=1, max_size=2),
            st.text("RRRRWWFXUM", min_size=n, max_size=n),
            st.integers(0, n - 1),
            st.integers(0, 3),
            st.lists(st.text("RRRRRWFM", min_size=n, max_size=n), max_size=3),
        )
    )
)
def test_worse_evidence_never_makes_a_look_better(
    ledger: Ledger, drawn: tuple[list[str], str, int, int, list[str]]
) -> None:
    reference, became, place, way, earlier = drawn
    letter = became[place]
    worse = WORSE[letter][way % len(WORSE[letter])]
    results = []
    for one in (became, became[:place] + worse + became[place + 1 :]):
        champion = f"live#{next(_numbers)}"
        for first in reference:
            # Looks that disagree are no reference, and there is nothing to compare with.
            assume(look(ledger, champion, first, looks=len(reference)).conclusion.result == "reference")
        for before in earlier:
            look(ledger, champion, before, looks=len(reference))
        results.append(look(ledger, champion, one, looks=len(reference)).conclusion.result)
    before, after = results
    assert BETTER[after] >= BETTER[before], (results, worse)


@settings(max_examples=8)
@given(
    st.integers(6, 20).flatmap(
        lambda n: st.tuples(
            st.text("RRRRW", min_size=n, max_size=n), st.text("RRWWFXU", min_size=n, max_size=n), st.integers(0, n - 1)
        )
    )
)
def test_worse_evidence_never_makes_a_look_of_the_reference_better(ledger: Ledger, drawn: tuple[str, str, int]) -> None:
    first, became, place = drawn
    worse = {"R": "W", "W": "F", "U": "F"}.get(became[place], "M")
    results = []
    for one in (became, became[:place] + worse + became[place + 1 :]):
        champion = f"live#{next(_numbers)}"
        for before in (first, first):
            assume(look(ledger, champion, before, looks=8).conclusion.result == "reference")
        results.append(look(ledger, champion, one, looks=8).conclusion.result)
    rank = {"reference": 0, "unmeasurable": 1, "moved": 1}
    # More wrong answers may bring a look that was better than those before it back to them.
    if results[0] == "unmeasurable" and became[place] == "R":
        return
    assert rank[results[1]] >= rank[results[0]], (results, worse)


def test_a_look_reads_no_more_after_years_than_after_two_days(tmp_path: Path, champion: str) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    asked_for: list[str] = []
    for _ in range(8):
        look(ledger, champion, RIGHT, looks=8)
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: asked_for.append(given[2]))

    def next_look() -> tuple[int, int]:
        run = find_run(ledger, asked(ledger, RIGHT))
        asked_for.clear()
        found = look_at_canaries(ledger, "watch", champion, run, reference_looks=8)
        return len(asked_for), found.row.number

    first = [next_look() for _ in range(34)]
    years = [{"run": f"{champion}-{n}", "champion": champion, "number": n} for n in range(35, 5001)]
    with ledger.write() as connection:
        for statement in (
            "INSERT INTO looks (monitor, champion, run_id, number, findings, at) "
            "VALUES ('watch', :champion, :run, :number, '[]', '2026-01-01 00:00:00')",
            "INSERT INTO look_results (run_id, result, reason, remedy) VALUES (:run, 'unmeasurable', '', '')",
        ):
            connection.execute(text(statement), years)
    later = [next_look() for _ in range(2)]
    assert [number for _, number in later] == [5001, 5002]
    assert first[0][0] < first[-1][0] == first[-2][0] == later[0][0] == later[1][0]
    ledger.close()


def test_a_reference_is_begun_anew_by_a_person_alone_and_it_is_recorded(ledger: Ledger, champion: str) -> None:
    for became, result in ((RIGHT, "reference"), (RIGHT, "reference"), (DRIFTED, "moved"), (DRIFTED, "moved")):
        assert look(ledger, champion, became).conclusion.result == result
    with pytest.raises(DriftgateError, match="for a reason"):
        begin_anew(ledger, "watch", champion, who="kim", reason=" ")
    done = begin_anew(ledger, "watch", champion, who="kim", reason="the canaries were corrected")
    assert newest_rereference(ledger, "watch") == done
    assert (done.who, done.reason, done.champion) == ("kim", "the canaries were corrected", champion)
    before = [row for row in looks_of(ledger, "watch") if row.champion == champion]
    for became, result in ((DRIFTED, "reference"), (DRIFTED, "reference"), (DRIFTED, "quiet")):
        assert look(ledger, champion, became).conclusion.result == result
    assert [row for row in looks_of(ledger, "watch") if row.champion == champion] == before
    # Another installation has nothing to do with it.
    assert look(ledger, f"{champion}-next", RIGHT).row.champion == f"{champion}-next"


def test_canaries_that_are_not_asked_any_more_are_missing_ones(ledger: Ledger, champion: str) -> None:
    """One fewer than the floor is asked, and six are wrong: with the missing one seven, which is an alert."""
    for _ in range(8):
        look(ledger, champion, RIGHT, looks=8)
    answers = {"W" * 7 + "R" * 33: "moved", "W" * 6 + "R" * 33: "unmeasurable", "W" * 3 + "R" * 36: "quiet"}
    for number, (became, result) in enumerate(answers.items()):
        assert look(ledger, champion, became, looks=8).conclusion.result == result, number
