"""Whoever's evaluator takes a judge goes through the same pin, deadline, limit and cost; keys only by reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint

from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import Binding, EvaluatorContext, JudgedEvaluator, NoGrade, load_evaluators
from driftgate.flows.models import parse_config

OWN = """
import asyncio


class Tone:
    def __init__(self, model_config, threshold=3):
        self.config = model_config

    async def __call__(self, *, response):
        await asyncio.sleep(0.05 if "slow" not in response else 5)
        return {"tone": 4, "asked": self.config["model"]}


def tone(judge, factor=1):
    return lambda response: {"tone": factor * len(judge["model"])}


def grade(response, model_config, factor=1):
    return {"grade": factor * 2, "asked": model_config["model"], "text": response}


async def grade_later(*, response, model_config):
    return {"grade_later": 3, "asked": model_config["model"]}


def plain(judge="nobody"):
    return lambda response: {"length": len(response) + len(judge)}
"""


@pytest.fixture
def bind(endpoint: ChatEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Binding]:
    """``bind(evaluator, **settings)``: the binding in a workspace whose model ``j`` is the endpoint."""
    monkeypatch.setenv("JUDGE_KEY", "k-77aa-of-judge")
    endpoint.key = "k-77aa-of-judge"
    endpoint.default = Answer('```json\n{"점수": 4, "이유": "자연스럽다"}\n```', tokens=(100, 10))
    model = {
        "provider": "openai",
        "endpoint": f"{endpoint.url}/v1",
        "model": "judge-1",
        "api_key": "${env:JUDGE_KEY}",
        "prices": {"input": 1.0, "output": 1.0},
    }
    folder = tmp_path / "flows/mine"
    folder.mkdir(parents=True)
    (tmp_path / "own_judges.py").write_text(OWN, encoding="utf-8")
    dag = (Path(load_flow("chat", tmp_path).folder) / "flow.dag.yaml").read_text(encoding="utf-8")
    (folder / "flow.dag.yaml").write_text(dag, encoding="utf-8")

    def make(evaluator: str, inputs: Any = None, **settings: Any) -> Binding:
        bound = {
            "evaluator": evaluator,
            "settings": settings,
            "inputs": inputs or {"response": "${nodes.reply.output}"},
        }
        given = {"primary": "reply.it.x", "nodes": {"reply": {"it": bound}}}
        (folder / "evaluators.yaml").write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
        context = EvaluatorContext({"j": parse_config(model)}, tmp_path)
        (binding,) = load_evaluators(load_flow("mine", tmp_path), context).bindings
        return binding

    return make


@pytest.mark.parametrize(
    "given",
    [{"judge": "j"}, {"model_config": "j"}, {"model_config": {"api_key": "${env:JUDGE_KEY}", "model": "judge-1"}}],
    ids=["judge", "name", "config"],
)
async def test_a_class_of_azure_ai_evaluation_is_the_built_in_evaluator(
    bind: Callable[..., Binding], endpoint: ChatEndpoint, given: dict[str, Any]
) -> None:
    if isinstance(given.get("model_config"), dict):
        given = {"model_config": {**given["model_config"], "base_url": f"{endpoint.url}/v1", "type": "openai"}}
    bound = bind("azure.ai.evaluation:FluencyEvaluator", threshold=4, **given)
    assert isinstance(bound.call, JudgedEvaluator) and bound.asks
    assert bound.call.pin_id == bind("fluency", judge="j").call.pin_id  # type: ignore[attr-defined]
    bound.call.open()
    found = await bound.call(response="서울입니다.")
    assert (found["fluency"], found["passed"], found["reason"]) == (4.0, 1.0, "자연스럽다")
    assert (found["input_tokens"], "k-77aa" in str(bound.call.pin)) == (100.0, False)


async def test_another_class_of_azure_ai_evaluation_has_pin_cost_and_deadline(
    bind: Callable[..., Binding], endpoint: ChatEndpoint
) -> None:
    endpoint.default = Answer('{"reason": "r", "score": 4, "status": "completed"}', tokens=(100, 10))
    inputs = {"query": "질문", "response": "${nodes.reply.output}", "context": "자료", "ground_truth": "서울"}
    bound = bind("azure.ai.evaluation:QAEvaluator", inputs, judge="j", deadline=30.0)
    assert isinstance(bound.call, JudgedEvaluator) and bound.call.deadline == 30.0
    assert bound.call.pin["evaluator"] == "azure.ai.evaluation:QAEvaluator" and bound.call.metrics is None
    found = await bound.call(query="질문", response="서울입니다.", context="자료", ground_truth="서울")
    assert (found["relevance"], found["fluency"]) == (4.0, 4.0)
    assert "cost" in found


async def test_a_function_or_class_of_the_workspace_is_told_its_judge(bind: Callable[..., Binding]) -> None:
    made = bind("own_judges:Tone", judge="j", deadline=0.5)
    assert isinstance(made.call, JudgedEvaluator) and made.call.kind.inputs == ("response",)
    found = await made.call(response="네")
    assert (found["tone"], found["passed"], found["asked"]) == (4.0, 1.0, "judge-1")
    assert found["cost"] is None  # it asks by itself, if at all
    with pytest.raises(NoGrade, match=r"the judge 'j' gave no grade within 0\.5 s"):
        await made.call(response="slow")
    other = bind("own_judges:tone", judge="j", factor=0.5)
    assert (await other.call(response="네"))["tone"] == 3.5
    assert made.call.pin_id != other.call.pin_id  # type: ignore[attr-defined]


def test_a_setting_that_only_happens_to_be_called_judge_stays_what_it_is(bind: Callable[..., Binding]) -> None:
    bound = bind("own_judges:plain", judge="somebody else")
    assert not isinstance(bound.call, JudgedEvaluator) and bound.call("가나") == {"length": 15}


@pytest.mark.parametrize(
    ("evaluator", "settings"),
    [
        ("azure.ai.evaluation:FluencyEvaluator", {"model_config": {"api_key": "sk-written-out-1", "model": "m"}}),
        ("azure.ai.evaluation:QAEvaluator", {"model_config": {"api_key": "sk-written-out-1", "model": "m"}}),
        ("own_judges:Tone", {"model_config": {"model": "m", "azure_ad_token": "sk-written-out-1"}}),
        ("own_judges:Tone", {"api_key": "sk-written-out-1"}),
        ("fluency", {"judge": "j", "api_key": "sk-written-out-1"}),
    ],
)
def test_a_key_that_is_written_out_is_refused_and_not_repeated(
    bind: Callable[..., Binding], evaluator: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(DriftgateError, match=r"is written out in settings; a secret does not belong") as refused:
        bind(evaluator, **settings)
    assert "sk-written-out" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"judge": "jj"}, "no model 'jj' to be the judge; did you mean 'j'"),
        ({"model_config": {"model": "m"}}, "names no address"),
        ({"model_config": {"base_url": "http://127.0.0.1:1"}}, "names no model"),
    ],
)
def test_a_judge_that_cannot_be_is_refused(bind: Callable[..., Binding], settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DriftgateError, match=said):
        bind("azure.ai.evaluation:FluencyEvaluator", **settings)


def test_a_judge_that_is_not_given_what_it_grades_is_refused(bind: Callable[..., Binding]) -> None:
    with pytest.raises(DriftgateError, match="'relevance' takes 'query', which its binding does not give"):
        bind("relevance", judge="j")


@pytest.mark.parametrize("name", ["grade", "grade_later"])
async def test_a_function_that_takes_its_judge_beside_the_text_is_given_both(
    bind: Callable[..., Binding], name: str
) -> None:
    settings = {"judge": "j", **({"factor": 2} if name == "grade" else {})}
    binding = bind(f"own_judges:{name}", **settings)
    assert isinstance(binding.call, JudgedEvaluator) and binding.call.kind.inputs == ("response",)
    found = await binding.call(response="네, 그렇습니다.")
    assert (found[name], found["asked"]) == ({"grade": 4.0, "grade_later": 3.0}[name], "judge-1")
    with pytest.raises(DriftgateError, match="takes 'response', which its binding does not give"):
        bind(f"own_judges:{name}", {"query": "?"}, judge="j")


FLOW = """
inputs: {response: {type: string}, model_config: {type: object, default: {}}}
outputs: {grade: {type: string, reference: "${grade.output}"}}
nodes:
- {name: grade, type: python, source: {type: code, path: grade.py}, inputs: {response: "${inputs.response}"}}
"""
FLEX = """
class Grader:
    def __init__(self, %s):
        self.judge = None

    def __call__(self, response: str) -> str:
        return "3"
"""


@pytest.mark.parametrize("told", ["judge", "model_config"])
@pytest.mark.parametrize("kind", ["dag", "flex"])
def test_an_evaluation_flow_that_is_told_a_judge_is_refused_with_what_to_do(
    bind: Callable[..., Binding], tmp_path: Path, kind: str, told: str
) -> None:
    folder = tmp_path / "evals/graded"
    folder.mkdir(parents=True)
    if kind == "dag":
        (folder / "flow.dag.yaml").write_text(FLOW, encoding="utf-8")
        (folder / "grade.py").write_text("from promptflow.core import tool\n@tool\ndef g(response: str): return 1\n")
    else:
        taken = "judge: str" if told == "judge" else "factor: int = 1"
        (folder / "flow.flex.yaml").write_text("entry: grade:Grader\n", encoding="utf-8")
        (folder / "grade.py").write_text(FLEX % taken, encoding="utf-8")
    with pytest.raises(DriftgateError) as refused:
        bind("flow:evals/graded", **{told: "j"})
    assert "no pin, no deadline and no price" in refused.value.message
    assert "module:name" in refused.value.remedy
