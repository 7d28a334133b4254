"""Samples that are asked several times: each so often and no more, kept apart, counted once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint, Status

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.benchmarks.suite import SuiteConfig, describe_plan
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import (
    Ledger,
    Record,
    RunRow,
    cells_of,
    check_ledger,
    finish_run,
    put_baseline,
    record,
    take_baseline,
)

BOOM = Status(422, {"error": {"message": "boom"}})


def right(prompt: str) -> Answer:
    (number,) = re.findall(r"문제 (\d+)번은", prompt)
    return Answer("ABCD"[int(number) % 4], seconds=0.005)


@pytest.fixture
def bench(endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path, samples: Callable[..., list[Sample]]) -> Bench:
    """Eight questions, each asked five times; question 1 is right in two, and 2 in three of them."""
    endpoint.default = right
    endpoint.script("문제 1번은", Answer("B"), Answer("A"), Answer("A"), Answer("B"), Answer("A"))
    endpoint.script("문제 2번은", Answer("C"), Answer("A"), Answer("C"), Answer("C"), Answer("A"))
    endpoint.script("문제 3번은", Answer("A"))
    suite = {"repeats": 5}
    model = {"parameters": {"temperature": 0.7}, "prices": {"input": 1.0, "output": 2.0}}
    return Bench(endpoint, ledger, tmp_path, samples(8), suite=suite, model=model)


def scores(bench: Bench, run: RunRow) -> CellScores:
    (scored,) = score_run(bench.ledger, run.id)
    return scored


async def test_each_sample_is_asked_so_often_and_counts_once(bench: Bench) -> None:
    run = await bench.run()
    assert set(bench.endpoint.asked.values()) == {5}
    found = scores(bench, run)
    assert found.outcomes["answered"] == 40
    assert list(found.frame["correct"].round(3)) == [1.0, 0.4, 0.6, 0.0, 1.0, 1.0, 1.0, 1.0]
    assert bench.frame().loc["q1", "answer"] == "A"  # the commonest
    values = {row.metric: row.value for row in found.rows if row.slice_kind == "all"}
    assert values["accuracy"] == pytest.approx(6.0 / 8)
    # Of five answers two are right: of two drawn from them none is right in 3 of 10 cases; of three, in 1 of 10.
    assert values["pass@2"] == pytest.approx((5 + 0.7 + 0.9) / 8)
    assert values["pass@5"] == pytest.approx(7 / 8)
    assert values["majority"] == pytest.approx(6 / 8)
    assert values["unsteady"] == pytest.approx(2 / 8)
    assert values["cost"] == pytest.approx(40 * (20 * 1.0 + 1 * 2.0) / 1e6)
    assert found.repeated.startswith("each sample asked 5 times: pass@2 82.5%, pass@5 87.5%, majority 75.0%, unsteady")
    assert "|repeats:5|" in found.cell.signature


async def test_the_interval_counts_samples_and_narrows_only_where_the_model_is_unsteady(bench: Bench) -> None:
    for number in range(8):
        steady = Answer("ABCD"[number % 4] if number % 2 else "ABCD"[(number + 1) % 4])
        bench.endpoint.script(f"문제 {number}번은", steady)
    five = scores(bench, await bench.run()).get("accuracy")
    bench.suite = {}
    once = scores(bench, await bench.run()).get("accuracy")
    assert five and once and five.value == once.value == 0.5 and five.n == once.n == 8
    assert None not in (five.low, five.high, once.low, once.high)
    assert float(five.high) - float(five.low) >= float(once.high) - float(once.low) - 1e-9  # type: ignore[arg-type]


async def test_a_stopped_run_goes_on_and_asks_no_repeat_twice(bench: Bench) -> None:
    task: asyncio.Task[RunRow] = asyncio.create_task(bench.run())
    bench.watcher.advanced = lambda progress: task.cancel() if progress.done >= 17 else None
    with pytest.raises(asyncio.CancelledError):
        await task
    asked = sum(bench.endpoint.asked.values())
    recorded = bench.watcher.ended[-1].done
    assert 17 <= recorded < 40
    bench.watcher.advanced = lambda progress: None
    run = await bench.run(bench.newest())
    assert bench.watcher.begun[-1] >= recorded
    # What was in flight when it was stopped may have been asked, or yet be received, without being recorded.
    assert sum(bench.endpoint.asked.values()) <= 40 + max(asked - recorded, 16)
    frame = scores(bench, run).asks
    assert len(frame) == 40 and frame["outcome"].eq("answered").all()
    assert sorted(frame.groupby("sample_id")["repeat"].apply(tuple))[0] == (0, 1, 2, 3, 4)


async def test_a_repeat_that_failed_is_asked_again_alone_and_counts_as_wrong_until_then(bench: Bench) -> None:
    bench.endpoint.script("문제 4번은", Answer("A"), Answer("A"), BOOM, Answer("A"), Answer("A"), Answer("A"))
    run = await bench.run()
    before = scores(bench, run)
    assert before.outcomes["failed"] == 1 and bench.frame().loc["q4", "outcome"] == "failed"
    assert bench.frame().loc["q4", "correct"] == pytest.approx(0.8)
    assert "1 of 40 repeats were never answered (1 failed)" in before.answered
    unsteady = before.get("unsteady")
    assert unsteady and unsteady.value == pytest.approx(3 / 8)
    await bench.run(run, retry_failed=True)
    assert bench.endpoint.times_asked("문제 4번은") == 6
    assert sum(bench.endpoint.asked.values()) == 41
    assert scores(bench, run).outcomes["answered"] == 40 and bench.frame().loc["q4", "correct"] == 1.0


async def test_the_cache_answers_each_repeat_with_its_own_reply(bench: Bench) -> None:
    bench.suite |= {"cache": True}
    first = scores(bench, await bench.run())
    asked = sum(bench.endpoint.asked.values())
    assert asked == 40
    second = scores(bench, await bench.run())
    assert sum(bench.endpoint.asked.values()) == asked
    both = [list(one.asks.sort_values(["sample_id", "repeat"])["answer"]) for one in (first, second)]
    assert both[0] == both[1] and second.asks["cached"].all()


async def test_evaluators_means_are_of_samples(bench: Bench) -> None:
    found = scores(bench, await bench.run())
    row = found.get("extract.choice.correct")
    assert row and row.n == 8 and row.value == pytest.approx(0.75)


async def test_a_baseline_keeps_every_repeat(bench: Bench) -> None:
    run = await bench.run()
    score_run(bench.ledger, run.id)
    there = put_baseline(bench.ledger, take_baseline(bench.ledger, run.id), "c" * 64, "main")
    (copy,) = cells_of(bench.ledger, there.id)
    assert copy.repeats == 5
    (scored,) = score_run(bench.ledger, there.id, store=False)
    assert list(scored.asks["correct"]) == list(scores(bench, run).asks["correct"])
    assert scored.get("extract.choice.correct") == scores(bench, run).get("extract.choice.correct")


async def test_a_model_at_temperature_0_is_said_to_answer_alike(bench: Bench) -> None:
    await bench.run()
    assert bench.watcher.ended[-1].notes == []
    for parameters, words in (({"temperature": 0}, "temperature 0"), ({"temperature": 1, "seed": 3}, "seed 3")):
        bench.model = {"parameters": parameters}
        await bench.run()
        (note,) = bench.watcher.ended[-1].notes
        assert words in note and "its 5 repeats then show nothing" in note


async def test_the_limit_on_cost_counts_every_repeat(bench: Bench) -> None:
    bench.suite |= {"max_cost": 20 * 22e-6}
    with pytest.raises(DriftgateError, match="limit"):
        await bench.run()
    assert 20 <= sum(bench.endpoint.asked.values()) < 30


def test_a_plan_without_repeats_is_the_plan_it_was(bench: Bench) -> None:
    def plan(**changes: int) -> tuple[str, str]:
        bench.suite = dict(changes)
        suite, cells = bench.cells()
        return describe_plan("s", suite, cells)[1], cells[0].signature()

    assert plan() == plan(repeats=1) != plan(repeats=2)
    assert "repeats" not in plan()[1]
    with pytest.raises(ValueError, match="repeats"):
        SuiteConfig.model_validate({"models": ["m"], "datasets": ["d"], "repeats": 0})


def test_a_complete_run_that_lacks_a_repeat_is_no_whole_run(
    ledger: Ledger, samples: Callable[..., list[Sample]], add: Callable[..., Any], entry: Callable[..., Record]
) -> None:
    run, cell, ids = add(ledger, samples(3), details={"repeats": 3})
    record(ledger, [entry(cell, sample, round=round_) for sample in ids.values() for round_ in range(3)][1:])
    finish_run(ledger, run.id)
    (fault,) = check_ledger(ledger).faults
    assert "1 repeats of its samples have no outcome" in fault.found
    (scored,) = score_run(ledger, run.id)
    assert scored.outcomes["missing"] == 1
    assert scored.frame["correct"].round(3).tolist() == [0.667, 1.0, 1.0]


@pytest.mark.parametrize("outcome", ["failed", None])
def test_samples_of_which_no_repeat_was_answered_are_scored_as_such(
    outcome: str | None,
    ledger: Ledger,
    samples: Callable[..., list[Sample]],
    add: Callable[..., Any],
    entry: Callable[..., Record],
) -> None:
    run, cell, ids = add(ledger, samples(3), details={"repeats": 2})
    nothing = {"answer": None, "correct": None, "cost": None, "input_tokens": None, "output_tokens": None}
    if outcome:
        asked = [(one, n) for one in ids.values() for n in (0, 1)]
        rows = [entry(cell, one, round=n, outcome=outcome, error="x", **nothing) for one, n in asked]
        record(ledger, rows)
    (scored,) = score_run(ledger, run.id)
    assert scored.outcomes[outcome or "missing"] == 6
    assert scored.frame["outcome"].tolist() == [outcome or "missing"] * 3 and scored.frame["correct"].isna().all()
    values = {row.metric: row.value for row in scored.rows if row.slice_kind == "all"}
    assert (values["accuracy"], values["accuracy_if_right"], values["unsteady"]) == (0.0, 1.0, 1.0)
    assert values["accuracy_answered"] is None and values["latency_p50"] in (None, 0.25)
