"""Cells of the ledger beside each other: differences with intervals, the Pareto front, flips and suspect keys."""

from driftgate.benchmarks.compare._choose import agreeing_cells, comparable_cells, having, labels, named_cells
from driftgate.benchmarks.compare._compare import (
    Comparisons,
    DatasetComparison,
    compare_cells,
    compare_scored,
    compare_two,
)
from driftgate.benchmarks.compare._difference import Difference, Directions, Finding
from driftgate.benchmarks.compare._entry import Entry
from driftgate.benchmarks.compare._pair import SLICES, Pair, compare_pair
from driftgate.benchmarks.compare._pareto import Standing, standings, why_unused
from driftgate.benchmarks.compare._plan import Design, assumed_design, half_observed, observed_design, round_sizes
from driftgate.benchmarks.compare._ranks import MANY, Rank, Ranking
from driftgate.benchmarks.compare._samples import SuspectKeys, flips, suspect_keys

__all__ = [
    "MANY",
    "SLICES",
    "Comparisons",
    "DatasetComparison",
    "Design",
    "Difference",
    "Directions",
    "Entry",
    "Finding",
    "Pair",
    "Rank",
    "Ranking",
    "Standing",
    "SuspectKeys",
    "agreeing_cells",
    "assumed_design",
    "comparable_cells",
    "compare_cells",
    "compare_pair",
    "compare_scored",
    "compare_two",
    "flips",
    "half_observed",
    "having",
    "labels",
    "named_cells",
    "observed_design",
    "round_sizes",
    "standings",
    "suspect_keys",
    "why_unused",
]
