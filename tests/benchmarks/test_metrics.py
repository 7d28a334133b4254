"""Metrics and scores of small cells, checked against numbers computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.metrics import METRICS
from driftgate.benchmarks.outcomes import OUTCOMES
from driftgate.benchmarks.scores import score_cell, score_run
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import Ledger, Record, cells_of, record, scores_of


def frame(rows: list[tuple[str, float | None, str]], **columns: Any) -> pd.DataFrame:
    """One row a sample: outcome, correct, category."""
    made = pd.DataFrame(rows, columns=["outcome", "correct", "category"]).astype({"correct": float})
    made["sample_id"] = range(len(made))
    defaults = {"cluster": "", "latency": 0.5, "cost": 0.01, "input_tokens": 10, "output_tokens": 2}
    return made.assign(**(defaults | columns))


# Category X: three of four right. Y: none of two. Z: one truncated, one failed.
MIXED = frame(
    [
        ("answered", 1.0, "X"),
        ("answered", 1.0, "X"),
        ("answered", 1.0, "X"),
        ("answered", 0.0, "X"),
        ("answered", 0.0, "Y"),
        ("answered", 0.0, "Y"),
        ("truncated", 0.0, "Z"),
        ("failed", None, "Z"),
    ],
    latency=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, None],
)


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "n"),
    [
        # Wilson's interval, by statsmodels.stats.proportion.proportion_confint(3, 8, method="wilson") and so on.
        ("accuracy", 3 / 8, 0.136844, 0.694258, 8),
        ("accuracy_if_right", 5 / 8, 0.305742, 0.863156, 8),
        ("accuracy_answered", 3 / 6, 0.187616, 0.812384, 6),
        ("accuracy_macro", (3 / 4 + 0 + 0) / 3, None, None, 8),
        ("share.answered", 6 / 8, None, None, 8),
        ("share.truncated", 1 / 8, None, None, 8),
        ("share.failed", 1 / 8, None, None, 8),
        ("share.missing", 0.0, 0.0, None, 8),
        ("latency_p50", 0.4, None, None, 7),
        ("cost", 0.08, 0.08, 0.08, 8),
        ("input_tokens", 80.0, 80.0, 80.0, 8),
        ("output_tokens", 16.0, 16.0, 16.0, 8),
    ],
)
def test_by_hand(metric: str, value: float, low: float | None, high: float | None, n: int) -> None:
    interval = METRICS[metric](MIXED)
    assert interval.estimate == pytest.approx(value)
    assert interval.n == n
    if low is not None:
        assert interval.low == pytest.approx(low, abs=1e-6)
    if high is not None:
        assert interval.high == pytest.approx(high, abs=1e-6)


def test_the_shares_of_all_outcomes_are_the_whole() -> None:
    assert sum(METRICS[f"share.{outcome}"](MIXED).estimate or 0.0 for outcome in OUTCOMES) == pytest.approx(1.0)


def test_the_bounds_hold_every_completion_of_the_missing() -> None:
    low, high = METRICS["accuracy"](MIXED).estimate, METRICS["accuracy_if_right"](MIXED).estimate
    for truncated in (0.0, 1.0):
        for failed in (0.0, 1.0):
            completed = MIXED.assign(outcome="answered", correct=[1, 1, 1, 0, 0, 0, truncated, failed])
            assert low is not None and high is not None
            assert low <= (METRICS["accuracy"](completed).estimate or 0.0) <= high


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_a_cell_in_which_everything_failed_has_every_metric(metric: str) -> None:
    lost = frame([("failed", None, "X")] * 4, latency=[None] * 4, cost=0.0)
    interval = METRICS[metric](lost.astype({"latency": float}))
    expected = {"accuracy": 0.0, "accuracy_if_right": 1.0, "accuracy_macro": 0.0, "share.failed": 1.0}
    if metric in expected:
        assert interval.estimate == expected[metric]
    if metric in ("accuracy_answered", "latency_p50", "latency_p95"):
        assert interval.estimate is None and interval.reason


def test_an_answer_that_could_not_be_judged_is_no_wrong_answer_for_sure() -> None:
    unjudged = frame([("answered", 1.0, "X"), ("answered", None, "X")])
    assert METRICS["accuracy"](unjudged).estimate == 0.5
    assert METRICS["accuracy_if_right"](unjudged).estimate == 1.0


def test_samples_of_one_passage_make_the_interval_wider() -> None:
    rows = [("answered", float(n // 4 % 2), "X") for n in range(40)]
    alone = METRICS["accuracy"](frame(rows))
    shared = METRICS["accuracy"](frame(rows, cluster=[f"p{n // 4}" for n in range(40)]))
    assert alone.estimate == shared.estimate == 0.5
    assert None not in (alone.low, alone.high, shared.low, shared.high)
    assert shared.high - shared.low > 1.5 * (alone.high - alone.low)  # type: ignore[operator]


def test_samples_without_a_passage_stand_alone_beside_those_with_one() -> None:
    rows = [("answered", float(n % 2), "X") for n in range(10)]
    interval = METRICS["accuracy"](frame(rows, cluster=["p", "p", "p", *[""] * 7]))
    assert interval.estimate == 0.5
    assert interval.method != METRICS["accuracy"](frame(rows)).method


def test_graded_answers_are_not_rounded() -> None:
    graded = frame([("answered", 0.4, "X"), ("answered", 0.5, "X"), ("answered", 0.9, "Y"), ("answered", 0.1, "Y")])
    assert METRICS["accuracy"](graded).estimate == pytest.approx(0.475)
    assert METRICS["accuracy_macro"](graded).estimate == pytest.approx((0.45 + 0.5) / 2)


Samples = Callable[..., list[Sample]]


def test_scores_of_a_cell_in_the_ledger(
    ledger: Ledger, samples: Samples, add: Callable[..., Any], fill: Callable[..., None]
) -> None:
    run, cell, ids = add(ledger, samples(6))
    found = [("answered", 1.0), ("answered", 0.0), ("answered", 1.0), ("answered", 1.0), ("filtered", None), None]
    fill(ledger, cell, ids, found)
    (scores,) = score_run(ledger, run.id)
    assert scores.outcomes == {
        "answered": 4,
        "unparsed": 0,
        "truncated": 0,
        "filtered": 1,
        "failed": 0,
        "missing": 1,
    }
    accuracy = scores.get("accuracy")
    assert accuracy is not None
    assert (accuracy.value, accuracy.n) == (0.5, 6)
    by_category = {row.slice: (row.value, row.n) for row in scores.of_kind("accuracy", "category")}
    assert by_category == {"범주 0": (1.0, 2), "범주 1": (0.0, 2), "범주 2": (0.5, 2)}  # of q0 q3, q1 q4, q2 q5
    by_super = {row.slice: (row.value, row.n) for row in scores.of_kind("accuracy", "super_category")}
    assert by_super == {"HUMSS": (2 / 3, 3), "STEM": (1 / 3, 3)}
    upper = {row.slice: row.value for row in scores.of_kind("accuracy_if_right", "category")}
    assert upper == {"범주 0": 1.0, "범주 1": 0.5, "범주 2": 1.0}
    assert scores_of(ledger, cell, "v1") == scores.rows


def test_scoring_again_asks_nobody_and_stores_only_when_told(
    ledger: Ledger, samples: Samples, add: Callable[..., Any], fill: Callable[..., None]
) -> None:
    run, cell, ids = add(ledger, samples(3))
    fill(ledger, cell, ids, [("answered", 1.0)] * 3)
    one = score_run(ledger, run.id, store=False)
    assert scores_of(ledger, cell, "v1") == []
    assert one[0].rows == score_cell(ledger, cells_of(ledger, run.id)[0]).rows


def test_evaluators_have_their_means(
    ledger: Ledger, samples: Samples, add: Callable[..., Any], entry: Callable[..., Record]
) -> None:
    run, cell, ids = add(ledger, samples(4))
    values = [(1.0, 0.2), (1.0, 0.4), (0.0, 0.9), (None, None)]

    def found(share: float | None, grade: float | None) -> list[Evaluation]:
        pairs = {"share": share, "grade": grade, "label": None}
        return [Evaluation("ask", "it", metric, value) for metric, value in pairs.items()]

    rows = zip(ids.values(), values, strict=True)
    record(ledger, [entry(cell, number, evaluations=found(*value)) for number, value in rows])
    (scores,) = score_run(ledger, run.id)
    share, grade = scores.get("ask.it.share"), scores.get("ask.it.grade")
    assert share is not None and grade is not None
    assert (share.value, share.n) == (pytest.approx(2 / 3), 3)
    assert (share.low, share.high) == (pytest.approx(0.207660, abs=1e-6), pytest.approx(0.938508, abs=1e-6))  # Wilson
    # Mean 0.5, sample standard deviation sqrt(0.13), t(2) at 0.975 is 4.302653.
    assert grade.value == pytest.approx(0.5)
    assert grade.high == pytest.approx(0.5 + 4.302653 * (0.13 / 3) ** 0.5)
    assert scores.get("ask.it.label") is None
