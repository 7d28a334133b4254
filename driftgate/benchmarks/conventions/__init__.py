"""Scoring conventions: how outcomes become a number. One stored run can be scored by any of them.

A convention is a module of this package that exposes ``CONVENTION``; see :class:`Convention`.
"""

from driftgate.benchmarks.conventions._convention import CONVENTIONS, Convention, convention_names, find_convention
from driftgate.benchmarks.conventions._difference import Difference, Reason, score_difference
from driftgate.benchmarks.conventions._rescore import ConventionScores, rescore, store_scores

__all__ = [
    "CONVENTIONS",
    "Convention",
    "ConventionScores",
    "Difference",
    "Reason",
    "convention_names",
    "find_convention",
    "rescore",
    "score_difference",
    "store_scores",
]
