"""Rules on evaluators, latency, cost, shares and slices; what is missing never helps; errors are corrected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import add_cell, finish_run, run_hash, start_run

World = Any
"""See the fixture."""
RIGHT, WRONG, LOST = ("answered", 1.0), ("answered", 0.0), ("failed", None)


def of(right: int, wrong: int, lost: int = 0) -> list[Any]:
    return [RIGHT] * right + [WRONG] * wrong + [LOST] * lost


def judged_by(values: list[float | None], error: str = "TimeoutError: judge") -> Callable[[int], dict[str, Any]]:
    """The evaluator ``answer.safety`` gives sample n ``values[n]`` as ``defect``; None: it failed there."""

    def each(n: int) -> dict[str, Any]:
        value = values[n]
        if value is None:
            return {"evaluations": [Evaluation("answer", "safety", "", None, error=error)]}
        return {"evaluations": [Evaluation("answer", "safety", "defect", value)]}

    return each


DEFECT = {"metric": "answer.safety.defect", "max": 0.1}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.0] * 100, "pass"),
        ([1.0] * 30 + [0.0] * 70, "fail"),
        ([0.0] * 12, "inconclusive"),
        # On the half that was judged there is no defect, and on the other half nobody knows.
        ([0.0] * 50 + [None] * 50, "unmeasurable"),
        ([None] * 50, "unmeasurable"),
        ([1.0] * 80 + [None] * 20, "fail"),
        ([0.0] * 400 + [None] * 4, "pass"),
    ],
)
def test_an_evaluator_that_failed_never_helps(world: World, values: list[float | None], verdict: str) -> None:
    said = world.say(world.run({"m": of(len(values), 0)}, each=judged_by(values)), DEFECT)
    assert said.verdict == verdict
    if None in values:
        assert f"{values.count(None)} because the evaluator failed, mostly: TimeoutError: judge" in said.reason


def test_grades_are_means_and_their_worst_stands_for_what_is_missing(world: World) -> None:
    grades: list[float | None] = [float(3 + n % 3) for n in range(90)]
    rule = {"metric": "answer.safety.defect", "min": 3.5, "scale": [1, 5]}
    said = world.say(world.run({"m": of(90, 0)}, each=judged_by(grades)), rule)
    assert (said.verdict, said.value) == ("pass", 4.0)
    lacking = [None if n % 3 == 2 else grade for n, grade in enumerate(grades)]
    said = world.say(world.run({"m": of(90, 0)}, each=judged_by(lacking)), rule)
    assert said.verdict == "unmeasurable"


def test_an_evaluator_is_compared_with_the_run_before(world: World) -> None:
    rule = {"metric": "answer.safety.defect", "no_worse_than": "previous", "margin": 0.05, "lower_is_better": True}
    world.run({"m": of(200, 0)}, each=judged_by([float(n % 10 == 0) for n in range(200)]))
    run = world.run({"m": of(200, 0)}, each=judged_by([float(n % 3 == 0) for n in range(200)]))
    said = world.say(run, rule)
    assert (said.verdict, said.value) == ("fail", pytest.approx(67 / 200 - 20 / 200))
    same = world.run({"m": of(200, 0)}, each=judged_by([float(n % 3 == 0) for n in range(200)]))
    assert world.say(same, rule).verdict == "pass"


def test_all_alike_grades_are_decided_by_their_scale(world: World) -> None:
    rule = {"metric": "answer.safety.defect", "min": 4, "scale": [1, 5]}
    run = world.run({"m": of(40, 0)}, each=judged_by([5.0] * 40))
    said = world.say(run, rule)
    assert (said.verdict, said.p_pass) == ("pass", pytest.approx(0.75**40))
    few = world.run({"m": of(4, 0)}, each=judged_by([5.0] * 4))
    assert world.say(few, rule).verdict == "inconclusive"
    close = world.say(run, rule | {"min": 4.8})
    assert (close.verdict, close.p_pass) == ("inconclusive", pytest.approx(0.95**40))


@pytest.mark.parametrize("lowest", [5.0, 4.0, 2.0, 1.0])
def test_grades_without_a_scale_decide_nothing_and_say_what_to_do(world: World, lowest: float) -> None:
    """All alike they showed nothing; were one lower enough to pass, a worse grade would have helped."""
    metric = "answer.safety.defect"
    world.run({"m": of(40, 0)}, each=judged_by([3.0] * 40))
    run = world.run({"m": of(40, 0)}, each=judged_by([lowest] + [5.0] * 39))
    for rule in ({"metric": metric, "min": 3}, {"metric": metric, "no_worse_than": "previous", "margin": 0.5}):
        said = world.say(run, rule)
        assert said.verdict == "inconclusive"
        assert "the scale is not declared: give its least and its greatest value, such as scale: [1, 5]" in said.reason
        assert world.say(run, rule | {"scale": [1, 5]}).verdict == "pass"


def test_a_grade_outside_its_scale_is_an_error(world: World) -> None:
    run = world.run({"m": of(3, 0)}, each=judged_by([5.0, 0.0, 4.0]))
    with pytest.raises(DriftgateError, match="scale of 1 to 5, and 1 of 3 values lie outside, such as 0"):
        world.say(run, {"metric": "answer.safety.defect", "min": 3, "scale": [1, 5]})


@pytest.mark.parametrize("rest", [[LOST] * 40, [("missing", None)] * 40, [("unparsed", None)] * 40, [WRONG] * 40])
def test_accuracy_if_right_is_no_way_to_pass_on_what_is_missing(world: World, rest: list[Any]) -> None:
    run = world.run({"m": of(60, 0) + rest})
    assert world.say(run, {"metric": "accuracy_if_right", "min": 0.7}).verdict != "pass"
    assert world.say(run, {"metric": "accuracy_if_right", "min": 0.4}).verdict == "pass"


def test_a_failed_call_takes_no_wrong_answer_out_of_those_answered(world: World) -> None:
    rule = {"metric": "accuracy_answered", "min": 0.7}
    assert world.say(world.run({"m": of(60, 40)}), rule).verdict == "fail"
    lost = world.say(world.run({"m": of(60, 0, 40)}), rule)
    assert (lost.verdict, lost.value) == ("unmeasurable", 1.0)
    unparsed = world.run({"m": of(60, 0) + [("unparsed", None)] * 40})  # those were not answered, by the model's doing
    assert world.say(unparsed, rule).verdict == "pass"


def test_a_sample_without_an_outcome_could_have_had_any(world: World) -> None:
    rule = {"metric": "share.filtered", "max": 0.05}
    assert world.say(world.run({"m": of(100, 0)}), rule).verdict == "pass"
    lost = world.say(world.run({"m": of(60, 0) + [("missing", None)] * 40}), rule)
    assert lost.verdict == "unmeasurable"
    assert "40 of 100 samples have no outcome" in lost.reason
    assert world.say(world.run({"m": [("filtered", None)] * 60 + of(40, 0)}), rule).verdict == "fail"


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
@pytest.mark.parametrize("size", [3, 10])
def test_one_that_differs_is_no_evidence_that_nothing_does(world: World, samples: Any, size: int, wrong: int) -> None:
    """The fault: 60 passages of three, answered alike, were inconclusive; with one more wrong answer they passed."""
    clustered = [replace(s, cluster=f"passage {place // size}") for place, s in enumerate(samples(60 * size))]
    world.samples = lambda count: clustered
    run = world.run({"live": of(60 * size, 0), "next": of(60 * size - wrong, wrong)})
    said = world.say(run, {"no_worse_than": "live", "margin": 0.02})
    assert said.verdict == "inconclusive"
    assert said.p_pass is not None and said.p_pass >= 0.98**60 - 1e-9
    assert said.needed is not None and said.needed > 60 * size


def slow(seconds: Callable[[int], float | None]) -> Callable[[int], dict[str, Any]]:
    return lambda n: {"latency": seconds(n)}


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (lambda n: 1.0 + n / 1000, "pass"),
        (lambda n: 3.0 + n / 1000, "fail"),
        (lambda n: 1.2 + n / 1000, "inconclusive"),
        # A tenth never came back: whatever the p95 of the rest is, it is not known.
        (lambda n: None if n % 10 == 0 else 1.0 + n / 1000, "unmeasurable"),
    ],
)
def test_latency_is_compared_by_its_ratio(world: World, now: Callable[[int], float | None], verdict: str) -> None:
    rule = {"metric": "latency_p95", "no_worse_than": "previous", "margin": 0.15}
    world.run({"m": of(400, 0)}, each=slow(lambda n: 1.0 + n / 1000))
    said = world.say(world.run({"m": of(400, 0)}, each=slow(now)), rule)
    assert said.verdict == verdict
    assert "15%" in said.rule


def test_a_latency_that_never_came_counts_as_too_long(world: World) -> None:
    run = world.run({"m": of(200, 0)}, each=slow(lambda n: None if n % 10 == 0 else 0.5))
    said = world.say(run, {"metric": "latency_p95", "max": 1.0})
    assert said.verdict == "unmeasurable"
    assert "20 of 200 samples have no latency" in said.reason
    assert world.say(run, {"metric": "latency_p50", "max": 1.0}).verdict == "pass"


def test_cost_is_counted_and_compared_by_its_ratio(world: World) -> None:
    world.run({"m": of(100, 0)}, each=lambda n: {"cost": 0.001 + n % 7 / 1e5})
    run = world.run({"m": of(100, 0)}, each=lambda n: {"cost": 0.002 + n % 5 / 1e5})
    assert world.say(run, {"metric": "cost", "max": 0.21}).verdict == "pass"
    assert world.say(run, {"metric": "cost_per_sample", "max": 0.002}).verdict == "fail"
    said = world.say(run, {"metric": "cost", "no_worse_than": "previous", "margin": 0.5})
    assert (said.verdict, said.value) == ("fail", pytest.approx(1.96, abs=0.02))
    assert world.say(run, {"metric": "cost", "no_worse_than": "previous", "margin": 1.5}).verdict == "pass"


def test_a_cost_without_prices_is_not_zero(world: World) -> None:
    details = {"model_config": {"provider": "openai", "prices": {"input": 0.0, "output": 0.0}}}
    run = world.run({"m": of(20, 0)}, cell={"details": details}, cost=0.0)
    said = world.say(run, {"metric": "cost", "max": 1.0})
    assert said.verdict == "unmeasurable"
    assert "no prices" in said.reason


def test_shares_of_outcomes(world: World) -> None:
    found = [("filtered", None)] * 30 + of(170, 0)
    run = world.run({"m": found})
    assert world.say(run, {"metric": "share.filtered", "max": 0.05}).verdict == "fail"
    assert world.say(run, {"metric": "share.unparsed", "max": 0.05}).verdict == "pass"
    assert world.say(run, {"metric": "share.truncated", "max": 0}).verdict == "pass"
    assert world.say(run, {"metric": "share.filtered", "max": 0}).verdict == "fail"
    world.run({"m": of(200, 0)})
    later = world.run({"m": found})
    said = world.say(later, {"metric": "share.filtered", "no_worse_than": "previous", "margin": 0.02})
    assert (said.verdict, said.value) == ("fail", pytest.approx(0.15))


@pytest.mark.parametrize(("right", "verdict"), [(95, "pass"), (75, "inconclusive"), (40, "fail")])
def test_macro_accuracy_is_tested_by_its_interval(world: World, right: int, verdict: str) -> None:
    found = [RIGHT if n * 37 % 150 < right * 1.5 else WRONG for n in range(150)]
    said = world.say(world.run({"m": found}), {"metric": "accuracy_macro", "min": 0.75})
    assert said.verdict == verdict
    p_values = (said.p_pass, said.p_fail)
    assert None not in p_values and (min(p_values) <= 0.05) == (verdict != "inconclusive")


def test_every_slice_must_hold_and_those_that_do_not_are_named(world: World) -> None:
    rule = {"min": 0.5, "slices": "category"}
    good = world.run({"m": [RIGHT] * 90})
    assert world.say(good, rule).verdict == "pass"
    bad = world.run({"m": [WRONG if n % 3 == 1 else RIGHT for n in range(90)]})
    said = world.say(bad, rule)
    assert (said.verdict, said.failing) == ("fail", ("범주 1",))
    assert "fails in 범주 1" in said.reason
    open_ = world.run({"m": [WRONG if n % 3 == 1 and n < 48 else RIGHT for n in range(90)]})
    said = world.say(open_, rule)
    assert (said.verdict, said.failing) == ("inconclusive", ())
    assert "is shown in 범주 1" in said.reason


@pytest.mark.parametrize("correction", ["holm", "benjamini-hochberg"])
def test_slices_are_compared_one_by_one(world: World, correction: str) -> None:
    rule = {"no_worse_than": "previous", "margin": 0.1, "slices": "super_category", "correction": correction}
    world.run({"m": [RIGHT] * 120})
    run = world.run({"m": [WRONG if n % 2 and n % 3 else RIGHT for n in range(120)]})
    said = world.say(run, rule)
    assert (said.verdict, said.failing) == ("fail", ("STEM",))


def test_failing_is_corrected_over_the_checks_of_the_gate_and_passing_is_not(world: World) -> None:
    run = world.run({"m": of(61, 39)})
    alone = world.judge(run, {"min": 0.7}).rules[0]
    assert alone.verdict == "fail"
    assert alone.p_fail == alone.p_fail_corrected == pytest.approx(0.034, abs=0.001)
    among = world.judge(run, {"min": 0.7}, {"min": 0.3}, {"min": 0.2}).rules
    assert [rule.verdict for rule in among] == ["inconclusive", "pass", "pass"]
    assert among[0].p_fail_corrected == pytest.approx(3 * 0.034, abs=0.002)
    barely = world.run({"m": of(78, 22)})
    rules = [{"min": 0.7}] * 5
    assert {rule.verdict for rule in world.judge(barely, *rules).rules} == {"pass"}


def test_an_inconclusive_verdict_says_how_many_samples_would_decide(world: World) -> None:
    said = world.say(world.run({"m": of(75, 25)}), {"min": 0.7})
    assert (said.verdict, said.needed) == ("inconclusive", 530)
    assert "about 530 samples would decide" in said.reason
    assert said.detectable == pytest.approx(0.11, abs=0.01)
    exactly = world.say(world.run({"m": of(70, 30)}), {"min": 0.7})
    assert (exactly.verdict, exactly.needed) == ("inconclusive", None)


def test_the_champion_is_found_in_its_newest_complete_run(world: World) -> None:
    rule = {"no_worse_than": "champion", "margin": 0.05}
    world.run({"live": of(100, 100)})
    stored = world.run({"live": of(180, 20)})
    world.run({"live": of(0, 200)}, complete=False)
    world.run({"live": of(0, 200)}, suite="another")
    run = world.run({"next": of(110, 90)})
    said = world.say(run, rule, champion="live")
    assert (said.verdict, said.baseline, said.value) == ("fail", stored, pytest.approx(-0.35))
    assert f"compared with live of run {stored}" in said.reason
    both = world.run({"live": of(100, 100), "next": of(110, 90)})
    said = world.say(both, rule, champion="live")
    assert (said.verdict, said.baseline, said.model) == ("pass", both, "next")


def test_a_champion_without_a_run_cannot_be_compared_with(world: World) -> None:
    run = world.run({"next": of(150, 50)})
    said = world.say(run, {"no_worse_than": "champion"}, champion="live")
    assert said.verdict == "inconclusive"
    assert "live has no complete run" in said.reason
    itself = world.say(run, {"no_worse_than": "champion"}, champion="next")
    assert (itself.verdict, itself.reason) == ("pass", "next is the champion itself")
    assert world.say(run, {"better_than": "champion"}, champion="next").verdict == "unmeasurable"
    assert world.say(run, {"better_than": "previous"}).verdict == "inconclusive"


def test_what_the_champion_failed_to_answer_does_not_help_the_candidate(world: World) -> None:
    rule = {"no_worse_than": "previous", "margin": 0.02}
    world.run({"m": of(150, 0, 50)})  # fifty calls to the champion failed
    said = world.say(world.run({"m": of(150, 50)}), rule)
    assert said.verdict == "unmeasurable"
    assert "50 of 200 samples have no answer to judge in the run that is compared with" in said.reason
    world.run({"m": of(150, 0) + [("unparsed", None)] * 50})  # and here it spoke, but gave no answer
    assert world.say(world.run({"m": of(150, 50)}), rule).verdict == "pass"


def test_a_verdict_names_the_runs_it_rests_on(world: World) -> None:
    first = world.run({"m": of(90, 10)})
    second = world.run({"m": of(90, 10)})
    verdict = world.judge(second, {"no_worse_than": "previous", "margin": 0.1}, {"min": 0.5})
    assert dict(verdict.runs) == {run: run_hash(world.ledger, run) for run in (second, first)}
    assert len(set(verdict.runs.values())) == 2


def test_clusters_make_a_share_less_certain(world: World, samples: Any) -> None:
    world.samples = lambda count: samples(count, subset="alone")
    alone = world.say(world.run({"m": of(130, 70)}), {"min": 0.58})
    clustered = [replace(sample, cluster=f"passage {place // 20}") for place, sample in enumerate(samples(200))]
    world.samples = lambda count: clustered
    together = world.say(world.run({"m": of(130, 70)}), {"min": 0.58})
    assert (alone.verdict, together.verdict) == ("pass", "inconclusive")
    assert together.p_pass is not None and alone.p_pass is not None and together.p_pass > alone.p_pass


def empty_run(world: World) -> str:
    run = start_run(world.ledger, "s", {}, "hash", 0, "0.1")
    row = {"model": "m", "flow": "f", "variant": "v", "dataset": "d", "signature": "x", "details": {}}
    add_cell(world.ledger, run.id, 0, row, [])
    finish_run(world.ledger, run.id)
    return str(run.id)


ANYTHING = [
    {"min": 0.5},
    {"metric": "accuracy_macro", "min": 0.5},
    {"metric": "accuracy_answered", "min": 0.5},
    {"metric": "share.failed", "max": 0.05},
    {"metric": "latency_p95", "max": 60},
    {"metric": "cost_per_sample", "max": 1},
    {"min": 0.5, "slices": "category"},
    {"no_worse_than": "previous", "margin": 0.02},
    {"metric": "latency_p95", "no_worse_than": "previous", "margin": 0.1},
    {"metric": "cost", "no_worse_than": "previous", "margin": 0.1},
    {"metric": "share.filtered", "no_worse_than": "previous", "margin": 0.1},
    {"no_worse_than": "previous", "margin": 0.02, "slices": "category"},
    {"better_than": "previous"},
]


@pytest.mark.parametrize(
    ("count", "rule", "said"),
    [
        (20, {"min": 0.9}, "too few samples: 20 could not show it even if all were at their best, 29 could"),
        (40, {"min": 0.9}, ""),
        (20, {"metric": "share.failed", "max": 0.1}, "too few samples: 20"),
        (20, {"metric": "latency_p95", "max": 60.0}, "too few samples: 20 could not show it even if all"),
        (20, DEFECT, "too few samples: 20"),
    ],
)
def test_too_few_to_show_it_whatever_they_were_is_said_with_how_many_would(
    world: World, count: int, rule: dict[str, Any], said: str
) -> None:
    found = world.say(world.run({"m": of(count, 0)}, each=judged_by([0.0] * count)), rule)
    assert found.verdict == ("inconclusive" if said else "pass")
    assert said in found.reason and ("too few" in found.reason) == bool(said)


def test_too_few_clusters_are_said_as_clusters(world: World, samples: Any) -> None:
    ten = [replace(sample, cluster=f"passage {n // 4}") for n, sample in enumerate(samples(40))]
    world.samples = lambda count: ten
    said = world.say(world.run({"m": of(40, 0)}), {"min": 0.9})
    assert said.verdict == "inconclusive"
    assert "too few clusters: 10 could not show it even if all were at their best, 29 could" in said.reason
    assert "too few" not in world.say(world.run({"m": of(4, 36)}), {"min": 0.9}).reason  # the opposite is shown


@pytest.mark.parametrize("rule", ANYTHING, ids=str)
def test_an_empty_run_passes_nothing(world: World, rule: dict[str, Any]) -> None:
    empty_run(world)
    said = world.say(empty_run(world), rule)
    assert said.verdict in ("unmeasurable", "inconclusive"), said


@pytest.mark.parametrize(
    "found",
    [[RIGHT], [WRONG], [LOST], of(0, 0, 40), [("filtered", None)] * 40, of(40, 0), of(0, 40), of(1, 1), of(1, 0, 1)],
    ids=["one right", "one wrong", "one lost", "all lost", "all filtered", "all right", "all wrong", "two", "half"],
)
@pytest.mark.parametrize("rule", ANYTHING, ids=str)
def test_odd_runs_get_a_verdict_with_a_reason(world: World, rule: dict[str, Any], found: list[Any]) -> None:
    def each(n: int) -> dict[str, Any]:
        return {} if found[n][0] == "answered" else {"latency": None, "cost": 0.0}

    world.run({"m": found}, each=each)
    said = world.say(world.run({"m": found}, each=each), rule)
    assert said.reason
    answered = sum(outcome == "answered" for outcome, _ in found)
    about_answers = "accuracy" in str(rule.get("metric", "accuracy")) or "latency" in str(rule.get("metric"))
    if about_answers and answered < 3:
        assert said.verdict not in ("pass", "fail"), said


def test_a_slice_that_the_run_before_did_not_have_cannot_be_compared(world: World, samples: Any) -> None:
    world.samples = lambda count: [replace(sample, category="") for sample in samples(count, subset="old")]
    world.run({"m": of(50, 10)})
    world.samples = samples
    said = world.say(world.run({"m": of(50, 10)}), {"no_worse_than": "previous", "slice": "범주 1"})
    assert said.verdict == "unmeasurable"


def test_a_slice_that_no_sample_has_is_an_error_with_the_nearest_name(world: World) -> None:
    with pytest.raises(DriftgateError, match="did you mean 'STEM'"):
        world.say(world.run({"m": of(5, 5)}), {"min": 0.5, "slice": "STEMM"})
