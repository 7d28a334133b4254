"""The values that a metric has sample by sample, and what a sample without one could have had.

A rule passes only if it holds with every missing value at its worst, and fails only if it is broken with every one at
its best; that is how a metric that was computed on half of the rows never passes silently.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from driftgate.benchmarks.costs import unpriced
from driftgate.benchmarks.gate._config import COUNTED, LATENCIES, RuleConfig
from driftgate.benchmarks.gate._quantities import Floats, Labels, is_binary
from driftgate.benchmarks.metrics import clusters_of, settled
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger, evaluation_frame

if TYPE_CHECKING:
    import pandas as pd

Filling = Literal["low", "stated", "high"]
"""Missing values as low as they can be, as the metric's own convention has them, as high as they can be."""
_OWN_DOING = ("unparsed", "truncated", "filtered")
"""Outcomes by which a model that is compared with gave its user nothing; what failed or is missing may be chance."""


@dataclass(frozen=True)
class Column:
    """A metric's value for every sample; NaN where it is missing."""

    frame: pd.DataFrame
    """One row a sample: ``key``, ``sample_id``, ``cluster``, ``category``, ``super_category``, ``value``."""
    low: float
    high: float
    """Between which a missing value lies."""
    stated: float | None
    """What a missing value counts as in the metric itself; None: it is left out."""
    lacking: str
    """What is missing, for a sentence: ``have no answer to judge``."""

    @property
    def missing(self) -> int:
        """How many samples have no value."""
        return int(self.frame["value"].isna().sum())

    @property
    def binary(self) -> bool:
        """Whether every value is 0 or 1."""
        return is_binary(self.frame["value"].dropna().to_numpy(dtype=float))

    def filled(self, filling: Filling) -> pd.DataFrame:
        """The frame with missing values put in, or left out where the metric leaves them out."""
        filled = self.frame.assign(value=self.array(filling))
        return filled if self.stated is not None else filled.dropna(subset="value")

    def array(self, filling: Filling) -> Floats:
        """The values with missing ones put in, or NaN where the metric leaves them out; shape (n,)."""
        value = {"low": self.low, "high": self.high, "stated": self.stated}[filling]
        values = np.array(self.frame["value"], dtype=np.float64)
        return values if value is None else np.where(np.isnan(values), value, values)

    def of(self, kind: str, name: str) -> Column:
        """The rows of one slice."""
        return replace(self, frame=self.frame[self.frame[kind] == name])

    def slices(self, kind: str) -> list[str]:
        """Names of the slices of a kind."""
        return sorted({str(name) for name in self.frame[kind]} - {""})


def values_of(frame: pd.DataFrame) -> Floats:
    """The frame's values; shape (n,)."""
    return np.asarray(frame["value"], dtype=np.float64)


def labels_of(frame: pd.DataFrame) -> Labels | None:
    """The frame's clusters as numbers, or None where every sample stands alone; shape (n,)."""
    labels = clusters_of(frame)
    return None if labels is None else np.unique(labels.astype(str), return_inverse=True)[1].astype(np.int64)


def column_of(ledger: Ledger, rule: RuleConfig, scores: CellScores, *, reference: bool = False) -> Column:
    """The values that a rule's metric has in a cell, within the rule's slice.

    Parameters
    ----------
    reference : bool
        The cell is what is compared with: what its model did not answer by its own doing is wrong there.

    Raises
    ------
    DriftgateError
        The cell has no such metric or no such slice.
    """
    column = _whole(ledger, rule, scores, reference=reference)
    return _sliced(rule.slice, column, scores, lenient=reference) if rule.slice else column


def _whole(ledger: Ledger, rule: RuleConfig, scores: CellScores, *, reference: bool) -> Column:
    frame, metric = scores.frame, rule.metric
    if metric == "accuracy_answered":
        frame = frame[frame["outcome"] == "answered"]
    if metric.startswith("accuracy"):
        known = settled(frame)
        value = frame["correct"].astype(float).where(known)
        if reference:
            value = value.mask(frame["outcome"].isin(_OWN_DOING), 0.0)
        if metric == "accuracy_if_right":
            value = value.fillna(1.0)
        return Column(_rows(frame, value), 0.0, 1.0, 0.0, "have no answer to judge")
    if metric.startswith("share."):
        return Column(
            _rows(frame, (frame["outcome"] == metric.removeprefix("share.")).astype(float)), 0.0, 1.0, 0.0, ""
        )
    if metric in LATENCIES:
        return Column(_rows(frame, frame["latency"].astype(float)), -np.inf, np.inf, None, "have no latency")
    if metric in COUNTED:
        name = "cost" if metric == "cost_per_sample" else metric
        known, lacking = _stated(name, scores)
        return Column(_rows(frame, frame[name].astype(float).where(known)), 0.0, np.inf, 0.0, lacking)
    return _evaluated(ledger, metric, scores)


def _stated(name: str, scores: CellScores) -> tuple[pd.Series[bool], str]:
    """Of which samples it is known what they took, and why of the others it is not."""
    frame = scores.frame
    known = frame[name].notna() & ~frame["outcome"].isin(("missing", "failed"))  # a failed call may have been charged
    if name != "cost":
        return known, f"have no {name.replace('_', ' ')}, as the service did not say or the call failed"
    kept = frame["cached"].eq(True)
    if unpriced(scores.cell.details) and not (frame["cost"] > 0).any():
        return known & False, "have no cost, as the workspace gives the model no prices"
    if (kept & known).any():
        return known & ~kept, "have no cost, as they were answered from replies that were kept"
    return known, "have no cost, as the service did not say how many tokens they took or the call failed"


def _rows(frame: pd.DataFrame, value: pd.Series[float]) -> pd.DataFrame:
    names = ["key", "sample_id", "cluster", "category", "super_category"]
    return frame[names].assign(value=np.asarray(value, dtype=np.float64))


def _evaluated(ledger: Ledger, name: str, scores: CellScores) -> Column:
    node, evaluator, metric = _parts(name, scores)
    newest = scores.frame[["sample_id", "round"]]
    found = evaluation_frame(ledger, scores.cell.id, node, evaluator).merge(newest, on=["sample_id", "round"])
    mine = found[found["metric"] == metric]
    errors = found[(found["error"] != "") & found["metric"].isin([metric, ""])]
    if mine.empty and errors.empty:
        known = sorted({row.metric for row in scores.rows})
        raise DriftgateError(f"a rule is about the metric '{name}', which was not measured", nearest(name, known))
    by_sample = mine.dropna(subset="value").set_index("sample_id")["value"]
    frame = scores.frame
    value = frame["sample_id"].map(by_sample).astype(float)
    graded = np.asarray(value.dropna(), dtype=np.float64)
    lacking = f"have no {name}"
    if len(errors):
        why = errors["error"].value_counts()
        lacking += f" ({len(errors)} because the evaluator failed, mostly: {str(why.index[0])[:120]})"
    if is_binary(graded):
        return Column(_rows(frame, value), 0.0, 1.0, None, lacking)
    # A grade has no scale that driftgate knows; the worst and the best that were given stand for its ends.
    return Column(_rows(frame, value), float(graded.min()), float(graded.max()), None, lacking)


def _parts(name: str, scores: CellScores) -> tuple[str, str, str]:
    """Node, evaluator and metric of a name; a metric may itself hold dots."""
    parts = name.split(".", 2)
    if len(parts) < 3:
        known = sorted({row.metric for row in scores.rows})
        raise DriftgateError(f"a rule is about the metric '{name}', which was not measured", nearest(name, known))
    return parts[0], parts[1], parts[2]


def _sliced(name: str, column: Column, scores: CellScores, *, lenient: bool) -> Column:
    for kind in ("category", "super_category"):
        if name in column.slices(kind):
            return column.of(kind, name)
    if lenient:
        return column.of("category", name)  # of what is compared with, there then is nothing
    known = sorted({*column.slices("category"), *column.slices("super_category")})
    raise DriftgateError(f"{scores.cell.name}: a rule is about the slice '{name}'", nearest(name, known))
