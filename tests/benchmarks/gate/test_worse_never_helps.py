"""Worse evidence never improves a verdict: of every kind of rule, clustered and not, from one sample up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftgate.benchmarks.gate import Column, Evidence, RuleConfig, decide, over_slices, weigh
from driftgate.flows.evaluators import Evaluation

WORSE = {
    "pass": {"pass", "inconclusive", "unmeasurable", "fail"},
    "inconclusive": {"inconclusive", "unmeasurable", "fail"},
    "unmeasurable": {"inconclusive", "unmeasurable", "fail"},
    "fail": {"fail"},
}
"""What a verdict may become when an answer is worse."""
FEWER = WORSE | {"unmeasurable": {"unmeasurable", "fail"}, "fail": {"fail", "unmeasurable"}}
"""And when it is missing."""
SHAPES = ("alone", "pairs", "threes", "one", "halves", "unequal", "big")


def labels(shape: str, n: int) -> list[str]:
    """Clusters of the samples: none, of two, of three, one of all, two, of 1 to 5, one with half of the samples."""
    places = range(n)
    if shape == "alone":
        return [""] * n
    if shape == "one":
        return ["c"] * n
    if shape == "halves":
        return [f"c{k % 2}" for k in places]
    if shape == "unequal":
        return [f"c{i}" for i, size in enumerate(np.resize([1, 5, 2, 4, 3], n)) for _ in range(size)][:n]
    if shape == "big":
        return ["c" if k < n // 2 else "" for k in places]
    return [f"c{k // {'pairs': 2, 'threes': 3}[shape]}" for k in places]


class Kind:
    """A kind of rule: its settings, the values that a sample can have, and how they are kept."""

    def __init__(
        self,
        settings: dict[str, Any],
        values: Sequence[float],
        *,
        stated: float | None = 0.0,
        scale: tuple[float, float] = (0.0, 1.0),
        apart: bool = False,
    ) -> None:
        self.rule = RuleConfig.model_validate(settings)
        self.values, self.stated, self.scale, self.apart = values, stated, scale, apart

    def __repr__(self) -> str:
        return self.rule.text + (" (unpaired)" if self.apart else "")

    @property
    def sign(self) -> float:
        """-1 where a smaller value is the better one."""
        if self.rule.opponent is None:
            return 1.0 if self.rule.side == "above" else -1.0
        return -1.0 if self.rule.less_is_better else 1.0

    def column(self, values: Sequence[float], shape: str, first: int = 0) -> Column:
        n = len(values)
        frame = pd.DataFrame(
            {
                "key": np.arange(first, first + n),
                "sample_id": np.arange(first, first + n),
                "cluster": labels(shape, n),
                "category": [f"k{k % 3}" for k in range(n)],
                "super_category": "",
                "value": np.array(values, dtype=float),
            }
        )
        return Column(frame, *self.scale, self.stated, "have no value")

    def weigh(self, ours: Sequence[float], theirs: Sequence[float], shape: str) -> Evidence:
        mine = self.column(ours, shape)
        reference = None
        if self.rule.opponent is not None:
            reference = self.column(theirs, shape, first=len(ours) if self.apart else 0)
        if self.rule.slices is None:
            return weigh(self.rule, mine, reference, plan=False)
        parts = {
            name: weigh(
                self.rule,
                mine.of("category", name),
                None if reference is None else reference.of("category", name),
                plan=False,
            )
            for name in mine.slices("category")
        }
        return over_slices(self.rule, parts)

    def verdict(self, evidence: Evidence) -> str:
        ((found, _),) = decide([(self.rule, evidence)])
        return found


RIGHT = (1.0, 1.0, 1.0, 1.0, 0.0)
HARM = (0.0, 0.0, 0.0, 0.0, 1.0)
GRADES = (5.0, 5.0, 4.0, 3.0, 1.0)
GRADE = "answer.judge.grade"
SECONDS = (0.5, 0.7, 0.9, 1.1, 1.6, 3.0)
PRICES = (0.001, 0.002, 0.002, 0.003, 0.02)
ENDLESS = (-math.inf, math.inf)
KINDS = [
    *(Kind({"min": limit}, RIGHT) for limit in (0.1, 0.5, 0.8, 0.95, 1.0)),
    Kind({"max": 0.3}, RIGHT),
    Kind({"min": 0.5}, (1.0, 1.0, 0.5, 0.25, 0.0)),
    Kind({"metric": "accuracy_macro", "min": 0.5}, RIGHT),
    Kind({"min": 0.4, "slices": "category"}, RIGHT),
    Kind({"metric": "share.failed", "max": 0.1}, HARM),
    Kind({"metric": "share.failed", "max": 0.0}, HARM),
    *(Kind({"no_worse_than": "x", "margin": margin}, RIGHT) for margin in (0.0, 0.05, 0.1, 0.3)),
    Kind({"no_worse_than": "x", "margin": 0.1}, (1.0, 1.0, 0.75, 0.5, 0.0)),
    Kind({"no_worse_than": "x", "margin": 0.3, "slices": "category"}, RIGHT),
    Kind({"better_than": "x"}, RIGHT),
    Kind({"better_than": "x"}, (1.0, 1.0, 0.5, 0.0, 0.0)),
    Kind({"metric": "share.failed", "no_worse_than": "x", "margin": 0.1}, HARM),
    Kind({"metric": "n.e.defect", "no_worse_than": "x", "margin": 0.2, "lower_is_better": True}, HARM, stated=None),
    Kind({"no_worse_than": "x", "margin": 0.2}, RIGHT, apart=True),
    Kind({"metric": GRADE, "min": 3.5}, GRADES, stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "min": 3.5}, GRADES, stated=None, scale=ENDLESS),
    Kind({"metric": GRADE, "max": 3.5}, GRADES[::-1], stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "no_worse_than": "x", "margin": 0.5}, GRADES, stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "better_than": "x"}, GRADES, stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "no_worse_than": "x", "margin": 0.5}, GRADES, stated=None, scale=ENDLESS),
    Kind({"metric": GRADE, "no_worse_than": "x", "margin": 1}, GRADES, stated=None, scale=(1.0, 5.0), apart=True),
    *(Kind({"metric": f"latency_{q}", "max": 1.5}, SECONDS, stated=None, scale=ENDLESS) for q in ("p50", "p95")),
    Kind({"metric": "latency_p50", "no_worse_than": "x", "margin": 0.5}, SECONDS, stated=None, scale=ENDLESS),
    Kind({"metric": "cost_per_sample", "max": 0.003}, PRICES, scale=(0.0, math.inf)),
    Kind({"metric": "cost", "no_worse_than": "x", "margin": 1.0}, PRICES, scale=(0.0, math.inf)),
    Kind({"metric": "output_tokens", "better_than": "x"}, (5.0, 7.0, 7.0, 9.0, 40.0), scale=(0.0, math.inf)),
]


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


def not_smaller(first: float | None, second: float | None) -> bool:
    """Whether the second p-value is at least the first; below what a search for a p-value is exact to nobody looks."""
    return first is None or second is None or second >= first * (1.0 - 2e-3) - 1e-9
