"""Worse evidence never improves a verdict: of every kind of rule, clustered and not, from one sample up."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_kinds import FEWER, KINDS, RIGHT, SHAPES, WORSE, Kind, not_smaller

from driftgate.benchmarks.gate import decide
from driftgate.flows.evaluators import Evaluation


@st.composite
def runs(draw: st.DrawFn, kind: Kind) -> tuple[list[float], list[float], str]:
    """Our values, those compared with, and the shape of the clusters; often nearly all are the best or the same."""
    n = draw(st.one_of(st.integers(1, 12), st.integers(20, 90)))
    some = st.sampled_from(kind.values)
    usual = draw(some)
    odd = dict(draw(st.lists(st.tuples(st.integers(0, n - 1), some), max_size=draw(st.sampled_from([2, 5, 40])))))
    theirs = [odd.get(k, usual) for k in range(n)]
    same = draw(st.booleans())
    other = dict(draw(st.lists(st.tuples(st.integers(0, n - 1), some), max_size=draw(st.sampled_from([2, 5, 40])))))
    base = theirs if same else [draw(some)] * n
    return [other.get(k, base[k]) for k in range(n)], theirs, draw(st.sampled_from(SHAPES))


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@settings(max_examples=20)
@given(data=st.data())
def test_a_worse_answer_never_improves_a_verdict(kind: Kind, data: st.DataObject) -> None:
    ours, theirs, shape = data.draw(runs(kind))
    before = kind.weigh(ours, theirs, shape)
    worse = list(ours)
    for place in data.draw(st.lists(st.integers(0, len(ours) - 1), min_size=1, max_size=3)):
        options = [value for value in kind.values if (value - worse[place]) * kind.sign <= 0.0]
        worse[place] = data.draw(st.sampled_from(options))
    after = kind.weigh(worse, theirs, shape)
    assert kind.verdict(after) in WORSE[kind.verdict(before)]
    assert not_smaller(before.p_pass, after.p_pass)
    assert not_smaller(after.p_fail, before.p_fail)


@pytest.mark.core
@pytest.mark.parametrize("kind", KINDS, ids=repr)
@settings(max_examples=20)
@given(data=st.data())
def test_a_missing_answer_never_improves_a_verdict(kind: Kind, data: st.DataObject) -> None:
    ours, theirs, shape = data.draw(runs(kind))
    places = st.lists(st.integers(0, len(ours) - 1), max_size=3)
    some = set(data.draw(places))
    more = some | set(data.draw(places))
    fewer, fewest = ([math.nan if k in lost else value for k, value in enumerate(ours)] for lost in (some, more))
    before, after = kind.weigh(fewer, theirs, shape), kind.weigh(fewest, theirs, shape)
    assert kind.verdict(after) in FEWER[kind.verdict(before)]
    assert not_smaller(before.p_pass, after.p_pass)
    assert not_smaller(before.p_fail, after.p_fail)


def test_what_fails_among_many_is_unmeasurable_and_not_open_when_answers_go_missing() -> None:
    """The fault: of three slices one failed, two of its answers were lost, and the verdict was inconclusive."""
    kind = next(kind for kind in KINDS if repr(kind) == "accuracy[every category] >= 0.4")
    ours = [1.0 if place in (13, 16, 17) else 0.0 for place in range(29)]
    fewer = [math.nan if place in (21, 22) else value for place, value in enumerate(ours)]
    assert [kind.verdict(kind.weigh(values, values, "alone")) for values in (ours, fewer)] == ["fail", "unmeasurable"]
    two = [one for one in KINDS if repr(one) in ("accuracy <= 0.3", "accuracy >= 0.1")]
    for values, expected in (([1.0] * 11, "fail"), ([math.nan] + [1.0] * 10, "unmeasurable")):
        assert decide([(one.rule, one.weigh(values, values, "unequal")) for one in two])[1][0] == expected


TOGETHER = [kind for kind in KINDS if kind.values == RIGHT and not kind.apart]


@settings(max_examples=25)
@given(data=st.data())
def test_a_missing_answer_improves_no_verdict_of_a_gate_with_many_rules(data: st.DataObject) -> None:
    """Corrected over all its checks, a rule that fails may no longer do so."""
    kinds = data.draw(st.lists(st.sampled_from(TOGETHER), min_size=2, max_size=6, unique=True))
    ours, theirs, shape = data.draw(runs(kinds[0]))
    lost = set(data.draw(st.lists(st.integers(0, len(ours) - 1), min_size=1, max_size=3)))
    fewer = [math.nan if place in lost else value for place, value in enumerate(ours)]
    before, after = (
        [found for found, _ in decide([(kind.rule, kind.weigh(values, theirs, shape)) for kind in kinds])]
        for values in (ours, fewer)
    )
    for kind, was, became in zip(kinds, before, after, strict=True):
        assert became in FEWER[was], (kind, was, became)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "x" in repr(kind)], ids=repr)
@pytest.mark.parametrize("n", [5, 60])
def test_where_nothing_was_measured_no_comparison_passes(kind: Kind, n: int) -> None:
    """The fault: of five latencies that never came, all at once, it was shown that they were not longer."""
    best = sorted(kind.values, key=lambda value: value * kind.sign)[-1]
    evidence = kind.weigh([math.nan] * n, [best] * n, "alone")
    assert kind.verdict(evidence) not in ("pass", "fail")


OUTCOMES = st.sampled_from([("answered", 1.0)] * 3 + [("answered", 0.0), ("failed", None), ("missing", None)])
RULES: list[dict[str, Any]] = [
    {"min": 0.5},
    {"metric": "accuracy_macro", "min": 0.5},
    {"metric": "accuracy_answered", "min": 0.5},
    {"metric": "accuracy_if_right", "min": 0.5},
    {"min": 0.3, "slices": "category"},
    {"metric": "share.failed", "max": 0.3},
    {"metric": "share.filtered", "max": 0.3},
    {"metric": "share.answered", "min": 0.5},
    {"metric": "latency_p50", "max": 2.0},
    {"metric": "answer.judge.grade", "min": 2.5, "scale": [1, 5]},
    {"no_worse_than": "base", "margin": 0.2},
    {"better_than": "base"},
    {"metric": "answer.judge.grade", "no_worse_than": "base", "margin": 1, "scale": [1, 5]},
]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_a_run_loses_never_improves_a_verdict(world: Any, samples: Any, data: st.DataObject) -> None:
    """Through the ledger: an answer that was right is wrong, its call failed, or it is not there."""
    found = data.draw(st.one_of(st.lists(OUTCOMES, min_size=1, max_size=8), st.lists(OUTCOMES, min_size=25)))
    answered = [place for place, (outcome, _) in enumerate(found) if outcome == "answered"]
    if not answered:
        return
    worse = list(found)
    becomes = data.draw(st.sampled_from([("answered", 0.0), ("failed", None), ("missing", None)]))
    for place in data.draw(st.lists(st.sampled_from(answered), min_size=1, max_size=3)):
        worse[place] = becomes
    if all(outcome != "answered" for outcome, _ in worse):
        return  # a metric that no sample has is an error
    size = data.draw(st.sampled_from([1, 3]))
    world.samples = lambda count: [
        replace(sample, cluster=f"c{place // size}" if size > 1 else "") for place, sample in enumerate(samples(count))
    ]
    verdicts = []
    for mine in (found, worse):
        run = world.run({"base": found, "m": mine}, each=lambda n, mine=mine: measured(n, *mine[n]))
        judged = world.judge(run, *({**rule, "model": "m"} for rule in RULES))
        verdicts.append([rule.verdict for rule in judged.rules])
    for rule, before, after in zip(RULES, *verdicts, strict=True):
        # Of a failed call the share of the failed knows what it was.
        known = becomes[0] == "answered" or (becomes[0] == "failed" and str(rule.get("metric")).startswith("share."))
        assert after in (WORSE if known else FEWER)[before], (rule, before, after)


def measured(n: int, outcome: str, correct: float | None) -> dict[str, Any]:
    """A latency and a judge's grade for what was answered."""
    if outcome != "answered":
        return {"latency": None}
    grade = 5.0 - n % 2 if correct else 1.0
    return {"latency": 1.0 + n / 100, "evaluations": [Evaluation("answer", "judge", "grade", grade)]}
