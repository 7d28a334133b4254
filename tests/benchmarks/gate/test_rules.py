"""The gate: thresholds, baselines, four verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.gate import EXIT_CODES, GateConfig, judge
from driftgate.benchmarks.scores import score_run
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import Evaluation

Samples = Callable[..., list[Sample]]
World = Any
"""See the fixture."""
RIGHT, WRONG, LOST = ("answered", 1.0), ("answered", 0.0), ("failed", None)


def of(right: int, wrong: int, lost: int = 0) -> list[Any]:
    return [RIGHT] * right + [WRONG] * wrong + [LOST] * lost


@pytest.mark.parametrize(
    ("found", "rule", "verdict"),
    [
        # 95% intervals by Wilson: 80 of 100 is 0.711 to 0.867, 72 is 0.625 to 0.799, 55 is 0.452 to 0.644.
        (of(80, 20), {"min": 0.7}, "pass"),
        (of(72, 28), {"min": 0.7}, "inconclusive"),
        (of(55, 45), {"min": 0.7}, "fail"),
        (of(4, 1), {"min": 0.7}, "inconclusive"),
        # 40 of 60 answered right, 40 lost: at worst 0.309 to 0.498, at best 0.711 to 0.867.
        (of(40, 20, 40), {"min": 0.7}, "unmeasurable"),
        (of(10, 80, 10), {"min": 0.7}, "fail"),
        (of(90, 5, 5), {"min": 0.7}, "pass"),
        (of(0, 0, 50), {"min": 0.7}, "unmeasurable"),
        (of(50, 0, 50), {"metric": "share.failed", "max": 0.05}, "fail"),
        (of(200, 0), {"metric": "share.failed", "max": 0.05}, "pass"),
        (of(30, 0), {"metric": "share.failed", "max": 0.05}, "inconclusive"),
        (of(5, 5), {"metric": "latency_p95", "max": 1.0}, "inconclusive"),
        (of(50, 50), {"metric": "latency_p95", "max": 1.0}, "pass"),
        (of(50, 50), {"metric": "latency_p50", "max": 0.1}, "fail"),
        (of(50, 50), {"metric": "cost", "max": 0.11}, "pass"),
        (of(50, 50), {"metric": "cost", "max": 0.09}, "fail"),
        (of(80, 20), {"metric": "accuracy", "max": 0.9}, "pass"),
    ],
)
def test_absolute_rules(world: World, found: list[Any], rule: dict[str, Any], verdict: str) -> None:
    judged = world.judge(world.run({"m": found}), rule)
    assert judged.verdict == verdict
    assert (
        judged.exit_code == EXIT_CODES[verdict] == {"pass": 0, "fail": 1, "inconclusive": 3, "unmeasurable": 4}[verdict]
    )
    (said,) = judged.rules
    assert said.reason and said.cell == "m · v · d"


def test_the_gravest_rule_decides(world: World) -> None:
    run = world.run({"m": of(72, 28)})
    passing, open_, failing = {"min": 0.5}, {"min": 0.7}, {"min": 0.9}
    assert world.judge(run, passing).verdict == "pass"
    assert world.judge(run, passing, open_).verdict == "inconclusive"
    assert world.judge(run, failing, passing, open_).verdict == "fail"


def test_a_rule_holds_for_every_cell_it_fits(world: World) -> None:
    run = world.run({"good": of(90, 10), "bad": of(10, 90)})
    both = world.judge(run, {"min": 0.5})
    assert {rule.cell: rule.verdict for rule in both.rules} == {"good · v · d": "pass", "bad · v · d": "fail"}
    assert world.judge(run, {"min": 0.5, "model": "good"}).verdict == "pass"


def test_slices(world: World) -> None:
    found = [RIGHT if n % 3 == 0 else WRONG for n in range(90)]  # category 0 is all right, the others all wrong
    run = world.run({"m": found})
    assert world.judge(run, {"min": 0.8, "slice": "범주 0"}).verdict == "pass"
    assert world.judge(run, {"min": 0.8, "slice": "범주 1"}).verdict == "fail"
    with pytest.raises(DriftgateError, match="the slice '범주 7'; did you mean '범주"):
        world.judge(run, {"min": 0.8, "slice": "범주 7"})


def test_no_worse_than_the_previous_run(world: World) -> None:
    rule = {"no_worse_than": "previous", "margin": 0.05}
    first = world.run({"m": of(150, 50)})
    judged = world.judge(first, rule)
    assert judged.verdict == "inconclusive" and "no earlier complete run" in judged.rules[0].reason
    same = world.run({"m": of(150, 50)})
    assert world.judge(same, rule).verdict == "pass"
    worse = world.run({"m": of(100, 100)})
    judged = world.judge(worse, rule)
    assert judged.verdict == "fail"
    assert judged.rules[0].value == pytest.approx(-0.25)
    better = world.run({"m": of(160, 40)})
    assert world.judge(better, rule).verdict == "pass"


def test_a_small_difference_on_few_samples_is_inconclusive(world: World) -> None:
    world.run({"m": of(15, 5)})
    run = world.run({"m": of(14, 6)})
    judged = world.judge(run, {"no_worse_than": "previous", "margin": 0.02})
    assert judged.verdict == "inconclusive"


def test_the_baseline_is_the_newest_complete_run_before_this_one(world: World) -> None:
    rule = {"no_worse_than": "previous", "margin": 0.05}
    world.run({"m": of(0, 200)})
    world.run({"m": of(150, 50)})
    world.run({"m": of(0, 200)}, complete=False)
    world.run({"m": of(0, 200)}, suite="another")
    run = world.run({"m": of(150, 50)})
    world.run({"m": of(200, 0)})  # a later run is no baseline
    judged = world.judge(run, rule)
    assert (judged.verdict, judged.rules[0].value) == ("pass", 0.0)


def test_runs_of_one_second_are_still_in_order(world: World) -> None:
    runs = [world.run({"m": of(200 - 10 * n, 10 * n)}) for n in range(6)]
    for number, run in enumerate(runs[1:], start=1):
        judged = world.judge(run, {"no_worse_than": "previous", "margin": 0.2})
        assert judged.rules[0].value == pytest.approx(-0.05), number


def test_no_worse_than_another_model_of_the_run(world: World) -> None:
    run = world.run({"champion": of(150, 50), "candidate": of(100, 100)})
    judged = world.judge(run, {"no_worse_than": "champion", "margin": 0.05})
    assert [(rule.cell, rule.verdict) for rule in judged.rules] == [("candidate · v · d", "fail")]
    with pytest.raises(DriftgateError, match="'champoin', which is not in the run; did you mean 'champion'"):
        world.judge(run, {"no_worse_than": "champoin"})


@pytest.mark.parametrize(
    ("rule", "mine", "theirs", "verdict"),
    [
        ({"better_than": "champion", "alpha": 0.01}, RIGHT, WRONG, "pass"),
        ({"better_than": "champion", "alpha": 0.01}, WRONG, RIGHT, "fail"),
        ({"better_than": "champion", "alpha": 0.01}, RIGHT, RIGHT, "inconclusive"),
        ({"no_worse_than": "champion", "margin": 0.2}, RIGHT, RIGHT, "pass"),
    ],
)
def test_clusters_that_all_say_the_same_count_once_each(
    world: World, samples: Samples, rule: dict[str, Any], mine: Any, theirs: Any, verdict: str
) -> None:
    clustered = [replace(sample, cluster=f"passage {place // 3}") for place, sample in enumerate(samples(60))]
    world.samples = lambda count: clustered
    run = world.run({"champion": [theirs] * 60, "candidate": [mine] * 60})
    gate = GateConfig.model_validate({"rules": [rule]})
    scored = score_run(world.ledger, run, store=False)
    found = judge(world.ledger, "g", gate, run, scored, champion="champion").rules[0]
    assert (found.verdict, found.n) == (verdict, 20)


def test_only_shared_samples_are_compared(world: World) -> None:
    world.run({"m": of(0, 50)})  # the first fifty of them
    run = world.run({"m": of(100, 100)})
    judged = world.judge(run, {"no_worse_than": "previous"})
    assert (judged.rules[0].n, judged.rules[0].value) == (50, 1.0)


@pytest.mark.parametrize(("right", "verdict"), [(98, "pass"), (86, "inconclusive"), (50, "fail")])
def test_a_baseline_of_other_samples_is_compared_unpaired(
    world: World, samples: Samples, right: int, verdict: str
) -> None:
    world.samples = lambda count: samples(count, subset="other")
    world.run({"m": of(90, 10)})
    world.samples = samples
    judged = world.judge(world.run({"m": of(right, 100 - right)}), {"no_worse_than": "previous", "margin": 0.05})
    (said,) = judged.rules
    assert (said.verdict, said.n) == (verdict, 200)
    assert "unpaired: no sample is shared" in said.reason


def test_graded_answers_are_compared_by_their_grades(world: World) -> None:
    world.run({"m": [("answered", 0.8 + n % 5 / 100) for n in range(60)]})
    run = world.run({"m": [("answered", 0.3 + n % 7 / 100) for n in range(60)]})
    judged = world.judge(run, {"no_worse_than": "previous", "margin": 0.05})
    assert judged.verdict == "fail"
    assert judged.rules[0].value == pytest.approx(-0.49, abs=0.02)


def test_an_evaluator_s_metric(world: World) -> None:
    found = [Evaluation("render", "prompt", "complete", 1.0)]
    run = world.run({"m": of(50, 50)}, evaluations=found)
    assert world.judge(run, {"metric": "render.prompt.complete", "min": 0.95}).verdict == "pass"
    with pytest.raises(DriftgateError, match=r"not measured; did you mean 'render\.prompt\.complete'"):
        world.judge(run, {"metric": "render.prompt.complet", "min": 1.0})
    (said,) = world.judge(run, {"metric": "render.prompt.complete", "min": 0.8, "slice": "범주 0"}).rules
    assert (said.verdict, said.n) == ("pass", 34)


def test_a_rule_that_fits_no_cell_is_refused(world: World) -> None:
    run = world.run({"m": of(5, 5)})
    with pytest.raises(DriftgateError, match="fits no cell"):
        world.judge(run, {"min": 0.5, "model": "absent"})


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"min": 0.5, "max": 0.9},
        {"min": 0.5, "no_worse_than": "previous"},
        {"no_worse_than": "previous", "metric": "accuracy_macro"},
        {"metric": "accuracy_macro", "min": 0.5, "slice": "STEM"},
        {"min": 0.5, "slice": "STEM", "slices": "category"},
        {"min": 0.5, "margin": 0.1},
        {"metric": "acuracy", "min": 0.5},
        {"min": 0.5, "margin": -1},
        {"minimum": 0.5},
        {"metric": "answer.judge.grade", "min": 3, "scale": [5, 1]},
        {"metric": "answer.judge.grade", "min": 3, "scale": [1, float("inf")]},
        {"metric": "cost", "max": 1, "scale": [0, 1]},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateConfig.model_validate({"suite": "s", "rules": [rule]})


def test_a_verdict_is_json(world: World) -> None:
    import json

    judged = world.judge(world.run({"m": of(72, 28)}), {"min": 0.7})
    value = json.loads(json.dumps(judged.as_json()))
    assert (value["verdict"], value["rules"][0]["n"]) == ("inconclusive", 100)
