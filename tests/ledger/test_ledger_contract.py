"""What the ledger promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from driftgate.benchmarks.datasets import Sample
from driftgate.flows.engines import FinishedLine, NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatedLine, Evaluation
from driftgate.flows.models import Reply, Usage
from driftgate.ledger import (
    AggregationRow,
    Ledger,
    LedgerReplies,
    Record,
    ScoreRow,
    add_aggregation,
    add_cell,
    add_scores,
    add_verdict,
    aggregations_of,
    cells_of,
    evaluated_lines_of,
    evaluation_means,
    find_run,
    finish_run,
    latest_runs,
    open_ledger,
    outcome_frame,
    pending_samples,
    record,
    samples_frame,
    scores_of,
    set_status,
    start_run,
    verdicts_of,
)
from driftgate.ledger import _schema as schema

Samples = Callable[..., list[Sample]]
Add = Callable[..., Any]
Entry = Callable[..., Record]
CELL = {"model": "m", "flow": "f", "variant": "v", "dataset": "d", "signature": "v1", "details": {"n": 3}}


def test_a_run_is_found_as_it_was_written(ledger: Ledger) -> None:
    plan = {"suite": "small", "cells": [{"model": "한글"}]}
    run = start_run(ledger, "small", plan, "abc", 7, "0.1")
    assert find_run(ledger, run.id) == run
    assert find_run(ledger, run.id[-6:]) == run
    assert (run.status, run.plan, run.seed) == ("running", plan, 7)
    assert run.created_at.tzinfo is not None


def test_a_run_s_status_moves(ledger: Ledger) -> None:
    run = start_run(ledger, "small", {}, "abc", 0, "0.1")
    set_status(ledger, run.id, "stopped", "a limit")
    assert (find_run(ledger, run.id).status, find_run(ledger, run.id).reason) == ("stopped", "a limit")
    finish_run(ledger, run.id)
    done = find_run(ledger, run.id)
    assert (done.status, done.reason) == ("complete", "")
    assert done.finished_at is not None and done.finished_at >= done.created_at


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({}, {}, ""),
        ({}, {"outcome": "filtered", "answer": None}, "nothing was answered in 1 of 2 cells"),
        ({"outcome": "failed", "answer": None}, None, "nothing was answered in 2 of 2 cells"),
        ({}, {"correct": None}, "no answer could be graded in 1 of 2 cells"),
    ],
)
def test_a_run_without_a_score_says_so_when_it_ends(
    ledger: Ledger, samples: Samples, entry: Entry, first: dict[str, Any], second: dict[str, Any] | None, told: str
) -> None:
    run = start_run(ledger, "small", {}, "abc", 0, "0.1")
    for place, outcome in enumerate((first, second)):
        cell = add_cell(ledger, run.id, place, CELL, samples(1))
        if outcome is not None:
            ((sample, _),) = pending_samples(ledger, cell).values()
            record(ledger, [entry(cell, sample, **outcome)])
    finish_run(ledger, run.id)
    assert find_run(ledger, run.id).reason == told


def test_runs_are_listed_newest_first(ledger: Ledger) -> None:
    runs = [start_run(ledger, suite, {}, "abc", 0, "0.1") for suite in ("one", "two", "one")]
    finish_run(ledger, runs[0].id)
    assert [run.id for run in latest_runs(ledger)] == [run.id for run in reversed(runs)]
    assert [run.id for run in latest_runs(ledger, suite="one")] == [runs[2].id, runs[0].id]
    assert [run.id for run in latest_runs(ledger, status="complete")] == [runs[0].id]
    assert len(latest_runs(ledger, 2)) == 2


def test_an_unclear_name_of_a_run_is_refused(ledger: Ledger) -> None:
    with pytest.raises(DriftgateError, match="holds no run"):
        find_run(ledger, "latest")
    run = start_run(ledger, "small", {}, "abc", 0, "0.1")
    start_run(ledger, "small", {}, "abc", 0, "0.1")
    with pytest.raises(DriftgateError, match="2 runs fit 'small'"):
        find_run(ledger, "small")
    with pytest.raises(DriftgateError, match=f"0 runs fit .*did you mean '{run.id}'"):
        find_run(ledger, run.id[:-1] + "x")


def test_a_cell_and_its_samples_are_added_once(ledger: Ledger, samples: Samples) -> None:
    run = start_run(ledger, "small", {}, "abc", 0, "0.1")
    first = add_cell(ledger, run.id, 0, CELL, samples(1200))
    again = add_cell(ledger, run.id, 0, CELL | {"model": "another"}, samples(5))
    assert first == again
    assert len(pending_samples(ledger, first)) == 1200
    (cell,) = cells_of(ledger, run.id)
    assert (cell.model, cell.details, cell.name) == ("m", {"n": 3}, "m · v · d")


def test_cells_share_samples(ledger: Ledger, samples: Samples) -> None:
    run = start_run(ledger, "small", {}, "abc", 0, "0.1")
    ids = [add_cell(ledger, run.id, n, CELL, samples(4)) for n in range(2)]
    with ledger.read() as connection:
        assert len(connection.execute(select(schema.samples)).all()) == 4
    assert [len(pending_samples(ledger, cell)) for cell in ids] == [4, 4]


def test_a_record_s_second_writing_changes_nothing(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(2))
    nodes = (NodeResult("ask", "completed", {"text": "가"}, 0.1),)
    found = (Evaluation("ask", "it", "correct", 1.0),)
    record(ledger, [entry(cell, ids["q0"], nodes=nodes, evaluations=found)])
    other = entry(cell, ids["q0"], outcome="failed", answer=None, nodes=nodes, evaluations=found)
    record(ledger, [other, entry(cell, ids["q1"])])
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["answered", "answered"]
    (kept,) = samples_frame(ledger, cell, [ids["q0"]])
    assert len(kept["nodes"]) == len(kept["evaluations"]) == 1
    record(ledger, [])


def test_a_record_is_written_whole_or_not_at_all(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(2))
    with pytest.raises(DriftgateError, match="refused a row"):
        record(ledger, [entry(cell, ids["q0"]), entry(cell, 999_999)])  # asks for a sample that does not exist
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["missing", "missing"]


def test_pending_are_those_without_an_outcome(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(4))
    record(ledger, [entry(cell, ids["q1"]), entry(cell, ids["q2"], outcome="filtered", answer=None)])
    todo = pending_samples(ledger, cell)
    assert {sample_id for sample_id, _ in todo.values()} == {ids["q0"], ids["q3"]}
    assert [rounds for _, rounds in todo.values()] == [[0], [0]]


def test_failed_samples_are_asked_in_a_new_round(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(3))
    failed = {"outcome": "failed", "answer": None, "correct": None, "error": "HTTP 500"}
    record(ledger, [entry(cell, ids["q0"]), entry(cell, ids["q1"], **failed)])
    assert {i for i, _ in pending_samples(ledger, cell).values()} == {ids["q2"]}
    again = dict(pending_samples(ledger, cell, retry_failed=True).values())
    assert again == {ids["q1"]: [1], ids["q2"]: [0]}
    record(ledger, [entry(cell, ids["q1"], round=1, answer="C")])
    assert dict(pending_samples(ledger, cell, retry_failed=True).values()) == {ids["q2"]: [0]}
    frame = outcome_frame(ledger, cell).set_index("upstream_id")
    assert list(frame.loc["q1", ["outcome", "answer", "round"]]) == ["answered", "C", 1]
    with ledger.read() as connection:
        assert len(connection.execute(select(schema.outcomes)).all()) == 3  # the failure is still on record


def test_every_sample_asked_for_is_in_the_frame(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(5))
    record(ledger, [entry(cell, ids["q3"], answer="D", correct=1.0, latency=None)])
    frame = outcome_frame(ledger, cell)
    assert list(frame["upstream_id"]) == ["q0", "q1", "q2", "q3", "q4"]
    assert list(frame["outcome"]) == ["missing", "missing", "missing", "answered", "missing"]
    assert list(frame["category"]) == [f"범주 {n % 3}" for n in range(5)]
    assert frame["correct"].isna().sum() == 4


def test_a_frame_is_in_the_dataset_s_order(ledger: Ledger, samples: Samples, add: Add) -> None:
    every = samples(30)
    add(ledger, [every[n] for n in (25, 3, 17)])  # an earlier run drew some of them
    _, cell, _ = add(ledger, every)
    assert list(outcome_frame(ledger, cell)["upstream_id"]) == [sample.id for sample in every]


def test_one_sample_in_full(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(2))
    nodes = [NodeResult("ask", "completed", {"text": "정답 😀", "first_token": {"A": -0.5}}, 0.2)]
    nodes += [NodeResult("extract", "failed", None, 0.0, "no reply")]
    found = [Evaluation("ask", "length", "characters", 4.0), Evaluation("ask", "bad", "", None, error="boom")]
    record(ledger, [entry(cell, ids["q0"], nodes=nodes, evaluations=found)])
    full, missing = samples_frame(ledger, cell, [ids["q0"], ids["q1"]])
    assert full["data"]["question"] == "문제 0번은?"
    assert {n["node"]: (n["status"], n["output"], n["error"]) for n in full["nodes"]} == {
        "ask": ("completed", {"text": "정답 😀", "first_token": {"A": -0.5}}, ""),
        "extract": ("failed", None, "no reply"),
    }
    assert {(e["evaluator"], e["value"], e["error"]) for e in full["evaluations"]} == {
        ("length", 4.0, ""),
        ("bad", None, "boom"),
    }
    assert (missing["outcome"], missing["nodes"]) == ("missing", [])


def test_times_come_back_in_utc(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(2))
    seoul = datetime(2026, 11, 23, 8, 30, 15, 123456, tzinfo=timezone(timedelta(hours=9)))
    record(ledger, [entry(cell, ids["q0"], finished_at=seoul)])
    (kept,) = samples_frame(ledger, cell, [ids["q0"]])
    assert kept["finished_at"] == datetime(2026, 11, 22, 23, 30, 15, 123456, tzinfo=UTC)
    assert kept["finished_at"].utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(1))
    with pytest.raises(Exception, match="without a time zone"):
        record(ledger, [entry(cell, ids["q0"], finished_at=datetime(2026, 11, 23))])
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["missing"]


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": "영\x00점", "error": "a\x00b", "served_model": "m\x00"},
        {"answer": "외톨이 \ud83d", "error": "\udc00"},
        {"finish_reason": "stop" * 40, "rule": "r" * 500, "served_model": "m" * 500, "fingerprint": "f" * 500},
        {"nodes": [NodeResult("ask", "completed", {"score": float("nan"), "low": float("-inf")}, 0.1)]},
        {"nodes": [NodeResult("ask", "completed", {"text": "\x00\ud83d", "when": datetime(2026, 1, 1)}, 0.1)]},
        {"nodes": [NodeResult("ask", "failed", {1: b"bytes", (2, 3): {4}}, 0.1, "e\x00")]},
        {"evaluations": [Evaluation("ask", "it", "m" * 300, None, label="\x00\ud83d", error="\x00")]},
    ],
)
def test_whatever_a_service_or_a_tool_gives_can_be_kept(
    ledger: Ledger, samples: Samples, add: Add, entry: Entry, changes: dict[str, Any]
) -> None:
    _, cell, ids = add(ledger, samples(2))
    record(ledger, [entry(cell, ids["q0"], **changes), entry(cell, ids["q1"])])
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["answered", "answered"]
    samples_frame(ledger, cell, list(ids.values()))


def test_long_names_of_a_dataset_can_be_kept(ledger: Ledger, add: Add) -> None:
    from driftgate.benchmarks.datasets import make_sample

    long = "아주 긴 이름 " * 60
    sample = make_sample("d", "test", 0, {"question": "?"}, subset=long, id=long, category=long, super_category=long)
    _, cell, _ = add(ledger, [sample], variant=long)
    assert list(outcome_frame(ledger, cell)["category"]) == [long]


def test_evaluation_means_are_of_the_newest_round(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(4))

    def scored(sample: str, value: float | None, round_: int = 0, error: str = "") -> Record:
        return entry(
            cell, ids[sample], round=round_, evaluations=[Evaluation("ask", "it", "share", value, error=error)]
        )

    record(ledger, [scored("q0", 0.0), scored("q1", 0.5), scored("q2", None, error="boom")])
    record(ledger, [scored("q0", 1.0, round_=1)])
    (mean,) = evaluation_means(ledger, cell)
    assert (mean["node"], mean["evaluator"], mean["metric"]) == ("ask", "it", "share")
    assert (mean["n"], mean["errors"]) == (2, 1)
    assert (mean["mean"], mean["sd"]) == pytest.approx((0.75, 0.25))  # of 1.0 and 0.5


def test_scores_and_verdicts_are_kept_and_added_to(ledger: Ledger, samples: Samples, add: Add) -> None:
    run, cell, _ = add(ledger, samples(1))
    rows = [ScoreRow("accuracy", "all", "", 0.5, 0.2, 0.8, 10), ScoreRow("cost", "all", "", None, None, None, 0)]
    add_scores(ledger, cell, "v1", rows)
    assert scores_of(ledger, cell, "v1") == rows
    add_scores(ledger, cell, "v1", rows[:1])
    assert scores_of(ledger, cell, "v1") == rows[:1]
    assert scores_of(ledger, cell, "another") == []
    for verdict in ("inconclusive", "pass"):
        add_verdict(ledger, run.id, "g", verdict, {"이유": verdict})
    assert [(v.verdict, v.details) for v in verdicts_of(ledger, run.id)] == [
        ("pass", {"이유": "pass"}),
        ("inconclusive", {"이유": "inconclusive"}),
    ]


async def test_the_first_reply_under_a_key_stays(ledger: Ledger) -> None:
    cache = LedgerReplies(ledger)
    first = Reply("B 나", "stop", Usage(9, 1), 0.5, "m", "fp", {"B": -0.1, " A": -2.5}, attempts=2)
    assert await cache.get("k") is None
    await cache.put("k", first)
    await cache.put("k", Reply("C", "stop", Usage(), 0.1))
    assert await cache.get("k") == first


def test_writers_at_once_lose_nothing(
    ledger: Ledger, location: str, tmp_path: Path, samples: Samples, add: Add, entry: Entry
) -> None:
    _, cell, ids = add(ledger, samples(120))
    numbers = list(ids.values())
    problems: list[BaseException] = []

    def write(part: int) -> None:
        own = open_ledger(location, tmp_path)
        try:
            for number in numbers[part * 30 : part * 30 + 60]:  # neighbours overlap by half
                record(own, [entry(cell, number, answer=str(part))])
        except BaseException as problem:
            problems.append(problem)
        finally:
            own.close()

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["answered"] * 120


def test_opening_again_keeps_everything(
    ledger: Ledger, location: str, tmp_path: Path, samples: Samples, add: Add, entry: Entry
) -> None:
    run, cell, ids = add(ledger, samples(2))
    record(ledger, [entry(cell, ids["q0"])])
    again = open_ledger(location, tmp_path)
    assert find_run(again, run.id) == run
    assert list(outcome_frame(again, cell)["outcome"]) == ["answered", "missing"]
    again.close()


def test_a_ledger_of_a_newer_format_is_refused(ledger: Ledger, location: str, tmp_path: Path) -> None:
    with ledger.write() as connection:
        connection.execute(text("UPDATE meta SET value = '99' WHERE key = 'version'"))
    with pytest.raises(
        DriftgateError, match=f"has format 99, this driftgate knows {schema.VERSION}; upgrade driftgate"
    ):
        open_ledger(location, tmp_path)


def test_an_aggregation_takes_the_place_of_an_earlier_one(ledger: Ledger, samples: Samples, add: Add) -> None:
    _, cell, _ = add(ledger, samples(3))
    of = {"node": "ask", "evaluator": "grades"}
    assert aggregations_of(ledger, cell) == []
    add_aggregation(ledger, cell, AggregationRow(2, {"accuracy": 0.5, "gone": 1.0}, "", **of))
    add_aggregation(ledger, cell, AggregationRow(3, {"letters": 4.0}))
    add_aggregation(ledger, cell, AggregationRow(3, {"accuracy": 0.75}, "late\x00", **of))
    own, grades = aggregations_of(ledger, cell)
    assert (own, own.prefix) == (AggregationRow(3, {"letters": 4.0}), "aggregate.")
    assert grades == AggregationRow(3, {"accuracy": 0.75}, "late\ufffd", **of)
    assert grades.prefix == "ask.grades.aggregate."
    add_aggregation(ledger, cell, AggregationRow(3, {"accuracy": float("nan"), "n": 3.0}, "", **of))
    assert aggregations_of(ledger, cell)[1] == AggregationRow(3, {"n": 3.0}, "it logged 'accuracy' as nan", **of)
    add_aggregation(ledger, cell, AggregationRow(3, {}, "", **of))
    assert aggregations_of(ledger, cell)[1] == AggregationRow(3, {}, "", **of)


def test_the_newest_round_of_a_line_is_aggregated(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    _, cell, ids = add(ledger, samples(3))

    def line(grade: Any) -> tuple[EvaluatedLine, ...]:
        return (EvaluatedLine("ask", "grades", FinishedLine({"truth": "가\x00"}, {"grade": grade, "late": None})),)

    record(ledger, [entry(cell, ids["q0"], lines=line(1)), entry(cell, ids["q1"], lines=line([float("nan")]))])
    record(ledger, [entry(cell, ids["q0"], round=1, lines=line({"grade": 2})), entry(cell, ids["q1"], round=1)])
    found = evaluated_lines_of(ledger, cell, "ask", "grades")
    assert found == {ids["q0"]: FinishedLine({"truth": "가\ufffd"}, {"grade": {"grade": 2}, "late": None})}
    assert evaluated_lines_of(ledger, cell, "ask", "other") == {}
