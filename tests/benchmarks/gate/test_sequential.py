"""A gate that stops its run: worse evidence never helps it, and it says beforehand where it never could stop one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.benchmarks.gate import Asked, Column, GateConfig, RuleConfig, check_stops, weigh_at_looks
from driftgate.benchmarks.gate._path import Path, decisions
from driftgate.benchmarks.looks import Looks
from driftgate.benchmarks.stats import holm
from driftgate.flows.errors import DriftgateError

ORDER = ["pass", "inconclusive", "fail"]
"""From the best to the worst."""
LOOKS = Looks("g", 3, block=10)
RIGHT = (1.0, 1.0, 1.0, 0.0)
KINDS: list[tuple[dict[str, Any], tuple[float, ...], tuple[float, float], float | None]] = [
    ({"min": 0.5}, RIGHT, (0.0, 1.0), 0.0),
    ({"max": 0.3}, RIGHT, (0.0, 1.0), 0.0),
    ({"no_worse_than": "x", "margin": 0.1}, RIGHT, (0.0, 1.0), 0.0),
    ({"better_than": "x"}, RIGHT, (0.0, 1.0), 0.0),
    ({"metric": "share.failed", "no_worse_than": "x", "margin": 0.2}, (0.0, 0.0, 0.0, 1.0), (0.0, 1.0), 0.0),
    ({"metric": "n.judge.grade", "min": 3.5, "scale": (1, 5)}, (5.0, 5.0, 4.0, 1.0), (1.0, 5.0), None),
    ({"metric": "latency_p50", "max": 1.5}, (0.5, 0.9, 1.6, 3.0), (-math.inf, math.inf), None),
    ({"metric": "cost_per_sample", "max": 0.003}, (0.001, 0.002, 0.004, 0.02), (0.0, math.inf), 0.0),
    ({"metric": "cost", "max": 0.1}, (0.001, 0.002, 0.004, 0.02), (0.0, math.inf), 0.0),
]


def column(values: Sequence[float], size: int, scale: tuple[float, float], stated: float | None) -> Column:
    n = len(values)
    clusters = ["" if size == 1 else f"c{place // size}" for place in range(n)]
    columns: dict[str, Any] = {"key": [f"k{place}" for place in range(n)], "sample_id": range(n), "cluster": clusters}
    frame = pd.DataFrame(columns | {"category": "", "super_category": "", "value": np.array(values, dtype=float)})
    return Column(frame, *scale, stated, "have no value")


def run(checks: Sequence[tuple[RuleConfig, Column, Column]]) -> tuple[list[str], int]:
    """The verdicts of a run that stops once all is decided, and how many samples it asked."""
    frame = checks[0][1].frame
    whole = Asked.of(LOOKS, frame, len(frame))
    for end in whole.ends:
        asked = Asked.of(LOOKS, frame, int(end))
        paths: list[Path | None] = []
        for rule, ours, theirs in checks:
            evidence = weigh_at_looks(rule, ours, theirs if rule.opponent else None, asked, plan=False)
            paths.append(evidence.path)
        made = decisions(paths, [rule.alpha for rule, *_ in checks], holm)
        if all(one.verdict for one in made):
            break
    return [one.verdict or "inconclusive" for one in made], int(end)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: RuleConfig.model_validate(kind[0]).text)
@settings(max_examples=4)
@given(data=st.data())
def test_a_worse_answer_never_improves_a_verdict_though_the_run_goes_on(kind: Any, data: st.DataObject) -> None:
    """Of what would have been answered to every question one is worse: the run may stop elsewhere, and see others."""
    worse_never_helps(kind, data)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: RuleConfig.model_validate(kind[0]).text)
@settings(max_examples=2_000)
@given(data=st.data())
def test_and_of_thousands_of_runs(kind: Any, data: st.DataObject) -> None:
    worse_never_helps(kind, data)


def worse_never_helps(kind: Any, data: st.DataObject) -> None:
    found, values, scale, stated = kind
    rule = RuleConfig.model_validate(found)
    beside = RuleConfig(min=0.6)
    n, size = data.draw(st.integers(20, 90)), data.draw(st.sampled_from([1, 3]))
    some = st.sampled_from(values)
    usual, odd = data.draw(some), data.draw(st.dictionaries(st.integers(0, n - 1), some, max_size=30))
    ours = [odd.get(place, usual) for place in range(n)]
    theirs = [data.draw(some)] * n
    others = [float(place % data.draw(st.sampled_from([2, 3, 50])) > 0) for place in range(n)]
    sign = -1.0 if rule.less_is_better or rule.max is not None else 1.0
    worse, missing = list(ours), data.draw(st.booleans())
    for place in data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=4)):
        below = [value for value in values if (value - worse[place]) * sign <= 0.0]
        worse[place] = math.nan if missing else data.draw(st.sampled_from(below))
    reference, accuracy = column(theirs, size, scale, stated), column(others, size, (0.0, 1.0), 0.0)
    verdicts = [
        run([(rule, column(mine, size, scale, stated), reference), (beside, accuracy, accuracy)])[0]
        for mine in (ours, worse)
    ]
    for before, after in zip(*verdicts, strict=True):
        assert ORDER.index(after) >= ORDER.index(before) or (missing and before == "fail" and after != "pass")


def test_what_was_decided_first_stands() -> None:
    """A check that failed at the second look is not passed at the fourth, to which another one made the run go on."""
    failed = Path(np.array([1.0, 1.0, 1.0, 0.001]), np.array([1.0, 0.01, 0.01, 0.01]))
    slow = Path(np.array([1.0, 1.0, 1.0, 0.04]), np.ones(4))
    both = Path(np.array([0.01]), np.array([0.01]))
    made = decisions([failed, slow, None], [0.05] * 3, holm)
    assert [(one.verdict, one.look) for one in made] == [("fail", 1), ("pass", 3), (None, 0)]
    assert decisions([both], [0.05], holm)[0].verdict == "fail"  # of both at once the graver


@pytest.mark.parametrize(
    ("found", "first", "then"),
    [
        ({"min": 0.7}, 1.0, 0.0),
        ({"min": 0.7}, 1.0, math.nan),
        ({"max": 0.3}, 0.0, 1.0),
        ({"no_worse_than": "x", "margin": 0.1}, 1.0, 0.0),
        ({"better_than": "x"}, 1.0, 0.0),
    ],
)
def test_a_look_shows_nothing_that_the_values_up_to_it_deny(found: dict[str, Any], first: float, then: float) -> None:
    """Most of a block wins the bet, and its rest takes the mean to the wrong side; turned round nothing is broken."""
    rule, looks = RuleConfig.model_validate(found), Looks("g", 3, block=100)
    order = looks.order([f"k{place}" for place in range(200)], [""] * 200)

    def evidence(early: float, late: float) -> tuple[float, float]:
        values = np.empty(200)
        values[order] = [early] * 20 + [late] * 180
        ours, theirs = (column(one, 1, (0.0, 1.0), 0.0) for one in (values.tolist(), [0.6] * 200))
        asked = Asked.of(looks, ours.frame, 100)
        path = weigh_at_looks(rule, ours, theirs if rule.opponent else None, asked, plan=False).path
        assert path is not None
        return path.at(0)

    assert evidence(first, first)[0] <= 0.05
    assert evidence(first, then)[0] == 1.0
    assert evidence(1.0 - first, first)[1] == 1.0


def test_a_mean_cost_holds_only_where_it_does_at_every_look() -> None:
    """Else a worse answer elsewhere, which makes the run go on, could bring the mean below its limit."""
    rule = RuleConfig(metric="cost_per_sample", max=1.0)
    order = LOOKS.order([f"k{place}" for place in range(40)], [""] * 40)
    costs = np.empty(40)
    costs[order] = [2.0] * 10 + [0.5] * 30
    whole = column(costs.tolist(), 1, (0.0, math.inf), 0.0)
    stopped = weigh_at_looks(rule, whole, None, Asked.of(LOOKS, whole.frame, 30))
    assert stopped.path is not None and stopped.path.p_pass.tolist() == [1.0, 1.0, 1.0]
    ended = weigh_at_looks(rule, whole, None, Asked.of(LOOKS, whole.frame, 40))
    assert ended.path is not None and ended.path.p_pass.tolist() == [1.0, 1.0, 1.0, 0.0]


def test_the_order_keeps_passages_whole_and_does_not_depend_on_the_file() -> None:
    keys = [f"k{place}" for place in range(60)]
    clusters = [f"p{place // 3}" if place < 30 else "" for place in range(60)]
    order = LOOKS.order(keys, clusters)
    there = {keys[place]: rank for rank, place in enumerate(order)}
    turned = LOOKS.order(keys[::-1], clusters[::-1])
    again = [clusters[::-1][place] or keys[::-1][place] for place in turned]
    assert [clusters[place] or keys[place] for place in order] == again
    for passage in range(10):
        ranks = sorted(there[f"k{3 * passage + place}"] for place in range(3))
        assert ranks[2] - ranks[0] == 2
    assert LOOKS.order(keys, clusters).tolist() != Looks("g", 4).order(keys, clusters).tolist()
    ends = LOOKS.ends([keys[place] for place in order], [clusters[place] for place in order])
    assert ends[-1] == 60
    for end in ends[:-1]:
        assert not clusters[order[end]] or clusters[order[end]] != clusters[order[end - 1]]


CELL = {"model": "m", "variant": "v", "dataset": "d"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "accuracy_macro", "min": 0.5}, "categories weigh alike"),
        ({"metric": "latency_p95", "no_worse_than": "previous", "margin": 0.2}, "no test that holds at every look"),
        ({"metric": "cost", "no_worse_than": "previous", "margin": 0.2}, "no test that holds at every look"),
        ({"metric": "cost", "min": 0.1}, "once all is asked"),
        ({"metric": "aggregate.accuracy", "min": 0.1}, "one number of all lines"),
        ({"metric": "answer.mine.words", "max": 0.1}, "give it a scale"),
        ({"metric": "share.failed", "max": 0.0}, "a single sample can break it"),
        ({"min": 0.5, "model": "other"}, "fits none of its cells"),
    ],
)
def test_a_gate_that_could_stop_no_run_is_refused(rule: dict[str, Any], said: str) -> None:
    gate = GateConfig.model_validate({"rules": [{"min": 0.5}, rule]})
    with pytest.raises(DriftgateError, match=said):
        check_stops("g", gate, [CELL])


def test_a_gate_that_could_is_not() -> None:
    rules: list[dict[str, Any]] = [
        {"min": 0.5, "slices": "category"},
        {"no_worse_than": "champion", "margin": 0.02},
        {"metric": "answer.mine.words", "max": 0.1, "scale": [0, 1]},
        {"metric": "n.judge.grade", "min": 4},
        {"metric": "latency_p95", "max": 2.0},
        {"metric": "cost_per_sample", "max": 0.1},
    ]
    judged = {"judges": {"n.judge": {"scale": [1, 5], "grade": "grade"}}}
    check_stops("g", GateConfig.model_validate({"rules": rules}), [CELL | judged])
