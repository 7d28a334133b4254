"""Node scores of several cells side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.benchmarks.report._views import CellView, EvaluatorView

MOST_CELLS = 6
"""Cells that stand side by side on a page."""


@dataclass(frozen=True)
class NodeRow:
    """One metric of one node over the cells; a cell in which the node was not evaluated has none."""

    node: str
    evaluator: str
    metric: str
    means: Sequence[EvaluatorView | None]


def side_by_side(cells: Sequence[CellView]) -> list[NodeRow]:
    """Rows in the order of the flow's nodes; none where the cells are one, too many, or of several flows."""
    if not 2 <= len(cells) <= MOST_CELLS or len({cell.scores.cell.flow for cell in cells}) > 1:
        return []
    order: Sequence[str] = cells[0].scores.cell.details.get("nodes") or []
    found = [{(e.node, e.evaluator, e.metric): e for e in cell.evaluators} for cell in cells]
    keys = sorted(
        {key for some in found for key in some if key[2]},
        key=lambda key: (order.index(key[0]) if key[0] in order else len(order), key),
    )
    return [NodeRow(*key, [some.get(key) for some in found]) for key in keys]
