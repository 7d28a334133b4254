"""Where two cells on the same dataset differ most, category by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.benchmarks.compare import Difference as Compared
from driftgate.benchmarks.compare import Entry, compare_pair
from driftgate.benchmarks.report._views import CellView
from driftgate.benchmarks.stats import Comparison


@dataclass(frozen=True)
class Difference:
    """Two cells' accuracy on the samples of a category that both were asked."""

    cell: CellView
    reference: CellView
    compared: Compared

    @property
    def category(self) -> str:
        """The category's name."""
        return self.compared.name

    @property
    def accuracy(self) -> float | None:
        """The cell's accuracy."""
        return self.compared.candidate

    @property
    def reference_accuracy(self) -> float | None:
        """The reference's accuracy."""
        return self.compared.reference

    @property
    def comparison(self) -> Comparison:
        """The difference with its interval."""
        return self.compared.comparison

    @property
    def p_adjusted(self) -> float | None:
        """Benjamini and Hochberg's, over the categories of this pair of cells."""
        return self.compared.p_adjusted

    @property
    def certain(self) -> float:
        """How large the difference is at least."""
        return self.compared.certain


def category_differences(cells: Sequence[CellView], most: int) -> list[Difference]:
    """The differences between the first of some cells on one dataset and each of the others, the surest first.

    Only those whose interval excludes zero and that unanswered samples could not turn, ordered by what it leaves of
    them and not by their size: the largest raw differences are those of the smallest categories.
    """
    found = [difference for cell in cells[1:] for difference in _pair(cell, cells[0]) if difference.certain > 0]
    found.sort(key=lambda d: (-d.certain, -abs(d.comparison.difference or 0.0)))
    return found[:most]


def _pair(cell: CellView, reference: CellView) -> list[Difference]:
    pair = compare_pair(Entry(cell.short_name, cell.scores), Entry(reference.short_name, reference.scores))
    return [Difference(cell, reference, compared) for compared in pair.of_kind("category")]
