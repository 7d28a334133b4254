"""What the evaluators and aggregation nodes of a cell made of its lines, read from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from driftgate.benchmarks.stats import Interval, wilson_interval
from driftgate.ledger import (
    AggregationRow,
    CellRow,
    Ledger,
    ScoreRow,
    aggregations_of,
    evaluation_means,
    evaluators_heard,
)

EVALUATORS = "evaluators"
"""Under which a cell's description names the evaluators that are bound to its nodes."""


@dataclass(frozen=True)
class EvaluatorMean:
    """How often an evaluator gave one of its metrics a value, and how often it failed."""

    node: str
    evaluator: str
    metric: str
    """Empty where it gave none, as it failed."""
    n: int
    errors: int
    error: str = ""
    """One of its errors."""

    @property
    def key(self) -> str:
        """``node.evaluator``."""
        return f"{self.node}.{self.evaluator}"

    @property
    def name(self) -> str:
        """``node.evaluator.metric``; without a metric ``node.evaluator``."""
        return f"{self.key}.{self.metric}".rstrip(".")


@dataclass(frozen=True)
class NodeScores:
    """What evaluators and aggregation nodes say of a cell."""

    rows: list[ScoreRow]
    """Of every metric that has a value."""
    means: list[EvaluatorMean]
    aggregations: Sequence[AggregationRow]


def node_scores(ledger: Ledger, cell: CellRow) -> NodeScores:
    """What evaluators and aggregation nodes say of a cell; its answers are not read."""
    rows, means = [], []
    for mean in evaluation_means(ledger, cell.id):
        names = mean["node"], mean["evaluator"], mean["metric"]
        means.append(EvaluatorMean(*names, int(mean["n"]), mean["errors"], mean["error"]))
        if mean["n"]:
            row = score_row(".".join(names), "all", "", _mean(mean))
            rows.append(replace(row, low=None, high=None) if cell.stopped else row)
    aggregations = aggregations_of(ledger, cell.id)
    means += _unheard(ledger, cell, means, aggregations)
    for made in aggregations:
        for name, value in sorted(made.metrics.items()):
            rows.append(score_row(f"{made.prefix}{name}", "all", "", _logged(value, made.n)))
    return NodeScores(rows, means, aggregations)


def score_row(metric: str, kind: str, slice_name: str, interval: Interval) -> ScoreRow:
    """An interval as the ledger keeps the score of a metric."""
    return ScoreRow(metric, kind, slice_name, interval.estimate, interval.low, interval.high, interval.n)


def _unheard(
    ledger: Ledger, cell: CellRow, heard: Sequence[EvaluatorMean], aggregations: Sequence[AggregationRow]
) -> list[EvaluatorMean]:
    """The evaluators that are bound to the cell's nodes and gave no number: words alone, or nothing."""
    known = {(one.node, one.evaluator) for one in heard} | {(made.node, made.evaluator) for made in aggregations}
    bound = [tuple(str(key).rsplit(".", 1)) for key in (cell.details.get(EVALUATORS) or {}).get("bound", ())]
    silent = [(node, name) for node, name in bound if (node, name) not in known]
    if not silent:
        return []
    gave = evaluators_heard(ledger, cell.id)
    if not gave:  # nothing was evaluated, as no sample was answered, or they were evaluated elsewhere
        return []
    why = "it gave nothing: its node completed on no sample"
    return [EvaluatorMean(*key, "", 0, 0, "" if key in gave else why) for key in silent]


def _logged(value: float, n: int) -> Interval:
    reason = "an aggregation node logs one number for all lines"
    return Interval.unknown(value, level=0.95, method="aggregation node", n=n, reason=reason)


def _mean(row: dict[str, Any]) -> Interval:
    """Interval of an evaluator's mean: Wilson's for shares, Student's t for grades (population variance given)."""
    n, mean = int(row["n"]), float(row["mean"])
    if row["binary"]:
        return wilson_interval(round(mean * n), n)
    if n < 2:
        return Interval.unknown(mean, level=0.95, method="t", n=n, reason="one value has no spread")
    if not row["sd"]:  # Student's t would have no width, and hold the truth almost never
        return Interval.unknown(mean, level=0.95, method="t", n=n, reason="all values are alike")
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975)) * float(row["sd"]) / (n - 1) ** 0.5
    return Interval(mean, mean - half, mean + half, 0.95, "t", n)
