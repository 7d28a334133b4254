"""Which samples two conventions score differently, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.conventions._convention import Convention
from driftgate.benchmarks.conventions._rescore import ConventionScores, rescore
from driftgate.benchmarks.metrics import right
from driftgate.ledger import CellRow, Ledger

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reason:
    """Samples that differ for one reason."""

    text: str
    sample_ids: Sequence[int]
    right_before: int
    """How many of them were counted right by the first convention."""
    right_after: int
    counted_before: int
    """How many of them were in the denominator of the first convention."""
    counted_after: int

    @property
    def n(self) -> int:
        """How many samples."""
        return len(self.sample_ids)


@dataclass(frozen=True)
class Difference:
    """A cell under two conventions."""

    before: ConventionScores
    after: ConventionScores
    reasons: Sequence[Reason]
    """The most frequent first; every sample that differs stands in one."""
    samples: pd.DataFrame
    """The samples that differ: ``sample_id, key, reason`` and for both conventions, ``_before`` and ``_after``,
    ``outcome, answer, correct, rule, counted``."""

    @property
    def averaging_differs(self) -> bool:
        """Whether the same samples are also averaged otherwise."""
        return self.before.convention.averaging != self.after.convention.averaging


def score_difference(ledger: Ledger, cell: CellRow, before: Convention, after: Convention) -> Difference:
    """Score a cell by two conventions and say which samples differ and why.

    Raises
    ------
    DriftgateError
        A convention needs what the run did not store.
    """
    scores = rescore(ledger, cell, before), rescore(ledger, cell, after)
    columns = ["sample_id", "key", "outcome", "answer", "correct", "rule", "counted"]
    frames = [s.frame[columns].assign(right=right(s.frame)) for s in scores]
    both = frames[0].merge(frames[1].drop(columns="key"), on="sample_id", suffixes=("_before", "_after"))
    both = both.assign(reason=_reasons(both, before.name, after.name))
    differing = both[both["reason"] != ""]
    reasons = [
        Reason(
            str(text),
            [int(i) for i in part["sample_id"]],
            *(int((part[f"right_{side}"] * part[f"counted_{side}"]).sum()) for side in ("before", "after")),
            *(int(part[f"counted_{side}"].sum()) for side in ("before", "after")),
        )
        for text, part in differing.groupby("reason")
    ]
    ordered = sorted(reasons, key=lambda reason: -reason.n)
    return Difference(*scores, ordered, differing.reset_index(drop=True))


def _reasons(both: pd.DataFrame, before: str, after: str) -> pd.Series[str]:
    """Why each sample differs, empty where it does not; shape (n,)."""
    same = both["outcome_before"].eq(both["outcome_after"]) & _equal(both["answer_before"], both["answer_after"])
    read = "read differently: " + _said(both, "before") + " → " + _said(both, "after")
    reasons = read.where(~same & (both["counted_before"] | both["counted_after"]), "")
    judged = same & ~_equal(both["correct_before"].fillna(0.0), both["correct_after"].fillna(0.0))
    reasons = reasons.mask(judged, "judged by another right answer")
    lost = both["counted_before"] & ~both["counted_after"]
    reasons = reasons.mask(lost, both["outcome_after"] + f": counted by {before}, dropped by {after}")
    gained = ~both["counted_before"] & both["counted_after"]
    return reasons.mask(gained, both["outcome_after"] + f": dropped by {before}, counted by {after}")


def _said(both: pd.DataFrame, side: str) -> pd.Series[str]:
    """``right``, ``wrong``, or the outcome of what was not answered."""
    words = both[f"right_{side}"].ge(1).map({True: "right", False: "wrong"})
    return words.where(both[f"outcome_{side}"] == "answered", both[f"outcome_{side}"])


def _equal(ours: pd.Series[Any], theirs: pd.Series[Any]) -> pd.Series[bool]:
    same: pd.Series[bool] = ours.eq(theirs) | (ours.isna() & theirs.isna())
    return same
