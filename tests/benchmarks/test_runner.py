"""Runs: one outcome for every sample, nothing asked twice, and stops that lose nothing."""

from __future__ import annotations

import asyncio
import gc
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from chat_endpoint import AZURE_FILTERED, AZURE_FILTERED_INNER, Answer, ChatEndpoint, Cut, Hang, Status, limited

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.outcomes import OUTCOMES
from driftgate.benchmarks.progress import CellProgress
from driftgate.benchmarks.spending import LimitReached
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelMisconfigured
from driftgate.ledger import Ledger, cells_of, latest_runs, samples_frame
from driftgate.monitor.watch import canary_frame
from driftgate.shipped import shipped

BOOM = Status(500, {"error": {"message": "boom"}})


def right(prompt: str) -> Answer:
    """The correct letter of the questions that ``samples`` makes."""
    (number,) = re.findall(r"문제 (\d+)번은", prompt)
    return Answer("ABCD"[int(number) % 4])


@pytest.fixture
def bench(endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path, samples: Callable[..., list[Sample]]) -> Bench:
    """Twelve questions, all of them answered correctly unless a test says otherwise."""
    endpoint.default = right
    return Bench(endpoint, ledger, tmp_path, samples(12))


def nothing_asked_twice(endpoint: ChatEndpoint) -> bool:
    return max(endpoint.asked.values()) == 1


async def test_every_outcome_is_reached_and_costs_no_other_sample_anything(bench: Bench) -> None:
    bench.model = {"attempts": 2, "timeout": 1.0}
    script = bench.endpoint.script
    script("문제 1번은", Answer("D"))
    script("문제 2번은", Answer("잘 모르겠습니다."))
    script("문제 3번은", Answer("차근차근 생각해 보면", "length"))
    script("문제 4번은", Status(400, AZURE_FILTERED))
    script("문제 5번은", Status(400, AZURE_FILTERED_INNER))
    script("문제 6번은", Answer("", "content_filter"))
    script("문제 7번은", BOOM)
    script("문제 8번은", Cut())
    script("문제 9번은", Status(200, b"<html>"))
    script("문제 10번은", Hang())
    script("문제 11번은", Status(422, {"error": {"message": "cannot"}}))
    run = await bench.run()
    frame = bench.frame()
    assert run.status == "complete"
    assert dict(frame["outcome"]) == {
        "q0": "answered",
        "q1": "answered",
        "q2": "unparsed",
        "q3": "truncated",
        "q4": "filtered",
        "q5": "filtered",
        "q6": "filtered",
        **dict.fromkeys(["q7", "q8", "q9", "q10", "q11"], "failed"),
    }
    assert set(frame["outcome"]) <= set(OUTCOMES)
    assert list(frame["correct"][:4]) == [1.0, 0.0, 0.0, 0.0]
    assert frame["correct"][4:].isna().all()
    assert frame["answer"].notna().sum() == 2
    assert [bool(error) for error in frame["error"]] == [False] * 4 + [True] * 8
    assert "boom" in frame["error"]["q7"] and "no reply within" in frame["error"]["q10"]


async def test_everything_about_a_reply_is_recorded(bench: Bench) -> None:
    bench.model = {"prices": {"input": 1.0, "output": 2.0}}
    bench.endpoint.script("문제 0번은", BOOM, Answer("A", tokens=(300, 50), fingerprint="fp_7"))
    await bench.run()
    row = bench.frame().loc["q0"]
    assert (row["input_tokens"], row["output_tokens"], row["attempts"]) == (300, 50, 2)
    assert row["cost"] == pytest.approx((300 * 1.0 + 50 * 2.0) / 1e6)
    assert (row["served_model"], row["fingerprint"], row["finish_reason"]) == ("gpt-test", "fp_7", "stop")
    assert 0 < row["latency"] <= row["seconds"]
    assert not row["cached"]
    (cell,) = cells_of(bench.ledger, bench.newest().id)
    (full,) = samples_frame(bench.ledger, cell.id, [int(row["sample_id"])])
    nodes = {node["node"]: node["output"] for node in full["nodes"]}
    assert nodes["extract"] == {"answer": "A", "rule": row["rule"]}
    assert "문제 0번은" in nodes["render"]
    assert {f"{e['node']}.{e['evaluator']}.{e['metric']}" for e in full["evaluations"]} >= {
        "render.prompt.complete",
        "ask.reply.within",
        "extract.choice.correct",
    }


async def test_a_reply_that_was_cut_has_its_words_and_is_no_error_of_the_service(bench: Bench) -> None:
    bench.endpoint.script("문제 3번은", Answer("", "MAX_TOKENS"))
    bench.endpoint.script("문제 4번은", Status(422, {"error": {"message": "cannot"}}))
    run = await bench.run()
    row = bench.frame().loc["q3"]
    assert (row["outcome"], row["finish_reason"]) == ("truncated", "length") and "before it said" in row["error"]
    seen = canary_frame(bench.ledger, run)
    assert list(seen["outcome"][seen["error"] != ""]) == ["failed"]


async def test_letters_by_log_probability(bench: Bench) -> None:
    bench.model = {"scoring": "logprobs"}
    bench.endpoint.default = Answer("모름", "length", top_logprobs={"B": -0.2, " C": -0.3, "C": -2.0})
    await bench.run()
    assert set(bench.frame()["answer"]) == {"C"}  # " C" and "C" together outweigh "B"
    assert set(bench.frame()["rule"]) == {"logprobs"}


async def test_no_more_than_the_model_s_limit_in_flight(bench: Bench) -> None:
    bench.model = {"in_flight": 3}
    bench.endpoint.default = lambda prompt: Answer(right(prompt).text, seconds=0.05)
    await bench.run()
    assert bench.endpoint.most_in_flight == 3


async def test_a_service_that_says_429_loses_no_sample(bench: Bench) -> None:
    for number in range(0, 12, 2):
        bench.endpoint.script(f"문제 {number}번은", limited(0.01), limited(0.005), right(f"문제 {number}번은"))
    await bench.run()
    assert list(bench.frame()["correct"]) == [1.0] * 12


async def test_the_display_sees_every_sample(bench: Bench) -> None:
    seen: list[int] = []
    bench.watcher.advanced = lambda progress: seen.append(progress.done)
    bench.endpoint.script("문제 1번은", BOOM)
    await bench.run()
    assert seen == list(range(1, 13))
    (end,) = bench.watcher.ended
    assert (end.done, end.asked, dict(end.outcomes)) == (12, 12, {"answered": 11, "failed": 1})


async def _stop_after(bench: Bench, count: int) -> None:
    """Run until ``count`` samples are done, then cancel as Ctrl-C does."""
    task = asyncio.create_task(bench.run())

    def enough(progress: CellProgress) -> None:
        if progress.done == count:
            task.cancel()

    bench.watcher.advanced = enough
    with pytest.raises(asyncio.CancelledError):
        await task
    bench.watcher.advanced = lambda progress: None


async def test_a_run_that_was_interrupted_goes_on_where_it_was(bench: Bench) -> None:
    bench.model = {"in_flight": 1}
    await _stop_after(bench, 5)
    run = bench.newest()
    assert (run.status, run.reason) == ("interrupted", "stopped by the user")
    assert list(bench.frame()["outcome"]).count("answered") == 5
    done = await bench.run(run)
    assert done.status == "complete"
    assert bench.watcher.begun == [0, 5]
    assert list(bench.frame()["correct"]) == [1.0] * 12
    assert len(bench.endpoint.requests) <= 12 + 1  # the one that was under way
    assert len(latest_runs(bench.ledger)) == 1


async def test_a_complete_run_asks_nothing_when_resumed(bench: Bench) -> None:
    run = await bench.run()
    again = await bench.run(run)
    assert again.status == "complete"
    assert len(bench.endpoint.requests) == 12


async def test_failed_samples_are_asked_once_more_when_told_to(bench: Bench) -> None:
    bench.endpoint.script("문제 1번은", BOOM, BOOM, Answer("B"))
    bench.endpoint.script("문제 2번은", Status(400, AZURE_FILTERED))
    run = await bench.run()
    assert bench.frame()["outcome"]["q1"] == "failed"
    await bench.run(run)
    assert bench.endpoint.times_asked("문제 1번은") == 2
    await bench.run(run, retry_failed=True)
    row = bench.frame().loc["q1"]
    assert (row["outcome"], row["answer"], row["round"]) == ("answered", "B", 1)
    assert bench.endpoint.times_asked("문제 2번은") == 1  # a refusal is not a failure
    assert len(bench.endpoint.requests) == 12 + 2


async def test_a_refused_key_stops_the_run_and_leaves_the_ledger_whole(bench: Bench) -> None:
    bench.model = {"in_flight": 1}
    bench.endpoint.script("문제 4번은", Status(401, {"error": {"message": "expired"}}), Answer("A"))
    with pytest.raises(ModelMisconfigured, match="refused the key of model 'm'"):
        await bench.run()
    run = bench.newest()
    assert run.status == "stopped" and "refused the key" in run.reason
    assert list(bench.frame()["outcome"]) == ["answered"] * 4 + ["missing"] * 8
    assert len(bench.endpoint.requests) == 5
    await bench.run(run)
    assert list(bench.frame()["correct"]) == [1.0] * 12


async def test_the_limit_on_cost_stops_cleanly(bench: Bench) -> None:
    bench.model = {"prices": {"input": 50_000.0, "output": 0.0}, "in_flight": 4}  # 20 tokens a question: 1 each
    bench.suite = {"max_cost": 5.0}
    with pytest.raises(LimitReached, match=r"the limit of 5 on cost is reached"):
        await bench.run()
    run = bench.newest()
    assert (run.status, "limit of 5" in run.reason) == ("stopped", True)
    asked = len(bench.endpoint.requests)
    assert 5 <= asked <= 5 + 3
    assert list(bench.frame()["outcome"]).count("answered") == asked  # what was paid for is recorded
    bench.suite = {}
    await bench.run(run)
    assert nothing_asked_twice(bench.endpoint)
    assert list(bench.frame()["correct"]) == [1.0] * 12


async def test_the_limit_on_time_stops_cleanly(bench: Bench) -> None:
    bench.model = {"in_flight": 1}
    bench.suite = {"max_minutes": 0.1 / 60}
    bench.endpoint.default = lambda prompt: Answer(right(prompt).text, seconds=0.06)
    with pytest.raises(LimitReached, match="minutes is reached"):
        await bench.run()
    run = bench.newest()
    assert run.status == "stopped"
    bench.suite = {}
    await bench.run(run)
    assert nothing_asked_twice(bench.endpoint)
    assert list(bench.frame()["correct"]) == [1.0] * 12


@pytest.mark.parametrize("step", [limited(300.0), Status(503), limited(0.01)], ids=["told", "outage", "for ever"])
async def test_the_limit_on_time_ends_waits(bench: Bench, step: Any) -> None:
    bench.model = {"attempts": 100, "in_flight": 4}
    bench.suite = {"max_minutes": 0.5 / 60}
    for number in (2, 3, 9):
        bench.endpoint.script(f"문제 {number}번은", step)
    began = time.monotonic()
    with pytest.raises(LimitReached, match=r"minutes is reached; model 'm' was waited for.*HTTP (429|503)"):
        await bench.run()
    assert time.monotonic() - began < 5
    run = bench.newest()
    assert run.status == "stopped" and "HTTP" in run.reason
    assert {"missing"} <= set(bench.frame()["outcome"]) <= {"missing", "answered"}
    bench.endpoint.forget()
    bench.suite, bench.model = {}, {}
    await bench.run(run)
    assert list(bench.frame()["correct"]) == [1.0] * 12


async def test_the_limit_on_cost_ends_waits(bench: Bench) -> None:
    bench.model = {"prices": {"input": 50_000.0, "output": 0.0}, "in_flight": 4}  # 20 tokens a question: 1 each
    bench.suite = {"max_cost": 5.0}
    bench.model |= {"attempts": 100}
    bench.endpoint.script("문제 1번은", BOOM)
    began = time.monotonic()
    with pytest.raises(LimitReached, match=r"limit of 5 on cost is reached.*HTTP 500 boom"):
        await bench.run()
    assert time.monotonic() - began < 5
    assert bench.frame()["outcome"]["q1"] == "missing"


async def test_a_limit_reached_with_the_last_sample_is_no_stop(bench: Bench) -> None:
    bench.model = {"prices": {"input": 50_000.0, "output": 0.0}}
    bench.suite = {"max_cost": 12.0}
    assert (await bench.run()).status == "complete"


async def test_cells_run_one_after_the_other(bench: Bench) -> None:
    bench.suite = {"variants": ["terse", "zero_shot"]}
    run = await bench.run()
    assert [cell.variant for cell in cells_of(bench.ledger, run.id)] == ["terse", "zero_shot"]
    assert len(bench.endpoint.requests) == 24
    assert len(bench.endpoint.asked) == 24
    assert list(bench.frame(1)["correct"]) == [1.0] * 12


async def test_the_cache_answers_what_an_earlier_run_asked(bench: Bench) -> None:
    bench.suite = {"cache": True}
    bench.model = {"prices": {"input": 1.0}}
    await bench.run()
    await bench.run()
    assert len(bench.endpoint.requests) == 12
    frame = bench.frame()
    assert frame["cached"].all() and frame["latency"].isna().all()
    assert (frame["cost"].sum(), list(frame["correct"])) == (0.0, [1.0] * 12)
    bench.model |= {"parameters": {"temperature": 0.7}}
    await bench.run()
    assert len(bench.endpoint.requests) == 24


async def test_without_the_cache_every_run_asks(bench: Bench) -> None:
    await bench.run()
    await bench.run()
    assert len(bench.endpoint.requests) == 24


EVALUATORS = """
primary: extract.choice.{metric}
nodes:
  extract:
    own: {{evaluator: "picky:judge", inputs: {{answer: "${{nodes.extract.output.answer}}"}}}}
    choice:
      evaluator: choice
      inputs: {{answer: "${{nodes.extract.output.answer}}", gold: "${{data.answer}}"}}
"""


@pytest.fixture
def own_flow(bench: Bench) -> Callable[..., None]:
    """``own_flow(metric)``: a copy of the shipped flow in the workspace, with an evaluator that raises on C."""
    import shutil

    def make(metric: str) -> None:
        folder = bench.folder / "flows/mine"
        shutil.copytree(shipped("flows") / "multiple_choice", folder)
        (folder / "evaluators.yaml").write_text(EVALUATORS.format(metric=metric), encoding="utf-8")
        code = "def judge(*, answer):\n    return {'fine': {'A': 1, 'B': 0, 'D': 1}[answer]}\n"
        (bench.folder / "picky.py").write_text(code, encoding="utf-8")
        bench.suite = {"flow": "mine"}

    return make


async def test_an_evaluator_that_raises_concerns_its_sample_alone(bench: Bench, own_flow: Callable[..., None]) -> None:
    own_flow("correct")
    run = await bench.run()
    assert list(bench.frame()["correct"]) == [1.0] * 12
    (cell,) = cells_of(bench.ledger, run.id)
    full = samples_frame(bench.ledger, cell.id, [int(i) for i in bench.frame()["sample_id"]])
    errors: list[Any] = [e["error"] for sample in full for e in sample["evaluations"] if e["evaluator"] == "own"]
    assert errors == ["", "", "KeyError: 'C'", ""] * 3


async def test_a_primary_metric_that_does_not_exist_stops_the_run(bench: Bench, own_flow: Callable[..., None]) -> None:
    own_flow("corect")
    with pytest.raises(DriftgateError, match=r"did you mean 'extract\.choice\.correct'"):
        await bench.run()
    assert bench.newest().status == "stopped"


async def test_a_run_does_not_put_off_the_next_full_collection(bench: Bench) -> None:
    """Else cycles that outlive a run, as SQLAlchemy and the SDKs of judges make them, would pile up in a service."""
    before = gc.get_threshold()
    gc.set_threshold(100, 2, 1000)
    try:
        kept: list[list[None]] = []
        while (count := gc.get_count()[2]) < 50:
            kept.append([])
        await bench.run()
        assert gc.get_count()[2] >= count
    finally:
        gc.set_threshold(*before)
