"""Evaluators bound to nodes: our own, anyone's function, and azure-ai-evaluation's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.engines import LineResult, NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EVALUATORS, Evaluation, EvaluatorContext, Evaluators, load_evaluators
from driftgate.flows.line import Call
from driftgate.flows.models import ModelError, Reply, Usage

DAG = """
inputs: {question: {type: string}, choices: {type: list}}
outputs: {answer: {type: string, reference: "${extract.output}"}}
nodes:
- {name: ask, type: python, source: {type: code, path: tools.py}, inputs: {question: "${inputs.question}"}}
- {name: extract, type: python, source: {type: code, path: tools.py}, inputs: {reply: "${ask.output}"}}
"""
OWN = '''
class Closeness:
    """A class with settings, called with what it compares."""

    def __init__(self, tolerance: float = 0.0) -> None:
        self.tolerance = tolerance

    def __call__(self, *, found: str, wanted: str) -> dict:
        return {"close": abs(float(found) - float(wanted)) <= self.tolerance, "said": found}


def exact(*, found, wanted):
    return {"same": found == wanted}


async def waits(*, found):
    return {"length": len(found)}


def raises(*, found):
    raise ZeroDivisionError("own fault")


def odd(*, found):
    return {"nan": float("nan"), "huge": float("inf"), "nothing": None, "label": ["a"], "flag": True}


def number(*, found):
    return 0.5


def repeated(times=1):
    return lambda *, found: {"repeated": found * times}


VALUE = 3
'''
DATA = {"answer": "B", "choices": ["가", "나"], "truth": "서울 부산"}
INPUTS = {"question": "수도는?", "choices": ["가", "나"]}


@pytest.fixture
def flow(tmp_path: Path) -> FlowDefinition:
    """A flow of two nodes, and a module ``own_evaluators`` in its workspace."""
    folder = tmp_path / "flows/two"
    folder.mkdir(parents=True)
    (folder / "flow.dag.yaml").write_text(DAG, encoding="utf-8")
    (tmp_path / "own_evaluators.py").write_text(OWN, encoding="utf-8")
    return load_flow("two", tmp_path)


@pytest.fixture
async def evaluate(flow: FlowDefinition) -> Callable[..., Any]:
    """``evaluate(binding)``: bind one evaluator to ``extract`` as ``it`` and evaluate a line."""

    async def run(binding: dict[str, Any], primary: str = "extract.it.x", **nodes: NodeResult) -> list[Evaluation]:
        write(flow, {"primary": primary, "nodes": {"extract": {"it": binding}}})
        return await load_evaluators(flow).evaluate(DATA, INPUTS, line(**nodes))

    return run


def write(flow: FlowDefinition, value: Any) -> None:
    text = value if isinstance(value, str) else yaml.safe_dump(value, allow_unicode=True)
    (flow.folder / "evaluators.yaml").write_text(text, encoding="utf-8")


def line(**nodes: NodeResult) -> LineResult:
    done = {
        "ask": NodeResult("ask", "completed", {"text": "정답: B", "logprobs": None}, 0.1),
        "extract": NodeResult("extract", "completed", "B", 0.0),
        **nodes,
    }
    return LineResult({"answer": "B"}, done)


async def test_a_built_in_evaluator_by_name(evaluate: Callable[..., Any]) -> None:
    inputs = {"answer": "${nodes.extract.output}", "gold": "${data.answer}"}
    found = await evaluate({"evaluator": "choice", "inputs": inputs}, "extract.it.correct")
    assert {e.key: e.value for e in found}["extract.it.correct"] == 1.0
    assert {e.metric: e.label for e in found}["answer"] == "B"


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        ({"evaluator": "exact", "inputs": {"found": "${nodes.extract.output}", "wanted": "B"}}, {"same": 1.0}),
        ({"evaluator": "exact", "inputs": {"found": "${outputs.answer}", "wanted": "${data.answer}"}}, {"same": 1.0}),
        ({"evaluator": "exact", "inputs": {"found": "${inputs.question}", "wanted": "?"}}, {"same": 0.0}),
        ({"evaluator": "waits", "inputs": {"found": "${data.choices}"}}, {"length": 2.0}),
        (
            {"evaluator": "repeated", "settings": {"times": 3}, "inputs": {"found": 2}},
            {"repeated": 6.0},
        ),
        (
            {"evaluator": "Closeness", "settings": {"tolerance": 0.2}, "inputs": {"found": "1.1", "wanted": "1"}},
            {"close": 1.0, "said": None},
        ),
    ],
)
async def test_anyone_s_function_or_class(
    evaluate: Callable[..., Any], binding: dict[str, Any], expected: dict[str, float | None]
) -> None:
    metric = next(iter(expected))
    found = await evaluate(binding | {"evaluator": f"own_evaluators:{binding['evaluator']}"}, f"extract.it.{metric}")
    assert {e.metric: e.value for e in found} == expected
    assert not any(e.error for e in found)


async def test_azure_ai_evaluation_s_own(evaluate: Callable[..., Any]) -> None:
    binding = {
        "evaluator": "azure.ai.evaluation:F1ScoreEvaluator",
        "inputs": {"response": "서울 대구", "ground_truth": "${data.truth}"},
    }
    found = {e.metric: e for e in await evaluate(binding, "extract.it.f1_score")}
    assert found["f1_score"].value == pytest.approx(0.5)  # one of two words found, one of two right
    assert found["f1_score_result"].label == "pass"


EVALUATION_DAG = """
inputs: {found: {type: string}, wanted: {type: string}}
outputs:
  grade: {type: string, reference: "${compare.output.grade}"}
  why: {type: string, reference: "${compare.output.why}"}
nodes:
- name: compare
  type: python
  source: {type: code, path: compare.py}
  inputs: {found: "${inputs.found}", wanted: "${inputs.wanted}"}
"""
COMPARE = """
from promptflow.core import tool


@tool
def compare(found: str, wanted: str) -> dict:
    if not wanted:
        raise ValueError("nothing to compare with")
    return {"grade": "1" if found == wanted else "0", "why": f"{found} and {wanted}"}
"""


async def test_an_evaluation_flow_s_outputs_are_metrics(flow: FlowDefinition, tmp_path: Path) -> None:
    folder = tmp_path / "evaluators/compare"
    folder.mkdir(parents=True)
    (folder / "flow.dag.yaml").write_text(EVALUATION_DAG, encoding="utf-8")
    (folder / "compare.py").write_text(COMPARE, encoding="utf-8")
    inputs = {"found": "${nodes.extract.output}", "wanted": "${data.answer}"}
    binding = {"evaluator": "flow:evaluators/compare", "inputs": inputs}
    write(flow, {"primary": "extract.it.grade", "nodes": {"extract": {"it": binding}}})
    evaluators = load_evaluators(flow, EvaluatorContext(folder=tmp_path))
    evaluators.open()
    found = {e.metric: e for e in await evaluators.evaluate(DATA, INPUTS, line())}
    assert (found["grade"].value, found["why"].label) == (1.0, "B and B")
    (failed,) = await evaluators.evaluate({**DATA, "answer": ""}, INPUTS, line())
    assert "nothing to compare with" in failed.error
    write(flow, {"primary": "extract.it.grade", "nodes": {"extract": {"it": {**binding, "settings": {"a": 1}}}}})
    with pytest.raises(DriftgateError, match="an evaluation flow has no settings"):
        load_evaluators(flow, EvaluatorContext(folder=tmp_path))
    write(flow, {"primary": "extract.it.grade", "nodes": {"extract": {"it": {**binding, "evaluator": "flow:absent"}}}})
    with pytest.raises(DriftgateError, match="there is no flow 'absent'"):
        load_evaluators(flow, EvaluatorContext(folder=tmp_path))


async def test_an_evaluator_that_raises_costs_no_other_its_metrics(flow: FlowDefinition) -> None:
    raising = {"evaluator": "own_evaluators:raises", "inputs": {"found": "x"}}
    fine = {"evaluator": "own_evaluators:exact", "inputs": {"found": "x", "wanted": "x"}}
    write(flow, {"primary": "extract.fine.same", "nodes": {"extract": {"bad": raising, "fine": fine}}})
    bad, good = await load_evaluators(flow).evaluate(DATA, INPUTS, line())
    assert (bad.evaluator, bad.value, bad.error) == ("bad", None, "ZeroDivisionError: own fault")
    assert (good.key, good.value, good.error) == ("extract.fine.same", 1.0, "")


async def test_what_is_no_finite_number_is_a_label_or_an_error(evaluate: Callable[..., Any]) -> None:
    binding = {"evaluator": "own_evaluators:odd", "inputs": {"found": "x"}}
    found = {e.metric: e for e in await evaluate(binding, "extract.it.flag")}
    assert found["flag"].value == 1.0
    assert found["label"].label == "['a']"
    assert (found["nothing"].value, found["nothing"].label, found["nothing"].error) == (None, "", "")
    assert found["nan"].value is None and "nan" in found["nan"].error
    assert found["huge"].value is None and "inf" in found["huge"].error
    assert all(e.value is None or math.isfinite(e.value) for e in found.values())


async def test_a_result_that_is_no_dict_is_an_error(evaluate: Callable[..., Any]) -> None:
    (found,) = await evaluate({"evaluator": "own_evaluators:number", "inputs": {"found": "x"}})
    assert found.error == "returned float, expected a dict"


async def test_an_input_without_a_value_is_an_error_that_names_it(evaluate: Callable[..., Any]) -> None:
    (found,) = await evaluate(
        {"evaluator": "own_evaluators:exact", "inputs": {"found": "${data.nowhere}", "wanted": "x"}}
    )
    assert found.error == "no value for found"


@pytest.mark.parametrize("status", ["failed", "bypassed"])
async def test_a_node_that_did_not_complete_is_not_evaluated(evaluate: Callable[..., Any], status: Any) -> None:
    binding = {"evaluator": "own_evaluators:exact", "inputs": {"found": "x", "wanted": "x"}}
    assert await evaluate(binding, "extract.it.same", extract=NodeResult("extract", status, None, 0.0)) == []


async def test_a_primary_metric_nobody_returns_gets_the_nearest(evaluate: Callable[..., Any]) -> None:
    inputs = {"answer": "${nodes.extract.output}", "gold": "${data.answer}"}
    with pytest.raises(DriftgateError, match=r"'extract\.it\.corect'.*did you mean 'extract\.it\.correct'"):
        await evaluate({"evaluator": "choice", "inputs": inputs}, "extract.it.corect")


FINE = {"evaluator": "choice", "inputs": {"answer": "x", "gold": "x"}}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"primary": "extrct.it.x", "nodes": {"extrct": {"it": FINE}}}, "node 'extrct'; did you mean 'extract'"),
        ({"primary": "extract.is.x", "nodes": {"extract": {"it": FINE}}}, r"primary is 'extract\.is\.x'; did you mean"),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"evaluator": "chioce"}}}},
            "no evaluator called 'chioce'; did you mean 'choice'",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"evaluator": "no_module:f"}}}},
            "there is no module 'no_module' in .*known: own_evaluators",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"evaluator": "own_evaluators:absent"}}}},
            "absent",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"evaluator": "own_evaluators:VALUE"}}}},
            "'own_evaluators:VALUE'.*called",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"settings": {"tone": 1}}}}},
            "cannot make evaluator 'choice'",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"inputs": {"a": "${nodes.asc.output}"}}}}},
            r"extract\.it: \$\{nodes\.asc\.output\} names nothing in the flow; known: ask, extract|did you mean 'ask'",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"inputs": {"a": "${inputs.qestion}"}}}}},
            "did you mean 'question'",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"inputs": {"a": "${outputs.anser}"}}}}},
            "did you mean 'answer'",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"inputs": {"a": "${date.answer}"}}}}},
            "did you mean 'data'",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"inputs": {"a": "${line.second}"}}}}},
            "did you mean 'seconds'",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": {"evaluator": "fluency", "inputs": {}}}}},
            "an AI-judged evaluator needs a judge",
        ),
        (
            {"primary": "extract.it.x", "nodes": {"extract": {"it": {"evaluator": "violence", "inputs": {}}}}},
            "needs a Foundry project",
        ),
        ({"primary": "extract.it.x", "nodes": {"extract": {"it": FINE | {"input": {}}}}}, "extract.it.input"),
        ({"nodes": {}}, "primary"),
        ("nodes: [", "is not YAML"),
        ("", "evaluators.yaml"),
    ],
)
def test_a_file_that_cannot_work_is_refused(flow: FlowDefinition, config: Any, said: str) -> None:
    write(flow, config)
    with pytest.raises(DriftgateError, match=said) as refused:
        load_evaluators(flow)
    assert "evaluators.yaml" in refused.value.message
    assert refused.value.remedy


def test_a_flow_without_the_file_has_none(flow: FlowDefinition) -> None:
    assert load_evaluators(flow) == Evaluators("", ())


def test_the_shipped_flow_s_evaluators_load(tmp_path: Path) -> None:
    evaluators = load_evaluators(load_flow("multiple_choice", tmp_path))
    assert evaluators.primary == "extract.choice.correct"
    assert [binding.node for binding in evaluators.bindings] == ["render", "ask", "extract"]


@pytest.mark.parametrize("name", EVALUATORS.names())
def test_every_built_in_is_made_without_settings_or_says_what_it_needs(name: str) -> None:
    try:
        assert callable(EVALUATORS.get(name)())
    except DriftgateError as refused:
        assert refused.remedy and ("needs a judge" in refused.message or "needs a Foundry project" in refused.message)


async def test_what_a_line_took_is_an_input(evaluate: Callable[..., Any], flow: FlowDefinition) -> None:
    named = ("seconds", "latency", "input_tokens", "output_tokens", "calls")
    inputs = {name: f"${{line.{name}}}" for name in named}
    binding = {"evaluator": "budget", "settings": {"output_tokens": 5}, "inputs": inputs}
    write(flow, {"primary": "extract.it.within", "nodes": {"extract": {"it": binding}}})
    reply = Reply("정답: B", "stop", Usage(20, 6), 0.25)
    calls = [Call("m", None, ModelError("busy")), Call("m", reply, None)]
    found = await load_evaluators(flow).evaluate(DATA, INPUTS, line(), calls, 0.5)
    assert {e.metric: e.value for e in found} == {
        "seconds": 0.5,
        "latency": 0.25,
        "input_tokens": 20.0,
        "output_tokens": 6.0,
        "calls": 2.0,
        "within": 0.0,
    }
    cached = [Call("m", replace(reply, cached=True), None)]
    (found,) = await load_evaluators(flow).evaluate(DATA, INPUTS, line(), cached, 0.5)
    assert found.error == "no value for latency"


async def test_what_a_node_took_is_an_input(evaluate: Callable[..., Any]) -> None:
    binding = {"evaluator": "budget", "settings": {"seconds": 0.05}, "inputs": {"seconds": "${nodes.ask.seconds}"}}
    found = await evaluate(binding, "extract.it.within")
    assert {e.metric: e.value for e in found} == {"seconds": 0.1, "within": 0.0}


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("choice", {"answer": " b ", "gold": "B"}, {"correct": 1.0, "answer": " b "}),
        ("choice", {"answer": None, "gold": "B"}, {"correct": 0.0, "answer": ""}),
        (
            "contains",
            {"text": "한글", "parts": ["\u1112\u1161\u11ab\u1100\u1173\u11af"]},
            {"share": 1.0, "complete": 1.0},
        ),
        ("length", {"text": ""}, {"characters": 0.0, "within": 0.0}),
    ],
)
def test_built_ins_by_hand(name: str, inputs: dict[str, Any], expected: dict[str, Any]) -> None:
    assert EVALUATORS.get(name)()(**inputs) == expected
