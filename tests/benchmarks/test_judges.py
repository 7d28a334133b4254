"""Judged scores in a run, and judges that are noticed from their anchors alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint, Status
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import Judge, agreeing, by_length, careful, generous, hashing, strict, wavering

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.gate import GateConfig, judge
from driftgate.benchmarks.judges import ALPHA, check_judges, compare_grades, sign_flip
from driftgate.benchmarks.scores import score_run
from driftgate.benchmarks.spending import LimitReached
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import known_grades
from driftgate.flows.evaluators._anchors import SHIPPED, load_anchors, load_attacks
from driftgate.flows.models import ModelMisconfigured, parse_config
from driftgate.ledger import Ledger, add_calibration, anchor_grades_of, cells_of, evaluation_means

DAG = """
inputs: {question: {type: string}, choices: {type: list}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: python, source: {type: code, path: ask.py}, inputs: {question: "${inputs.question}"}}
"""
TOOL = """
from promptflow.core import tool

from driftgate.flows.line import ask as ask_model


@tool
async def ask(question: str) -> str:
    return (await ask_model(question)).text
"""
EVALUATORS_YAML: dict[str, Any] = {
    "primary": "ask.right.match",
    "nodes": {
        "ask": {
            "right": {
                "evaluator": "exact_match",
                "inputs": {"response": "${nodes.ask.output}", "ground_truth": "${data.answer}"},
            },
            "like": {
                "evaluator": "similarity",
                "inputs": {
                    "query": "${data.question}",
                    "response": "${nodes.ask.output}",
                    "ground_truth": "${data.answer}",
                },
                "settings": {"judge": "j"},
            },
        }
    },
}
ATTACKED = sum("similarity" in one.grades for one in load_attacks())
GRADED = len(load_anchors(SHIPPED)) + ATTACKED
"""Texts that a judge is asked in a run beside what it is there for."""


@pytest.fixture
def bench(
    endpoint: ChatEndpoint,
    judge_endpoint: ChatEndpoint,
    ledger: Ledger,
    tmp_path: Path,
    samples: Callable[..., list[Sample]],
) -> Bench:
    """Four questions through a flow of one node, whose answers a judge grades."""
    judge_endpoint.default = careful
    folder = tmp_path / "flows/graded"
    folder.mkdir(parents=True)
    (folder / "flow.dag.yaml").write_text(DAG, encoding="utf-8")
    (folder / "ask.py").write_text(TOOL, encoding="utf-8")
    write(tmp_path, EVALUATORS_YAML)
    endpoint.default = Answer("정답은 서울입니다.")
    config = {"provider": "openai", "endpoint": f"{judge_endpoint.url}/v1", "model": "judge-1"}
    suite = {"flow": "graded", "variants": []}
    return Bench(endpoint, ledger, tmp_path, samples(4), suite, judges={"j": parse_config(config)})


def write(folder: Path, config: Any) -> None:
    (folder / "flows/graded/evaluators.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


async def test_judged_scores_land_per_node_and_a_swapped_judge_is_noticed_from_its_anchors(
    bench: Bench, judge_endpoint: ChatEndpoint
) -> None:
    first = await bench.run()
    (scores,) = score_run(bench.ledger, first.id)
    row = scores.get("ask.like.similarity")
    assert row is not None and (row.value, row.n) == (2.0, 4)
    assert "|judges:ask.like:" in scores.cell.signature
    assert scores.cell.details["judges"]["ask.like"]["pin"]["judge"]["model"] == "judge-1"
    assert scores.judges["ask.like"].status == "reference"
    assert scores.doubt("ask.like.similarity") == ""
    assert len(anchor_grades_of(bench.ledger, first.id)) == GRADED

    (same,) = score_run(bench.ledger, (await bench.run()).id)
    assert same.judges["ask.like"].status == "steady"

    judge_endpoint.default = generous
    (moved,) = score_run(bench.ledger, (await bench.run()).id)
    check = moved.judges["ask.like"]
    assert check.status == "moved" and check.p is not None and check.p < ALPHA
    assert "judge moved" in moved.doubt("ask.like.similarity") and moved.doubt("accuracy") == ""
    assert moved.cell.signature == scores.cell.signature  # nothing but the anchors could tell

    rules = GateConfig.model_validate({"rules": [{"metric": "ask.like.similarity", "min": 1.5}]})
    before = judge(bench.ledger, "g", rules, first.id, [scores])
    after = judge(bench.ledger, "g", rules, moved.cell.run_id, [moved])
    assert before.verdict != "unmeasurable" and after.verdict == "unmeasurable"
    assert "judge moved" in after.rules[0].reason


async def test_a_judge_declares_the_scale_of_its_grades(bench: Bench) -> None:
    """All alike at 2 of 1 to 5, the four grades are decided by the scale's lower end: 1 / (1 + 0.8 / 0.2) each."""
    run = await bench.run()
    scored = score_run(bench.ledger, run.id)
    rules = [{"metric": "ask.like.similarity", "min": 1.2}, {"metric": "ask.like.similarity", "min": 1.8}]
    sure, open_ = judge(bench.ledger, "g", GateConfig.model_validate({"rules": rules}), run.id, scored).rules
    assert (sure.verdict, sure.p_pass) == ("pass", pytest.approx(0.2**4))
    assert (open_.verdict, open_.p_pass) == ("inconclusive", pytest.approx(0.8**4))


def price(bench: Bench, **prices: Any) -> None:
    """Give the judge prices: 0.0021 a grade."""
    priced = bench.judges["j"].model_dump(mode="json") | {"prices": {"input": 2.0, "output": 10.0, **prices}}
    bench.judges = {"j": parse_config(priced)}


@pytest.mark.parametrize("currency", ["USD", "KRW"])
async def test_judges_count_towards_the_limit_on_cost(bench: Bench, currency: str) -> None:
    price(bench, currency=currency)
    spent_on_anchors = 0.0021 * GRADED
    bench.suite |= {"max_cost": spent_on_anchors + 0.004}
    bench.model = {"in_flight": 1, "prices": {"input": 0.0, "output": 0.0}}
    with pytest.raises(LimitReached, match=r"the limit of 0\.0754 on cost is reached \(0\.0756 spent\)"):
        await bench.run()
    assert (bench.frame()["outcome"] != "missing").sum() == 2


@pytest.mark.parametrize(
    ("model", "judge", "said"),
    [
        ({"input": 1.0, "output": 1.0}, {"currency": "KRW"}, "several currencies"),
        ({"input": 1.0, "output": 1.0}, {"output": None}, "the judge 'j' has no price of output tokens"),
        ({}, {}, "model 'm' has no price of input and output tokens"),
    ],
)
async def test_a_limit_on_cost_that_no_price_can_keep_is_refused_before_anything_is_asked(
    bench: Bench, judge_endpoint: ChatEndpoint, model: Any, judge: Any, said: str
) -> None:
    price(bench, **judge)
    bench.suite |= {"max_cost": 5.0}
    bench.model = {"prices": model}
    with pytest.raises(DriftgateError, match=said):
        await bench.run()
    assert not bench.endpoint.requests and not judge_endpoint.requests


async def test_a_judge_that_does_not_count_its_tokens_costs_nobody_knows_what(
    bench: Bench, judge_endpoint: ChatEndpoint
) -> None:
    price(bench)
    judge_endpoint.default = lambda prompt: replace(careful(prompt), tokens=None)
    run = await bench.run()
    (scores,) = score_run(bench.ledger, run.id)
    assert {row.metric for row in scores.rows if row.metric.startswith("ask.like.")} == {
        "ask.like.similarity",
        "ask.like.passed",
        "ask.like.read",
        "ask.like.reasked",
    }
    assert bench.watcher.ended[-1].cost is None
    bench.suite |= {"max_cost": 5.0}
    bench.model = {"prices": {"input": 0.0, "output": 0.0}}
    with pytest.raises(LimitReached, match="cannot be kept: it is not known what a judge's grade of an anchor cost"):
        await bench.run()
    assert len(bench.endpoint.requests) == 4  # of the first run


async def test_anchors_are_graded_once_a_run_and_again_in_the_next(bench: Bench, judge_endpoint: ChatEndpoint) -> None:
    run = await bench.run()
    asked = len(judge_endpoint.requests)
    assert asked == GRADED + 4
    assert f"the judges' {GRADED} anchors and attacks took" in " ".join(bench.watcher.ended[-1].notes)
    await bench.run(run)
    assert len(judge_endpoint.requests) == asked
    await bench.run()
    assert len(judge_endpoint.requests) == 2 * asked


async def test_a_judge_that_is_down_costs_its_grades_and_no_answers(bench: Bench, judge_endpoint: ChatEndpoint) -> None:
    judge_endpoint.default = Status(401, {"error": {"message": "bad key"}})
    run = await bench.run()
    (scores,) = score_run(bench.ledger, run.id)
    assert run.status == "complete" and scores.outcomes["answered"] == 4
    check = scores.judges["ask.like"]
    assert (check.status, check.n, check.errors) == ("unmeasured", 0, 24)
    assert "bad key" in scores.doubt("ask.like.similarity")
    (failed,) = [m for m in evaluation_means(bench.ledger, scores.cell.id) if m["evaluator"] == "like"]
    assert (failed["n"], failed["errors"]) == (0, 4)


async def test_a_judge_that_redirects_ends_the_run_before_a_model_is_asked(
    bench: Bench, judge_endpoint: ChatEndpoint
) -> None:
    judge_endpoint.default = Status(
        307, b"", {"Location": f"http://localhost:{bench.endpoint.port}/v1/chat/completions"}
    )
    with pytest.raises(ModelMisconfigured, match=r"model 'j' is redirected from 127\.0\.0\.1 to localhost"):
        await bench.run()
    assert not bench.endpoint.requests
    judge_endpoint.default = careful
    assert (await bench.run(bench.newest())).status == "complete"


async def test_a_judge_that_begins_to_redirect_ends_the_run(bench: Bench, judge_endpoint: ChatEndpoint) -> None:
    cut = Status(308, b"", {"Location": "http://elsewhere.example/x"})
    anchors = GRADED
    judge_endpoint.default = lambda prompt: cut if len(judge_endpoint.requests) > anchors else careful(prompt)
    with pytest.raises(ModelMisconfigured, match=r"redirected from .* to elsewhere\.example"):
        await bench.run()
    assert bench.newest().status == "stopped"


async def test_where_a_judge_decides_what_is_correct_accuracy_is_doubtful_too(
    bench: Bench, judge_endpoint: ChatEndpoint
) -> None:
    write(bench.folder, {**EVALUATORS_YAML, "primary": "ask.like.passed"})
    await bench.run()
    judge_endpoint.default = generous
    (scores,) = score_run(bench.ledger, (await bench.run()).id)
    assert "judge moved" in scores.doubt("accuracy") and "judge moved" in scores.doubt("accuracy_macro")
    assert scores.doubt("latency_p95") == ""


async def test_a_flow_may_bring_its_own_anchors(bench: Bench) -> None:
    own = "\n".join(a.model_dump_json() for a in load_anchors(SHIPPED)[:12])
    (bench.folder / "flows/graded/mine.jsonl").write_text(own, encoding="utf-8")
    write(bench.folder, {**EVALUATORS_YAML, "anchors": "mine.jsonl"})
    run = await bench.run()
    assert len(anchor_grades_of(bench.ledger, run.id)) == 12 + ATTACKED
    write(bench.folder, {**EVALUATORS_YAML, "anchors": "../../../mine.jsonl"})
    with pytest.raises(Exception, match="outside the flow's folder"):
        await bench.run()


async def test_a_run_without_a_judge_has_none(bench: Bench) -> None:
    plain = {"primary": "ask.right.match", "nodes": {"ask": {"right": EVALUATORS_YAML["nodes"]["ask"]["right"]}}}
    write(bench.folder, plain)
    run = await bench.run()
    (cell,) = cells_of(bench.ledger, run.id)
    assert check_judges(bench.ledger, cell) == {} and "judges" not in cell.details
    assert "judges" not in cell.signature


def always(grade: int) -> Judge:
    """A judge that reads nothing."""
    return lambda prompt: Answer(json.dumps({"reason": "", "score": grade, "status": "completed"}), tokens=(9, 3))


@pytest.mark.parametrize(
    ("no_judge", "why"),
    [
        (always(5), "it always grades 5"),
        (strict, "it always grades 1"),
        (hashing, "it agrees with people too little"),
        (by_length, "it "),  # which of the reasons its steps decide
    ],
)
async def test_what_is_no_judge_decides_nothing_whatever_it_says(
    bench: Bench, judge_endpoint: ChatEndpoint, no_judge: Judge, why: str
) -> None:
    """Limits on both sides, which one of them would pass or fail."""
    judge_endpoint.default = no_judge
    (scores,) = score_run(bench.ledger, (await bench.run()).id)
    check = scores.judges["ask.like"]
    assert check.doubtful and check.kappa is not None and check.wanted is not None
    rules = [{"metric": f"ask.like.{name}", side: 0.5} for name in ("passed", "similarity") for side in ("min", "max")]
    verdict = judge(bench.ledger, "g", GateConfig.model_validate({"rules": rules}), scores.cell.run_id, [scores])
    assert (verdict.verdict, verdict.exit_code) == ("unmeasurable", 4)
    assert {rule.verdict for rule in verdict.rules} == {"unmeasurable"}
    said = verdict.rules[0].reason
    assert f"judge unvalidated: {why}" in said and f"at least {check.wanted:.2f} is wanted" in said
    assert f"weighted kappa {check.kappa:.2f} ({check.low:.2f} to {check.high:.2f})" in said
    assert "with 24 anchors a judge of true kappa 0.7 is admitted in" in check.told


async def test_a_judge_that_agrees_with_people_decides_and_says_how_well(
    bench: Bench, judge_endpoint: ChatEndpoint
) -> None:
    judge_endpoint.default = agreeing("similarity")
    (scores,) = score_run(bench.ledger, (await bench.run()).id)
    check = scores.judges["ask.like"]
    assert check.status == "reference" and check.kappa == 1.0 and scores.doubt("ask.like.passed") == ""
    assert "it agrees with people: weighted kappa 1.00" in check.reason
    assert "a shift of a third of a grade is seen in" in check.power and "90 anchors would do" in check.power


async def test_an_evaluator_without_labelled_anchors_says_what_it_needs(bench: Bench) -> None:
    own = "\n".join(
        a.model_copy(update={"grades": {"fluency": 3.0}}).model_dump_json() for a in load_anchors(SHIPPED)[:12]
    )
    (bench.folder / "flows/graded/mine.jsonl").write_text(own, encoding="utf-8")
    write(bench.folder, {**EVALUATORS_YAML, "anchors": "mine.jsonl"})
    (scores,) = score_run(bench.ledger, (await bench.run()).id)
    assert "no anchor has a grade by people for it" in scores.doubt("ask.like.similarity")
    pin = scores.cell.details["judges"]["ask.like"]["pin_id"]
    agreed = {"kappa": 0.8, "low": 0.7, "high": 0.9, "n": 60}
    add_calibration(bench.ledger, "ask.like", pin, {"agreement": agreed, "unvalidated": "", "wanted": 0.4})
    (scores,) = score_run(bench.ledger, scores.cell.run_id)
    assert scores.doubt("ask.like.similarity") == ""
    assert "weighted kappa 0.80 (0.70 to 0.90) on 60 texts" in scores.judges["ask.like"].reason
    add_calibration(bench.ledger, "ask.like", pin, {"agreement": agreed, "unvalidated": "it always grades 5"})
    (scores,) = score_run(bench.ledger, scores.cell.run_id)
    assert "it always grades 5" in scores.doubt("ask.like.similarity")  # the newest word counts


async def test_of_many_anchors_a_run_grades_as_many_as_are_asked_for_and_always_the_same(bench: Bench) -> None:
    own = "\n".join(
        a.model_copy(update={"id": f"{a.id}-{k}"}).model_dump_json() for a in load_anchors(SHIPPED) for k in range(13)
    )
    (bench.folder / "flows/graded/mine.jsonl").write_text(own, encoding="utf-8")
    config = {**EVALUATORS_YAML, "anchors": "mine.jsonl", "anchors_sample": 40, "anchors_seed": 3}
    write(bench.folder, config)
    first, second = await bench.run(), await bench.run()
    items = [{row.item for row in anchor_grades_of(bench.ledger, run.id)} for run in (first, second)]
    assert items[0] == items[1] and len(items[0]) == 40 + ATTACKED
    (scores,) = score_run(bench.ledger, second.id)
    assert scores.judges["ask.like"].n == 40
    write(bench.folder, {**config, "anchors_seed": 4})
    third = await bench.run()
    assert {row.item for row in anchor_grades_of(bench.ledger, third.id)} != items[0]


def grades(judge: Any) -> dict[str, float]:
    """The grades a judge gives the shipped anchors for similarity, asked as the prompt asks."""
    form = "question: {0.query}\ncorrect answer:{0.ground_truth}\npredicted answer: {0.response}\n\nYour output"
    anchors = load_anchors(SHIPPED)
    return {a.id: float(json.loads(judge(form.format(a)).text)["score"]) for a in anchors}


KNOWN = known_grades(load_anchors(SHIPPED), "similarity")


def test_twenty_nights_with_the_same_wavering_judge_are_quiet_and_a_swap_is_not() -> None:
    then = grades(wavering(careful, 0.15, seed=0))
    nights = [compare_grades("n.e", then, grades(wavering(careful, 0.15, seed=s)), KNOWN) for s in range(1, 21)]
    assert [night.status for night in nights] == ["steady"] * 20
    swapped = [compare_grades("n.e", then, grades(wavering(generous, 0.15, seed=s)), KNOWN) for s in range(1, 21)]
    assert [night.status for night in swapped] == ["moved"] * 20


def test_a_judge_that_became_worse_both_ways_is_noticed_by_its_distance() -> None:
    chance = np.random.default_rng(3)
    worse = {item: float(np.clip(6 - grade + chance.integers(-1, 2), 1, 5)) for item, grade in KNOWN.items()}
    found = compare_grades("n.e", KNOWN, worse, KNOWN)
    assert found.status == "moved" and found.gap is not None and found.gap > 1


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_sign_flip_is_a_p_value(seed: int) -> None:
    differences = np.random.default_rng(seed).integers(-2, 3, 24).astype(float)
    p = sign_flip(differences)
    assert 0.0 < p <= 1.0
    assert p == pytest.approx(sign_flip(-differences), abs=0.02)


def test_too_few_anchors_say_nothing() -> None:
    few = dict(list(KNOWN.items())[:5])
    assert compare_grades("n.e", few, few, few).status == "unmeasured"
    assert replace(compare_grades("n.e", KNOWN, KNOWN, KNOWN)).status == "steady"
