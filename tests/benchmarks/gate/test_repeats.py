"""Rules over samples asked several times: a sample is one piece of evidence, and worse evidence never helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.gate import Column, GateConfig, RuleConfig, RuleVerdict, decide, judge, weigh
from driftgate.benchmarks.scores import score_run
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import Ledger, Record, add_cell, finish_run, open_ledger, pending_samples, record, start_run

Answers = Sequence[Sequence[float | None]]
"""Of every sample, what each of its repeats was worth; None where it failed."""
GRADE = "ask.judge.passed"


class World:
    """A ledger with runs whose samples are asked several times."""

    def __init__(self, ledger: Ledger, samples: Callable[..., list[Sample]], entry: Callable[..., Record]) -> None:
        self.ledger, self.samples, self.entry = ledger, samples, entry

    def run(self, answers: Answers, *, judged: bool = False, latency: float = 0.25) -> str:
        run = start_run(self.ledger, "s", {}, "hash", 0, "0.1")
        repeats = len(answers[0])
        asked = self.samples(len(answers))
        row = {"model": "m", "flow": "f", "variant": "v", "dataset": "d", "signature": "x"}
        details = {"repeats": repeats} if repeats > 1 else {}
        cell = add_cell(self.ledger, run.id, 0, row | {"details": details}, asked)
        todo = pending_samples(self.ledger, cell)
        records = []
        for sample, found in zip(asked, answers, strict=True):
            for repeat, worth in enumerate(found):
                outcome = "failed" if worth is None else "answered"
                grades = [Evaluation("ask", "judge", "passed", worth)] if judged and worth is not None else []
                records.append(
                    self.entry(
                        cell, todo[sample.key][0], round=repeat, outcome=outcome, evaluations=grades,
                        correct=None if judged else worth, latency=None if worth is None else latency,
                        cost=None if worth is None else 0.001,
                    )
                )  # fmt: skip
        record(self.ledger, records)
        finish_run(self.ledger, run.id)
        return run.id

    def say(self, run: str, **rule: Any) -> RuleVerdict:
        gate = GateConfig.model_validate({"suite": "s", "rules": [rule]})
        scored = score_run(self.ledger, run, store=False)
        (said,) = judge(self.ledger, "g", gate, run, scored).rules
        return said


@pytest.fixture
def world(tmp_path: Path, samples: Callable[..., list[Sample]], entry: Callable[..., Record]) -> Any:
    ledger = open_ledger("ledger.db", tmp_path)
    yield World(ledger, samples, entry)
    ledger.close()


def draws(n: int, repeats: int, rate: float, seed: int) -> Answers:
    return np.random.default_rng(seed).binomial(1, rate, (n, repeats)).astype(float).tolist()


def width(said: RuleVerdict) -> float:
    assert said.low is not None and said.high is not None
    return said.high - said.low


def test_repeats_narrow_the_interval_of_an_unsteady_model_and_not_of_a_steady_one(world: World) -> None:
    unsteady = draws(60, 5, 0.6, seed=1)
    five = world.say(world.run(unsteady), min=0.5)
    once = world.say(world.run([answers[:1] for answers in unsteady]), min=0.5)
    assert width(five) < 0.6 * width(once)  # one over the root of five, and the value at the scale's end
    steady = [[answers[0]] * 5 for answers in unsteady]
    same = world.say(world.run(steady), min=0.5)
    assert width(same) == pytest.approx(width(world.say(world.run([a[:1] for a in steady]), min=0.5)), rel=0.1)
    assert same.p_pass == pytest.approx(once.p_pass, rel=1e-3)


def test_a_rule_counts_samples_and_not_answers(world: World) -> None:
    said = world.say(world.run([[1.0] * 20] * 10), min=0.8)
    assert (said.verdict, said.n) == ("inconclusive", 10)
    assert said.p_pass == pytest.approx(0.8**10)


def test_a_missing_repeat_counts_at_its_worst(world: World) -> None:
    answers = [[1.0, 1.0, 1.0, None, 1.0]] * 40
    assert world.say(world.run(answers), min=0.9).verdict == "unmeasurable"
    assert world.say(world.run(answers), min=0.5).verdict == "pass"
    assert "in at least one repeat" in world.say(world.run(answers), min=0.9).reason


def test_a_flickering_test_passes_by_its_pass_rate_and_turns_red_without_it(world: World) -> None:
    steady, flickers = [1.0] * 5, [0.0, 1.0, 0.0, 0.0, 1.0]
    for judged, metric in ((False, "accuracy"), (True, GRADE)):
        run = world.run([steady] * 9 + [flickers], judged=judged)
        assert world.say(run, metric=metric, min=1.0).verdict == "fail"
        said = world.say(run, metric=metric, min=1.0, pass_rate=0.2)
        assert (said.verdict, said.value) == ("pass", 1.0)
        assert said.rule == f"{metric} with pass_rate 0.2 >= 1"
        assert world.say(run, metric=metric, min=1.0, pass_rate=0.6).verdict == "fail"
        broken = world.run([steady] * 9 + [[0.0] * 5], judged=judged)
        assert world.say(broken, metric=metric, min=1.0, pass_rate=0.2).verdict == "fail"


def test_a_gate_on_a_test_that_flickers_by_half_stays_decided(world: World) -> None:
    """Of 50 simulated builds; the deterministic part of benchmarks/perf/flickering_gate.py."""
    rng = np.random.default_rng(11)
    builds = [
        [*([1.0] * 5 for _ in range(9)), rng.binomial(1, 0.5, 5).astype(float).tolist()] for _ in range(50)
    ]  # fmt: skip
    once = [world.say(world.run([a[:1] for a in build], judged=True), metric=GRADE, min=1.0) for build in builds[:20]]
    assert 4 < sum(said.verdict == "fail" for said in once) < 16
    five = [world.say(world.run(build, judged=True), metric=GRADE, min=1.0, pass_rate=0.2) for build in builds]
    assert sum(said.verdict == "pass" for said in five) >= 47


def test_missing_repeats_that_decide_whether_a_sample_passes_make_it_unmeasurable(world: World) -> None:
    steady = [1.0] * 5
    open_ = [None, 0.0, 0.0, 0.0, 0.0]
    assert world.say(world.run([steady] * 9 + [open_]), min=1.0, pass_rate=0.2).verdict == "unmeasurable"
    enough = [None, 1.0, 0.0, 0.0, 0.0]
    assert world.say(world.run([steady] * 9 + [enough]), min=1.0, pass_rate=0.2).verdict == "pass"
    never = [None, 0.0, 0.0, 0.0, 0.0]
    assert world.say(world.run([steady] * 9 + [never]), min=1.0, pass_rate=0.6).verdict == "fail"


def test_a_comparison_is_of_the_samples_means_whatever_the_number_of_repeats(world: World) -> None:
    before = world.run([[1.0], [0.0]] * 30)
    now = world.run([[1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]] * 30)
    said = world.say(now, no_worse_than="previous", margin=0.1)
    assert (said.value, said.n, said.baseline) == (0.0, 60, before)
    assert said.verdict == "pass"
    worse = world.run([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]] * 30)
    assert world.say(worse, no_worse_than="previous", margin=0.1).value == pytest.approx(-0.25)


def test_a_pass_rate_is_not_compared_over_other_numbers_of_repeats(world: World) -> None:
    world.run([[1.0]] * 40)
    said = world.say(world.run([[1.0, 0.0]] * 40), no_worse_than="previous", margin=0.1, pass_rate=0.5)
    assert said.verdict == "unmeasurable" and "another number of times" in said.reason


def test_prices_are_those_of_all_repeats_and_times_count_samples(world: World) -> None:
    once, five = (world.run([[1.0] * k] * 80) for k in (1, 5))
    assert world.say(once, metric="cost", max=0.1).value == pytest.approx(0.08)
    assert world.say(five, metric="cost", max=0.1).verdict == "fail"
    assert world.say(five, metric="cost_per_sample", max=0.0011).verdict == "pass"
    assert world.say(five, metric="cost_per_sample", no_worse_than="previous", margin=0.01).value == pytest.approx(1.0)
    few = world.run([[1.0] * 20] * 20)
    assert world.say(few, metric="latency_p95", max=1.0).verdict == "inconclusive"  # 59 samples would show it
    assert world.say(five, metric="latency_p95", max=1.0).verdict == "pass"
    assert world.say(five, metric="latency_p50", no_worse_than="previous", margin=0.1).verdict == "pass"
    assert world.say(few, metric="share.failed", max=0.05).verdict == "inconclusive"


def test_rules_that_mean_nothing_are_refused(world: World) -> None:
    for metric in ("pass@5", "majority", "unsteady", "pass_rate"):
        with pytest.raises(ValidationError, match="give a rule about accuracy"):
            RuleConfig(metric=metric, min=0.5)
    with pytest.raises(ValidationError, match="use accuracy"):
        RuleConfig(metric="latency_p95", max=1.0, pass_rate=0.5)
    run = world.run([[4.0, 5.0]] * 10, judged=True)
    with pytest.raises(DriftgateError, match="values beyond 0 and 1, such as 4"):
        world.say(run, metric=GRADE, min=0.5, pass_rate=0.5)
    said = world.say(world.run([[1.0]] * 10), min=0.5, pass_rate=0.5)
    assert "pass_rate changes nothing" in said.reason


WORSE = {
    "pass": {"pass", "inconclusive", "unmeasurable", "fail"},
    "inconclusive": {"inconclusive", "unmeasurable", "fail"},
    "unmeasurable": {"inconclusive", "unmeasurable", "fail"},
    "fail": {"fail"},
}
FEWER = WORSE | {"unmeasurable": {"unmeasurable", "fail"}, "fail": {"fail", "unmeasurable"}}
RULES = [
    {"min": 0.5},
    {"min": 0.9},
    {"min": 1.0, "pass_rate": 0.2},
    {"min": 0.8, "pass_rate": 0.6},
    {"max": 0.3},
    {"no_worse_than": "previous", "margin": 0.1},
    {"better_than": "previous"},
    {"no_worse_than": "previous", "margin": 0.1, "pass_rate": 0.6},
]


def column(answers: Answers, clustered: bool) -> Column:
    each = np.empty(len(answers), dtype=object)
    each[:] = [np.array(values, dtype=float) for values in answers]
    places = np.arange(len(answers))
    frame = pd.DataFrame({"key": places, "sample_id": places, "category": "", "super_category": ""})
    frame["cluster"] = [f"c{n // 3}" for n in places] if clustered else ""
    frame["repeats"], frame["value"] = each, [values.mean() for values in each]
    return Column(frame, 0.0, 1.0, 0.0, "have no value")


def verdict(rule: RuleConfig, ours: Answers, theirs: Answers, clustered: bool) -> str:
    sides = [column(answers, clustered) for answers in (ours, theirs)]
    if rule.pass_rate is not None:
        sides = [side.passing(rule.pass_rate) for side in sides]
    evidence = weigh(rule, sides[0], sides[1] if rule.opponent else None, plan=False)
    ((found, _),) = decide([(rule, evidence)])
    return found


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_worse_or_a_missing_repeat_never_improves_a_verdict(data: st.DataObject) -> None:
    rule = RuleConfig.model_validate(data.draw(st.sampled_from(RULES)))
    repeats, n = data.draw(st.integers(2, 5)), data.draw(st.integers(1, 40))
    rate, missing = data.draw(st.sampled_from([0.1, 0.5, 0.9, 1.0])), data.draw(st.sampled_from([0.0, 0.1, 0.4]))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    ours, theirs = (rng.binomial(1, rate, (n, repeats)).astype(float) for _ in range(2))
    ours[rng.random(ours.shape) < missing] = np.nan
    clustered = data.draw(st.booleans())
    before = verdict(rule, ours.tolist(), theirs.tolist(), clustered)
    sample, repeat = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, repeats - 1))
    bad = 1.0 if rule.side == "below" and not rule.opponent else 0.0
    harmed, lost = ours.copy(), ours.copy()
    harmed[sample, repeat], lost[sample, repeat] = bad, np.nan
    if not np.isnan(ours[sample, repeat]):
        assert verdict(rule, harmed.tolist(), theirs.tolist(), clustered) in WORSE[before]
    assert verdict(rule, lost.tolist(), theirs.tolist(), clustered) in FEWER[before]
