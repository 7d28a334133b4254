"""What holds of every rule's evidence, whatever the outcomes are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.gate import Column, RuleConfig, decide, over_slices, weigh

OUTCOME = st.sampled_from([0.0, 1.0, 1.0, math.nan])
PAIRS = st.lists(st.tuples(OUTCOME, OUTCOME), min_size=1, max_size=80)
CLUSTER = st.sampled_from([0, 1, 3])
"""Samples a cluster; 0: all stand alone."""
RULES = st.one_of(
    st.builds(lambda p: {"min": p}, st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0])),
    st.builds(lambda p: {"metric": "share.failed", "max": p}, st.sampled_from([0.0, 0.05, 0.5])),
    st.builds(lambda m: {"no_worse_than": "x", "margin": m}, st.sampled_from([0.0, 0.05, 0.3])),
    st.just({"better_than": "x"}),
    st.builds(
        lambda m: {"metric": "n.e.defect", "no_worse_than": "x", "margin": m, "lower_is_better": True},
        st.sampled_from([0.0, 0.2]),
    ),
    st.builds(lambda m: {"metric": "latency_p50", "no_worse_than": "x", "margin": m}, st.sampled_from([0.0, 0.5])),
)


def column(values: list[float], size: int, *, stated: float | None = 0.0) -> Column:
    n = len(values)
    frame = pd.DataFrame(
        {
            "key": np.arange(n),
            "sample_id": np.arange(n),
            "cluster": [f"c{k // size}" if size else "" for k in range(n)],
            "category": [f"k{k % 3}" for k in range(n)],
            "super_category": "",
            "value": np.array(values, dtype=float),
        }
    )
    return Column(frame, 0.0, 1.0, stated, "have no answer")


def weighed(settings: dict[str, Any], pairs: list[tuple[float, float]], size: int) -> Any:
    rule = RuleConfig.model_validate(settings)
    stated = None if "." in rule.metric and not rule.metric.startswith("share") else 0.0
    if rule.metric.startswith("latency"):
        pairs = [(1.0 + a + k / 97, 1.0 + b + k / 89) for k, (a, b) in enumerate(pairs)]
        stated = None
    ours = column([a for a, _ in pairs], size, stated=stated)
    theirs = column([b for _, b in pairs], size, stated=stated) if rule.opponent else None
    return rule, weigh(rule, ours, theirs)


def verdict(rule: RuleConfig, evidence: Any) -> str:
    ((found, _),) = decide([(rule, evidence)])
    return found


@given(RULES, PAIRS, CLUSTER)
def test_every_rule_gets_a_verdict_and_never_both(settings: dict[str, Any], pairs: Any, size: int) -> None:
    rule, evidence = weighed(settings, pairs, size)
    assert verdict(rule, evidence) in ("pass", "fail", "inconclusive", "unmeasurable")
    known = [p for p in (evidence.p_pass, evidence.p_fail) if p is not None]
    assert all(0.0 <= p <= 1.0 for p in known)
    if len(known) == 2 and not evidence.counted:
        assert max(known) > rule.alpha
    if evidence.value is not None and evidence.low is not None:
        assert evidence.low - 1e-9 <= evidence.value <= evidence.high + 1e-9


@given(RULES, PAIRS, CLUSTER, st.data())
def test_losing_an_answer_never_decides(settings: dict[str, Any], pairs: Any, size: int, data: st.DataObject) -> None:
    rule, before = weighed(settings, pairs, size)
    lost = data.draw(st.sets(st.integers(0, len(pairs) - 1)))
    fewer = [(math.nan if k in lost else a, b) for k, (a, b) in enumerate(pairs)]
    if rule.metric.startswith("latency"):
        return  # a latency is made from the outcome here
    _, after = weighed(settings, fewer, size)
    for decided in ("pass", "fail"):
        if verdict(rule, after) == decided and size == 0:
            assert verdict(rule, before) == decided


@given(PAIRS, st.sampled_from(["holm", "benjamini-hochberg"]))
def test_all_slices_pass_only_if_each_does(pairs: Any, correction: str) -> None:
    rule = RuleConfig.model_validate({"min": 0.5, "slices": "category", "correction": correction})
    whole = column([a for a, _ in pairs], 0)
    parts = {name: weigh(rule, whole.of("category", name)) for name in whole.slices("category")}
    joined = over_slices(rule, parts)
    each = {name: verdict(rule, part) for name, part in parts.items()}
    found = verdict(rule, joined)
    assert (found == "pass") == all(one == "pass" for one in each.values())
    if found == "fail":
        assert joined.failing
    assert all(each[name] == "fail" for name in joined.failing)
    assert joined.n == len(pairs)


@given(st.lists(OUTCOME, min_size=30, max_size=60), st.integers(1, 8))
def test_more_checks_never_make_a_failure(values: list[float], more: int) -> None:
    rule = RuleConfig.model_validate({"min": 0.7})
    evidence = weigh(rule, column(values, 0))
    (alone, _), *_ = decide([(rule, evidence)])
    (among, _), *_ = decide([(rule, evidence)] * (1 + more))
    assert (among == "pass") == (alone == "pass")
    assert among != "fail" or alone == "fail"
