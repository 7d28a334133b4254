"""Parity: a flow and its port on the same samples, shown to do the same, shown to differ, or neither."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.benchmarks.parity._compare import EXIT_CODES, CellPair, NodeDifference, Parity, compare_cells
    from driftgate.benchmarks.parity._quantity import Quantity, Verdict, churn_quantity, decided, score_quantity
    from driftgate.benchmarks.parity._samples import DifferingSample
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "EXIT_CODES",
    "CellPair",
    "DifferingSample",
    "NodeDifference",
    "Parity",
    "Quantity",
    "Verdict",
    "churn_quantity",
    "compare_cells",
    "decided",
    "score_quantity",
]
