"""Refusals that every sample would meet stop a cell early; defaults that a service refuses are left out and said."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Status, reasoning

from driftgate.benchmarks.asking import ALIKE, AllRefused
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.gate import GateConfig, judge
from driftgate.benchmarks.progress import CellProgress
from driftgate.benchmarks.scores import score_run
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelMisconfigured
from driftgate.ledger import Ledger, cells_of, run_hash

REFUSED = Status(400, {"object": "error", "message": "tool_choice is not supported", "type": "BadRequestError"})
BOOM = Status(500, {"error": {"message": "boom"}})


def right(prompt: str) -> Answer:
    (number,) = re.findall(r"문제 (\d+)번은", prompt)
    return Answer("ABCD"[int(number) % 4])


@pytest.fixture
def bench(endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path, samples: Callable[..., list[Sample]]) -> Bench:
    """A hundred questions, sixty-four at once."""
    endpoint.default = right
    return Bench(endpoint, ledger, tmp_path, samples(100), model={"in_flight": 64})


def signature(bench: Bench) -> str:
    (cell,) = cells_of(bench.ledger, bench.newest().id)
    return cell.signature


async def test_a_reasoning_model_is_asked_without_our_temperature_and_says_so(bench: Bench) -> None:
    run = await bench.run()
    plain = signature(bench)
    bench.endpoint.refuses = reasoning
    run = await bench.run()
    assert run.status == "complete" and set(bench.frame()["outcome"]) == {"answered"}
    assert signature(bench) == f"{plain}|without:temperature"
    note, counted = bench.watcher.ended[-1].notes
    assert "refused before it was known what its service takes" in counted
    assert "asked without the default 'temperature'" in note and "does not support 0 with this model" in note
    (scores,) = score_run(bench.ledger, run.id)
    rule = GateConfig.model_validate({"rules": [{"no_worse_than": "previous", "margin": 0.1}]})
    assert "signature differs in without" in judge(bench.ledger, "g", rule, run.id, [scores]).rules[0].reason


async def test_every_cell_of_the_model_says_so_though_it_is_learnt_once(bench: Bench) -> None:
    bench.endpoint.refuses = reasoning
    bench.suite = {"variants": ["terse", "zero_shot"]}
    run = await bench.run()
    assert [cell.without for cell in cells_of(bench.ledger, run.id)] == [("temperature",)] * 2
    assert len(bench.endpoint.requests) <= 200 + 64


async def test_a_run_that_goes_on_has_the_signature_that_it_began_with(bench: Bench) -> None:
    bench.endpoint.refuses = reasoning
    bench.model = {"in_flight": 2}
    task = asyncio.create_task(bench.run())

    def enough(progress: CellProgress) -> None:
        if progress.done == 5:
            task.cancel()

    bench.watcher.advanced = enough
    with pytest.raises(asyncio.CancelledError):
        await task
    bench.watcher.advanced = lambda progress: None
    began = signature(bench)
    assert began.endswith("|without:temperature")
    run = await bench.run(bench.newest())
    assert run.status == "complete" and signature(bench) == began
    hashed = run_hash(bench.ledger, run.id)
    await bench.run(run)
    assert run_hash(bench.ledger, run.id) == hashed


@pytest.mark.parametrize("refused_first", [True, False])
async def test_one_cell_is_not_asked_in_two_ways(bench: Bench, refused_first: bool) -> None:
    def takes_all(body: Mapping[str, Any]) -> None:
        return None

    bench.model = {"in_flight": 1}
    before, after = (reasoning, takes_all) if refused_first else (takes_all, reasoning)
    bench.endpoint.refuses = before
    bench.suite = {"max_minutes": 1.0 / 60}
    bench.endpoint.default = lambda prompt: Answer(right(prompt).text, seconds=0.2)
    with pytest.raises(DriftgateError, match="minutes is reached"):
        await bench.run()
    began, asked = signature(bench), list(bench.frame()["outcome"])
    bench.endpoint.refuses, bench.suite = after, {}
    with pytest.raises(DriftgateError, match=r"asked with 'temperature' and without it in one cell") as refused:
        await bench.run(bench.newest())
    assert "begin a new run" in refused.value.remedy
    assert signature(bench) == began and list(bench.frame()["outcome"]) == asked


async def test_a_parameter_of_the_user_s_stops_the_run_at_the_first_refusals(bench: Bench) -> None:
    bench.endpoint.refuses = reasoning
    bench.model |= {"parameters": {"temperature": 0, "max_tokens": 5}}
    with pytest.raises(ModelMisconfigured, match="does not take the parameter 'temperature' of model 'm'"):
        await bench.run()
    run = bench.newest()
    assert run.status == "stopped" and "does not support 0 with this model" in run.reason
    assert len(bench.endpoint.requests) <= ALIKE
    bench.endpoint.refuses = lambda body: None
    assert (await bench.run(run)).status == "complete"  # as where the deployment was put right


async def test_a_quota_that_is_spent_stops_the_run_and_it_goes_on_afterwards(bench: Bench) -> None:
    spent = {"message": "You exceeded your current quota.", "type": "insufficient_quota", "code": "insufficient_quota"}
    bench.model |= {"in_flight": 1}
    bench.endpoint.script("문제 40번은", Status(429, {"error": spent}), right("문제 40번은"))
    with pytest.raises(ModelMisconfigured, match=r"quota of model 'm' is spent .*You exceeded"):
        await bench.run()
    assert len(bench.endpoint.requests) == 41
    run = await bench.run(bench.newest())
    assert run.status == "complete" and list(bench.frame()["correct"]) == [1.0] * 100


SPENT = Status(429, {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota"}})


@pytest.mark.parametrize(
    ("step", "error", "words"),
    [
        (SPENT, ModelMisconfigured, "quota of model 'm' is spent"),
        (Status(404, {"error": {"message": "retired"}}), ModelMisconfigured, "'m' is not served"),
        (REFUSED, AllRefused, "20 samples in a row"),
    ],
)
async def test_a_model_that_refuses_all_stops_its_own_cells_only(
    bench: Bench, step: Status, error: type[DriftgateError], words: str
) -> None:
    bench.suite = {"models": ["m", "other"], "variants": ["terse", "zero_shot"]}
    bench.own = {"other": {"model": "gpt-other"}}
    bench.endpoint.refuses = lambda body: step if body["model"] == "gpt-test" else None
    with pytest.raises(error, match=words):
        await bench.run()
    run = bench.newest()
    assert run.status == "stopped" and re.search(words, run.reason)
    cells = [(cell.model, set(bench.frame(n)["outcome"])) for n, cell in enumerate(cells_of(bench.ledger, run.id))]
    assert [found for model, found in cells if model == "other"] == [{"answered"}] * 2
    (stopped,) = [found for model, found in cells if model == "m"]  # its second cell was not begun
    assert stopped <= {"failed", "missing"}
    assert len(bench.endpoint.requests) <= 200 + ALIKE
    bench.endpoint.refuses = lambda body: None
    run = await bench.run(run, retry_failed=True)
    assert run.status == "complete" and len(bench.endpoint.requests) <= 400 + ALIKE


async def test_two_models_that_refuse_all_are_both_named(bench: Bench) -> None:
    bench.suite = {"models": ["m", "other"]}
    bench.endpoint.default = SPENT
    with pytest.raises(ModelMisconfigured, match=r"quota of model 'm' is spent.*quota of model 'other' is spent"):
        await bench.run()


async def test_twenty_refusals_alike_stop_the_run_and_it_goes_on_when_they_are_mended(bench: Bench) -> None:
    bench.endpoint.default = REFUSED
    with pytest.raises(AllRefused, match=r"20 samples in a row were refused alike.*HTTP 400 tool_choice is not"):
        await bench.run()
    run = bench.newest()
    assert run.status == "stopped" and "tool_choice is not supported" in run.reason
    assert len(bench.endpoint.requests) == ALIKE
    assert bench.frame()["outcome"].value_counts().to_dict() == {"missing": 80, "failed": 20}
    bench.endpoint.default = right
    await bench.run(run, retry_failed=True)
    assert list(bench.frame()["correct"]) == [1.0] * 100


async def test_refusals_that_differ_in_the_id_of_their_request_are_alike(bench: Bench) -> None:
    def with_id(prompt: str) -> Status:
        (number,) = re.findall(r"문제 (\d+)번은", prompt)
        return Status(400, {"error": {"message": f"bad tool (request id: 5f0c2a9e-1111-4222-8333-{int(number):012x})"}})

    bench.endpoint.default = with_id
    with pytest.raises(AllRefused, match="bad tool"):
        await bench.run()
    assert len(bench.endpoint.requests) == ALIKE


async def test_refusals_alike_after_answers_stop_it_too(bench: Bench) -> None:
    def until_fifty(prompt: str) -> Any:
        (number,) = re.findall(r"문제 (\d+)번은", prompt)
        return right(prompt) if int(number) < 50 else REFUSED

    bench.model = {"in_flight": 4}
    bench.endpoint.default = until_fifty
    with pytest.raises(AllRefused):
        await bench.run()
    assert 50 + ALIKE <= len(bench.endpoint.requests) <= 50 + ALIKE + 2 * 4  # an answer may be recorded late
    assert list(bench.frame()["outcome"][:50]) == ["answered"] * 50


def own_words(prompt: str) -> Status:
    (number,) = re.findall(r"문제 (\d+)번은", prompt)
    return Status(400, {"error": {"message": f"question {number} is too long"}})


@pytest.mark.parametrize(
    "step",
    [own_words, BOOM, Status(400, AZURE_FILTERED), Answer("모름"), Status(200, b"<html>")],
    ids=["own words", "outage", "filtered", "unparsed", "garbage"],
)
async def test_what_is_each_sample_s_own_concern_or_passes_stops_nothing(bench: Bench, step: Any) -> None:
    bench.model |= {"attempts": 1}
    bench.endpoint.default = step
    assert (await bench.run()).status == "complete"
    assert "missing" not in set(bench.frame()["outcome"])


async def test_an_answer_between_refusals_is_a_sign_of_life(bench: Bench) -> None:
    def every_tenth(prompt: str) -> Any:
        (number,) = re.findall(r"문제 (\d+)번은", prompt)
        return right(prompt) if int(number) % 10 == 0 else REFUSED

    bench.model = {"in_flight": 1}
    bench.endpoint.default = every_tenth
    assert (await bench.run()).status == "complete"
    assert bench.frame()["outcome"].value_counts().to_dict() == {"failed": 90, "answered": 10}


async def test_fewer_samples_than_that_are_all_asked(bench: Bench) -> None:
    bench.samples = bench.samples[:19]
    bench.endpoint.default = REFUSED
    assert (await bench.run()).status == "complete"
    assert set(bench.frame()["error"]) == {"m: HTTP 400 tool_choice is not supported"}


DAG = """
inputs: {question: {type: string}, choices: {type: list}}
outputs: {answer: {type: string, reference: "${say.output}"}}
nodes:
- {name: say, type: python, source: {type: code, path: say.py}, inputs: {question: "${inputs.question}"}}
"""
EVALUATORS = """
primary: say.it.match
nodes: {say: {it: {evaluator: exact_match,
  inputs: {response: "${nodes.say.output}", ground_truth: "${data.answer}"}}}}
"""


@pytest.mark.parametrize("body", ["raise KeyError('settings')", "return 'A'"])
async def test_a_flow_that_fails_by_itself_is_taken_through_every_sample(bench: Bench, body: str) -> None:
    folder = bench.folder / "flows/own"
    folder.mkdir(parents=True)
    (folder / "flow.dag.yaml").write_text(DAG, encoding="utf-8")
    (folder / "evaluators.yaml").write_text(EVALUATORS, encoding="utf-8")
    imports = "from promptflow.core import tool\n\nfrom driftgate.flows.line import ask\n"
    code = f"@tool\nasync def say(question: str) -> str:\n    await ask(question)\n    {body}\n"
    (folder / "say.py").write_text(f"{imports}\n\n{code}", encoding="utf-8")
    bench.suite = {"flow": "own", "variants": []}
    assert (await bench.run()).status == "complete"
    assert "missing" not in set(bench.frame()["outcome"])
