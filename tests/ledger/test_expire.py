"""Texts of a run are removed from ledger and archive; what was measured stands, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from detailed_runs import PERSON, entry, everything, killed, make_run, open_questions, places_of
from ledger_fixtures import KILLED_ON
from sqlalchemy import text

from driftgate.api.rescore import rescore_run
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.scores import score_run
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Reply, Usage, gave_up
from driftgate.ledger import (
    EXPIRED,
    Ledger,
    LedgerReplies,
    archive_details,
    cells_of,
    check_ledger,
    evaluation_means,
    expire_texts,
    expired_at,
    key_frame,
    node_results,
    outcome_frame,
    record,
    run_hash,
    sample_data,
    samples_frame,
    set_status,
    verdicts_of,
)


def stored(ledger: Ledger) -> str:
    """Every value of every table, as text."""
    with ledger.read() as connection:
        names = connection.dialect.get_table_names(connection)
        return "\n".join(str(tuple(row)) for name in names for row in connection.execute(text(f"SELECT * FROM {name}")))


def measured(ledger: Ledger, run: str) -> list[Any]:
    """What stands of a run without its texts."""
    found: list[Any] = [run_hash(ledger, run), [row.details for row in verdicts_of(ledger, run)]]
    for scores in score_run(ledger, run, store=False):
        columns = ["sample_id", "key", "category", "outcome", "correct", "rule", "round", "latency"]
        found += [scores.rows, scores.outcomes, scores.frame[columns].to_json()]
        found.append([{k: v for k, v in row.items() if k != "sd"} for row in evaluation_means(ledger, scores.cell.id)])
    return found


@pytest.fixture(params=[True, False], ids=["archived", "not archived"])
def archived(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_texts_go_and_what_was_measured_stands(ledger: Ledger, archived: bool, tmp_path: Path) -> None:
    run = make_run(ledger, open_questions(6))
    if archived:
        archive_details(ledger)
    before = measured(ledger, run)
    assert PERSON in stored(ledger)
    done = expire_texts(ledger, run=run)
    assert (done.runs, done.questions) == ((run,), 6)
    assert measured(ledger, run) == before
    assert PERSON not in stored(ledger)
    assert check_ledger(ledger).faults == ()
    folders = [ledger.archive] if ledger.engine.dialect.name == "postgresql" else [tmp_path]
    assert places_of(PERSON, *folders) == []
    at = expired_at(ledger, run)
    assert at is not None and datetime.now(UTC) - at < timedelta(minutes=5)


def test_twice_does_nothing(ledger: Ledger, archived: bool) -> None:
    run = make_run(ledger, open_questions(3))
    if archived:
        archive_details(ledger)
    expire_texts(ledger, run=run)
    before, at = stored(ledger), expired_at(ledger, run)
    again = expire_texts(ledger, run=run)
    assert (again.runs, again.questions, again.replies) == ((), 0, 0)
    assert stored(ledger) == before and expired_at(ledger, run) == at


def test_nothing_is_shown_as_if_the_model_had_said_nothing(ledger: Ledger, archived: bool) -> None:
    run = make_run(ledger, open_questions(4))
    if archived:
        archive_details(ledger)
    expire_texts(ledger, run=run)
    for cell in cells_of(ledger, run):
        ids = [int(one) for one in outcome_frame(ledger, cell.id)["sample_id"]]
        for sample in samples_frame(ledger, cell.id, ids):
            assert sample["expired"] == f"{expired_at(ledger, run):%Y-%m-%d}"
            assert sample["answer"] == EXPIRED
            assert sample["data"] == {"question": EXPIRED, "answer": EXPIRED}
            assert {one["label"] for one in sample["evaluations"]} <= {EXPIRED, ""}
        with pytest.raises(DriftgateError, match=f"run {run} was expired on"):
            node_results(ledger, cell.id)
    assert {one["question"] for one in sample_data(ledger, ids).values()} == {EXPIRED}


@pytest.mark.parametrize("convention", ["asked", "lm-eval", "published-ko"])
def test_it_is_not_scored_by_another_convention(ledger: Ledger, samples: Any, convention: str) -> None:
    run = make_run(ledger, samples(4))
    assert rescore_run(ledger, run, "asked")
    expire_texts(ledger, run=run)
    before = stored(ledger)
    with pytest.raises(DriftgateError, match=f"run {run} was expired on"):
        rescore_run(ledger, run, convention)
    assert stored(ledger) == before


def test_letters_of_choices_stay(ledger: Ledger, samples: Callable[..., list[Sample]]) -> None:
    run = make_run(ledger, samples(4))
    cell = cells_of(ledger, run)[0].id
    keys = key_frame(ledger, cell)
    expire_texts(ledger, run=run)
    assert outcome_frame(ledger, cell)["answer"].tolist() == ["B"] * 4
    assert key_frame(ledger, cell).equals(keys)


def test_a_question_stays_while_a_run_asks_it_and_comes_back_with_one(ledger: Ledger) -> None:
    asked = open_questions(3)
    first, second = make_run(ledger, asked), make_run(ledger, asked[:2])
    assert expire_texts(ledger, run=first).questions == 1
    cell = cells_of(ledger, second)[0].id
    ids = [int(one) for one in outcome_frame(ledger, cell)["sample_id"]]
    assert [sample_data(ledger, ids)[one]["question"] for one in ids] == [f"{PERSON} 0?", f"{PERSON} 1?"]
    assert node_results(ledger, cell)  # the other run has its texts
    assert expire_texts(ledger, run=second).questions == 2
    third = make_run(ledger, asked)
    cell = cells_of(ledger, third)[0].id
    ids = [int(one) for one in outcome_frame(ledger, cell)["sample_id"]]
    assert [sample_data(ledger, ids)[one] for one in ids] == [dict(sample.data) for sample in asked]
    assert expire_texts(ledger, run=third).questions == 3  # and goes again with that run


def test_a_change_after_it_is_noticed(ledger: Ledger, archived: bool) -> None:
    run = make_run(ledger, open_questions(3))
    if archived:
        archive_details(ledger)
    before = run_hash(ledger, run)
    expire_texts(ledger, run=run)
    assert run_hash(ledger, run) == before
    with ledger.write() as connection:
        connection.execute(text("UPDATE outcomes SET correct = 1.0 WHERE correct = 0.0"))
    assert run_hash(ledger, run) != before
    assert any("has changed since gate 'small' said pass" in fault.found for fault in check_ledger(ledger).faults)


def test_an_expired_run_gets_no_texts_again(ledger: Ledger) -> None:
    asked = open_questions(2)
    run = make_run(ledger, asked)
    cell = cells_of(ledger, run)[0].id
    ids = [int(one) for one in outcome_frame(ledger, cell)["sample_id"]]
    expire_texts(ledger, run=run)
    with pytest.raises(DriftgateError, match=f"run {run} was expired"):
        record(ledger, [entry(cell, ids[1], 3, asked[1], round=7)])
    assert PERSON not in stored(ledger)


def test_a_run_that_is_being_asked_is_left(ledger: Ledger) -> None:
    run = make_run(ledger, open_questions(2))
    set_status(ledger, run, "running")
    with pytest.raises(DriftgateError, match="is being asked"):
        expire_texts(ledger, run=run)
    assert expire_texts(ledger, before=datetime.now(UTC)).runs == ()
    assert node_results(ledger, cells_of(ledger, run)[0].id)


def test_old_runs_are_expired_by_age(ledger: Ledger) -> None:
    old, new = make_run(ledger, open_questions(2)), make_run(ledger, open_questions(2))
    with ledger.write() as connection:
        connection.execute(text("UPDATE runs SET created_at = '2026-01-01 00:00:00' WHERE id = :run"), {"run": old})
    assert expire_texts(ledger, before=datetime.now(UTC) - timedelta(days=90)).runs == (old,)
    assert expired_at(ledger, new) is None


def test_its_cached_replies_are_forgotten_and_those_of_others_not(ledger: Ledger) -> None:
    first, second = make_run(ledger, open_questions(2)), make_run(ledger, open_questions(2))
    reply = Reply(text=PERSON, finish_reason="stop", usage=Usage(1, 1), latency=0.1, model="m")

    async def ask() -> None:
        for run in (first, second):
            await LedgerReplies(ledger, run).put(f"key of {run}", reply)

    asyncio.run(ask())
    assert expire_texts(ledger, run=first).replies == 1
    cache = LedgerReplies(ledger, second)
    assert asyncio.run(cache.get(f"key of {first}")) is None
    kept = asyncio.run(cache.get(f"key of {second}"))
    assert kept is not None and kept.text == PERSON


def test_of_an_error_it_stays_that_the_service_gave_up(ledger: Ledger) -> None:
    asked = open_questions(2)
    run = make_run(ledger, asked)
    cell = cells_of(ledger, run)[0].id
    ids = [int(one) for one in outcome_frame(ledger, cell)["sample_id"]]
    words = f"given up after 6 attempts: HTTP 503 {PERSON}"
    record(ledger, [replace(entry(cell, ids[1], 0, asked[1], round=5), error=words)])
    expire_texts(ledger, run=run)
    error = str(outcome_frame(ledger, cell)["error"][1])
    assert error == f"given up after 6 attempts: {EXPIRED}" and gave_up(error)


@KILLED_ON
@pytest.mark.parametrize(
    "at",
    [
        "half a file",
        "os.rename",
        "DELETE FROM node_outputs",
        "UPDATE outcomes",
        "INSERT INTO expired_runs",
        "before the commit",
        "UPDATE samples",
        "os.remove",
        "VACUUM",
    ],
)
def test_kill_9_leaves_texts_whole_or_gone(ledger: Ledger, location: str, tmp_path: Path, at: str) -> None:
    run, other = make_run(ledger, open_questions(4)), make_run(ledger, open_questions(6)[2:])
    archive_details(ledger)
    cell = cells_of(ledger, run)[0].id
    ids = [int(one) for one in outcome_frame(ledger, cell)["sample_id"]]
    stands, texts, others = measured(ledger, run), everything(ledger, run), everything(ledger, other)
    assert killed(location, tmp_path, run, at) == -9
    assert measured(ledger, run) == stands and everything(ledger, other) == others
    if expired_at(ledger, run) is None:
        assert everything(ledger, run) == texts
    else:
        assert [one["nodes"] for one in samples_frame(ledger, cell, ids)] == [[]] * 4
    expire_texts(ledger, run=run)
    assert measured(ledger, run) == stands and everything(ledger, other) == others
    assert check_ledger(ledger).faults == ()
    held = sample_data(ledger, ids)
    assert [held[one]["question"] for one in ids] == [EXPIRED, EXPIRED, f"{PERSON} 2?", f"{PERSON} 3?"]
    expire_texts(ledger, run=other)
    assert PERSON not in stored(ledger)
    assert places_of(PERSON, *([ledger.archive] if "://" in location else [tmp_path])) == []
