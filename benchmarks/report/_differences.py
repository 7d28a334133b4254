"""Where two cells on the same dataset differ most, category by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.metrics import right
from benchmarks.report._views import CellView
from benchmarks.stats import Comparison, benjamini_hochberg, compare_means, compare_paired

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Difference:
    """Two cells' accuracy on the samples of a category that both were asked."""

    dataset: str
    category: str
    cell: CellView
    reference: CellView
    accuracy: float
    reference_accuracy: float
    comparison: Comparison
    p_adjusted: float | None
    """Benjamini and Hochberg's, over the categories of this pair of cells."""

    @property
    def certain(self) -> float:
        """How large the difference is at least: the limit of its interval that is nearer to zero, or 0 inside."""
        low, high = self.comparison.interval.low, self.comparison.interval.high
        return 0.0 if low is None or high is None else max(low, -high, 0.0)


def category_differences(cells: Sequence[CellView], most: int) -> list[Difference]:
    """The differences between the first of some cells on one dataset and each of the others, the surest first.

    Only those whose interval excludes zero, ordered by what it leaves of them and not by their size: the largest raw
    differences are those of the smallest categories.
    """
    found = [difference for cell in cells[1:] for difference in _pair(cell, cells[0]) if difference.certain > 0]
    found.sort(key=lambda d: (-d.certain, -abs(d.comparison.difference or 0.0)))
    return found[:most]


def _pair(cell: CellView, reference: CellView) -> list[Difference]:
    both = _scored(cell).merge(_scored(reference)[["sample_id", "right"]], on="sample_id", suffixes=("", "_reference"))
    parts = [(str(category), part) for category, part in both[both["category"] != ""].groupby("category")]
    compared = [_compare(part) for _, part in parts]
    adjusted = benjamini_hochberg([c.p_value for c in compared])
    return [
        Difference(
            cell.dataset,
            category,
            cell,
            reference,
            float(part["right"].mean()),
            float(part["right_reference"].mean()),
            comparison,
            p,
        )
        for (category, part), comparison, p in zip(parts, compared, adjusted, strict=True)
    ]


def _scored(cell: CellView) -> pd.DataFrame:
    frame = cell.scores.frame
    return frame[["sample_id", "category", "cluster"]].assign(right=right(frame))


def _compare(part: pd.DataFrame) -> Comparison:
    ours, theirs = part["right"].to_numpy(), part["right_reference"].to_numpy()
    own_cluster = part["cluster"].where(part["cluster"] != "", part["sample_id"].astype(str))
    clusters = own_cluster.to_numpy() if 1 < own_cluster.nunique() < len(part) else None
    binary = part[["right", "right_reference"]].isin([0.0, 1.0]).all(axis=None)
    return (compare_paired if binary else compare_means)(ours, theirs, clusters=clusters)
