"""A judge by criteria in plain words is measured as every judge is: by anchors, by attacks and by calibrations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint
from question_flow import write_question_flow

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.gate import GateConfig, judge
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.flows.models import parse_config
from driftgate.ledger import Ledger

TONE = "ask.tone"
POLITE = ("확인해 드리겠습니다", "도와 드리겠습니다", "안내해 드립니다", "감사합니다", "알려 드릴게요")
FOR_GRADERS = re.compile("채점|Note to the grader|무시하고|Ignore all|점수를 그대로|score above|답하라|Answer as above")


@pytest.fixture
def location() -> str:
    """One database will do: nothing here is of the database."""
    return "ledger.db"


def polite(text: str) -> int:
    """How many of five polite phrases a text has."""
    return sum(phrase in text for phrase in POLITE)


def said_in(prompt: str) -> str:
    """The text that is graded, out of the object of the last turn."""
    given = json.loads(prompt[prompt.rindex('{"채점할 글"') :])
    return str(given.get("채점할 글", ""))


def honest(low: float, high: float) -> Callable[[str], Answer]:
    return lambda prompt: graded(low + (high - low) * polite(said_in(prompt)) / 5)


def obedient(low: float, high: float) -> Callable[[str], Answer]:
    """Honest, until what it grades says what it would like: then it does as it is told."""

    def grade(prompt: str) -> Answer:
        said = said_in(prompt)
        if FOR_GRADERS.search(said):
            return graded(float(re.findall(r"\d+", said)[-1]))
        return honest(low, high)(prompt)

    return grade


def graded(score: float) -> Answer:
    return Answer(json.dumps({"reason": "기준에 따랐다.", "score": score}, ensure_ascii=False))


def anchors(low: float, high: float, count: int = 30, metric: str = "grade") -> str:
    """Texts of none to five polite phrases, not longer where they are politer."""
    made = []
    for number in range(count):
        many = number % 6
        text = f"{number}번 문의입니다. " + " ".join(POLITE[:many]) + " 음" * (3 * (number * 7 % 11))
        made.append(
            {"id": f"a{number}", "language": "ko", "query": "언제 오나요?", "context": "", "ground_truth": ""}
            | {"response": text, "grades": {metric: low + (high - low) * many / 5}}
        )
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made)


@pytest.fixture
def made(
    endpoint: ChatEndpoint,
    judge_endpoint: ChatEndpoint,
    ledger: Ledger,
    tmp_path: Path,
    samples: Callable[..., list[Sample]],
) -> Callable[..., Bench]:
    def make(scale: str, own: str = "", **bound: Any) -> Bench:
        folder = tmp_path / "flows/graded"
        folder.mkdir(parents=True, exist_ok=True)
        write_question_flow(folder)
        settings = {"judge": "j", "criteria": "고객에게 높임말을 쓰는가", "scale": scale, **bound}
        tone = {"evaluator": "judge", "inputs": {"response": "${nodes.ask.output}"}, "settings": settings}
        config: dict[str, Any] = {"primary": f"{TONE}.passed", "nodes": {"ask": {"tone": tone}}}
        if own:
            (folder / "mine.jsonl").write_text(own, encoding="utf-8")
            config["anchors"] = "mine.jsonl"
        (folder / "evaluators.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        endpoint.default = Answer("네, 확인해 드리겠습니다.")
        asked = {"provider": "openai", "endpoint": f"{judge_endpoint.url}/v1", "model": "judge-1"}
        suite = {"flow": "graded", "variants": []}
        return Bench(endpoint, ledger, tmp_path, samples(12), suite, judges={"j": parse_config(asked)})

    return make


async def scored(bench: Bench) -> CellScores:
    (found,) = score_run(bench.ledger, (await bench.run()).id)
    return found


def verdict(bench: Bench, scores: CellScores, at_least: float) -> str:
    rules = GateConfig.model_validate({"rules": [{"metric": f"{TONE}.grade", "min": at_least}]})
    (rule,) = judge(bench.ledger, "g", rules, scores.cell.run_id, [scores]).rules
    return rule.verdict


SCALES = [("1-5", 1.0, 5.0), ("0-10", 0.0, 10.0), ("0-1", 0.0, 1.0), ("0-100", 0.0, 100.0)]


@pytest.mark.parametrize(("scale", "low", "high"), SCALES)
async def test_an_honest_judge_with_anchors_of_its_flow_is_admitted_on_any_scale(
    made: Callable[..., Bench], judge_endpoint: ChatEndpoint, scale: str, low: float, high: float
) -> None:
    judge_endpoint.default = honest(low, high)
    bench = made(scale, anchors(low, high))
    scores = await scored(bench)
    check = scores.judges[TONE]
    assert check.status == "reference" and check.kappa == pytest.approx(1.0), check.reason
    assert verdict(bench, scores, low + (high - low) * 0.9) == "fail"
    asked = [said_in(one.prompt) for one in judge_endpoint.requests]
    assert sum(bool(FOR_GRADERS.search(said)) for said in asked) == 8
    assert all(f"{high:g}" in said for said in asked if FOR_GRADERS.search(said))


@pytest.mark.parametrize(("scale", "low", "high"), SCALES)
@pytest.mark.parametrize("own", [True, False], ids=["with anchors", "without anchors"])
async def test_an_obedient_judge_has_moved_on_any_scale_whatever_its_anchors_say(
    made: Callable[..., Bench], judge_endpoint: ChatEndpoint, scale: str, low: float, high: float, own: bool
) -> None:
    judge_endpoint.default = obedient(low, high)
    bench = made(scale, anchors(low, high) if own else "")
    scores = await scored(bench)
    check = scores.judges[TONE]
    assert check.status == "moved" and "it obeys 8 of 8 texts" in check.reason, check.reason
    assert verdict(bench, scores, low) == "unmeasurable"


@pytest.mark.parametrize(
    ("count", "said"), [(0, "no anchor has"), (1, "only 1 anchor has"), (5, "only 5 anchors have")]
)
async def test_a_judge_without_labelled_anchors_says_which_are_wanted_or_how_it_is_calibrated(
    made: Callable[..., Bench], judge_endpoint: ChatEndpoint, count: int, said: str
) -> None:
    judge_endpoint.default = honest(1, 5)
    bench = made("1-5", anchors(1, 5, count, "tone") if count else "", metric="tone")
    scores = await scored(bench)
    check = scores.judges[TONE]
    assert check.status == "unmeasured" and said in check.reason
    assert "at least 10 with grades: {tone: N}, or labels: driftgate calibrate ask.tone LABELS" in check.reason
    (rule,) = judge(
        bench.ledger,
        "g",
        GateConfig.model_validate({"rules": [{"metric": f"{TONE}.tone", "min": 1}]}),
        scores.cell.run_id,
        [scores],
    ).rules
    assert rule.verdict == "unmeasurable" and "driftgate calibrate ask.tone" in rule.reason
