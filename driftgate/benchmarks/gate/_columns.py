"""The values that a metric has sample by sample, and what a sample without one could have had.

A rule passes only if it holds with every missing value at its worst, and fails only if it is broken with every one at
its best; that is how a metric that was computed on half of the rows never passes silently.

A sample that is asked several times has one value, the mean of its repeats, each of them filled by itself. So repeats
are no further samples: they make the one value of each steadier.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from driftgate.benchmarks.costs import at_most, listed_bound, unpriced
from driftgate.benchmarks.gate._config import COUNTED, LATENCIES, RuleConfig
from driftgate.benchmarks.gate._quantities import Floats, Labels, is_binary
from driftgate.benchmarks.metrics import clusters_of, settled
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger, evaluation_frame

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

REPEATS = "repeats"
"""The column of a frame that holds the values of each sample's repeats."""
Filling = Literal["low", "stated", "high"]
"""Missing values as low as they can be, as the metric's own convention has them, as high as they can be."""
_OWN_DOING = ("unparsed", "truncated", "filtered")
"""Outcomes by which a model that is compared with gave its user nothing; what failed or is missing may be chance."""


@dataclass(frozen=True)
class Column:
    """A metric's value for every sample; NaN where it is missing."""

    frame: pd.DataFrame
    """One row a sample: ``key``, ``sample_id``, ``cluster``, ``category``, ``super_category``, ``value``; and where
    samples are asked several times ``repeats``, the values of each."""
    low: float
    high: float
    """The scale: between which every value lies, a missing one too; infinite where nobody declared it."""
    stated: float | None
    """What a missing value counts as in the metric itself; None: it is left out."""
    lacking: str
    """What is missing, for a sentence: ``have no answer to judge``."""
    pass_rate: float | None = None
    """The least mean of its repeats with which a sample passes, which is its value then; None: the mean itself is."""

    @property
    def repeated(self) -> bool:
        """Whether samples are asked several times."""
        return REPEATS in self.frame

    @property
    def missing(self) -> int:
        """How many samples have no value."""
        return int(self.frame["value"].isna().sum())

    @property
    def binary(self) -> bool:
        """Whether every value is 0 or 1, on a scale from 0 to 1, whatever is put in for those that are missing."""
        if self.repeated or self.pass_rate is not None:
            return self.pass_rate is not None
        return (self.low, self.high) == (0.0, 1.0) and is_binary(self.frame["value"].dropna().to_numpy(dtype=float))

    @property
    def asks(self) -> Floats:
        """The values of all repeats, sample by sample; shape (asks,)."""
        return np.concatenate([np.empty(0), *self.frame[REPEATS]]) if self.repeated else values_of(self.frame)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many values each sample has; shape (n,)."""
        return np.array([len(each) for each in self.frame[REPEATS]] if self.repeated else [1] * len(self.frame))

    def filled(self, filling: Filling) -> pd.DataFrame:
        """The frame with missing values put in, or left out where the metric leaves them out."""
        filled = self.frame.assign(value=self.array(filling))
        return filled if self.stated is not None else filled.dropna(subset="value")

    def array(self, filling: Filling) -> Floats:
        """The values with missing ones put in, or NaN where the metric leaves them out; shape (n,)."""
        values = self.filled_asks(filling)
        if self.repeated and len(self.frame):
            kept, starts = ~np.isnan(values), np.cumsum(self.sizes) - self.sizes
            sums, counts = (
                np.add.reduceat(np.where(kept, values, 0.0), starts),
                np.add.reduceat(kept, starts, dtype=int),
            )
            # Rounded, so that five fifths are a whole and a mean does not depend on the order of its parts.
            values = np.where(counts > 0, np.round(sums / np.maximum(counts, 1), 12), np.nan)
        if self.pass_rate is not None:
            values = np.where(np.isnan(values), np.nan, (values >= self.pass_rate - 1e-9).astype(np.float64))
        return values

    def filled_asks(self, filling: Filling) -> Floats:
        """The values of all repeats with missing ones put in, or NaN; shape (asks,)."""
        value = {"low": self.low, "high": self.high, "stated": self.stated}[filling]
        values = self.asks
        return values if value is None else np.where(np.isnan(values), value, values)

    def passing(self, rate: float) -> Column:
        """The same samples, each of which is worth 1 if the mean of its repeats is at least ``rate``, else 0.

        It is missing where its missing repeats decide that.
        """
        found = replace(self, pass_rate=rate)
        low, high = found.array("low"), found.array("high")
        return replace(found, frame=self.frame.assign(value=np.where(low == high, low, np.nan)))

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
    column = _by_sample(_whole(ledger, rule, scores, reference=reference))
    if rule.pass_rate is not None:
        column = _passing(column, rule)
    return _sliced(rule.slice, column, scores, lenient=reference) if rule.slice else column


def _whole(ledger: Ledger, rule: RuleConfig, scores: CellScores, *, reference: bool) -> Column:
    frame, metric = scores.asks, rule.metric
    if metric == "accuracy_answered":
        frame = frame[~frame["outcome"].isin(_OWN_DOING)]
    if metric.startswith("accuracy"):
        value = frame["correct"].astype(float).where(settled(frame))
        low, high = _scale(rule, value)
        if reference:
            value = value.mask(frame["outcome"].isin(_OWN_DOING), low if math.isfinite(low) else 0.0)
        # What a failed call would have answered nobody knows, so that its loss is no gain for the answered either.
        stated = {"accuracy_if_right": 1.0, "accuracy_answered": None}.get(metric, 0.0)
        return Column(_rows(frame, value), low, high, stated, "have no answer to judge")
    if metric.startswith("share."):
        asked = metric.removeprefix("share.")
        value = (frame["outcome"] == asked).astype(float)
        if asked != "missing":
            value = value.where(frame["outcome"] != "missing")
        return Column(_rows(frame, value), 0.0, 1.0, 0.0, "have no outcome")
    if metric in LATENCIES:
        return Column(_rows(frame, frame["latency"].astype(float)), -np.inf, np.inf, None, "have no latency")
    if metric in COUNTED:
        name = "cost" if metric == "cost_per_sample" else metric
        known, lacking = _stated(name, scores, exact=reference or rule.min is not None)
        return Column(_rows(frame, frame[name].astype(float).where(known)), 0.0, np.inf, 0.0, lacking)
    return _evaluated(ledger, rule, scores)


def _stated(name: str, scores: CellScores, *, exact: bool) -> tuple[pd.Series[bool], str]:
    """Of which samples it is known what they took, and why of the others it is not.

    Parameters
    ----------
    exact : bool
        An upper bound of a cost will not do: it would help what is held against it.
    """
    frame = scores.asks
    known = frame[name].notna() & ~frame["outcome"].isin(("missing", "failed"))  # a failed call may have been charged
    if name != "cost":
        return known, f"have no {name.replace('_', ' ')}, as the service did not say or the call failed"
    kept = frame["cached"].eq(True)
    if unpriced(scores.cell.details) and not (frame["cost"] > 0).any():
        return known & False, "have no cost, as the workspace gives the model no prices"
    bounds = at_most(frame, scores.cell.details) & known
    if exact and bounds.any():
        cached = "part of their input came from the service's cache, and what that cost is not known"
        return known & ~bounds & ~kept, f"have no exact cost: {listed_bound(scores.cell.details) or cached}"
    if (kept & known).any():
        return known & ~kept, "have no cost, as they were answered from replies that were kept"
    return known, "have no cost, as the service did not say how many tokens they took or the call failed"


def _rows(frame: pd.DataFrame, value: pd.Series[float]) -> pd.DataFrame:
    names = ["key", "sample_id", "cluster", "category", "super_category", *(["repeat"] if "repeat" in frame else [])]
    return frame[names].assign(value=np.asarray(value, dtype=np.float64))


def _by_sample(column: Column) -> Column:
    """One row a sample, of rows for every repeat; its value is missing where that of any repeat is."""
    rows = column.frame
    if "repeat" not in rows:
        return column
    grouped = rows.groupby("sample_id", sort=False)["value"]
    frame = rows.drop_duplicates("sample_id").drop(columns="repeat").reset_index(drop=True)
    each = [values.to_numpy(dtype=np.float64) for _, values in grouped]
    frame[REPEATS] = _objects(each)
    frame["value"] = [float(values.mean()) for values in each]
    return replace(column, frame=frame, lacking=f"{column.lacking} in at least one repeat")


def _objects(each: Sequence[Floats]) -> NDArray[np.object_]:
    """Arrays as the values of one column."""
    column = np.empty(len(each), dtype=object)
    column[:] = each
    return column


def _passing(column: Column, rule: RuleConfig) -> Column:
    """The same column, of which a sample's value is whether it passes; missing where its missing repeats decide that.

    Raises
    ------
    DriftgateError
        The metric is none of right and wrong.
    """
    given = column.asks[~np.isnan(column.asks)]
    if (column.low, column.high) != (0.0, 1.0):
        beyond = f", such as {given[(given < 0) | (given > 1)][0]:g}" if ((given < 0) | (given > 1)).any() else ""
        raise DriftgateError(
            f"the rule '{rule.text}' has a pass_rate, and {rule.metric} has values beyond 0 and 1{beyond}",
            "ask for a metric that says of every answer whether it passed, such as an evaluator's 0 or 1",
        )
    assert rule.pass_rate is not None
    return column.passing(rule.pass_rate)


def _evaluated(ledger: Ledger, rule: RuleConfig, scores: CellScores) -> Column:
    name = rule.metric
    node, evaluator, metric = _parts(name, scores)
    newest = scores.asks[["sample_id", "round"]]
    found = evaluation_frame(ledger, scores.cell.id, node, evaluator).merge(newest, on=["sample_id", "round"])
    mine = found[found["metric"] == metric]
    errors = found[(found["error"] != "") & found["metric"].isin([metric, ""])]
    if mine.empty and errors.empty:
        known = sorted({row.metric for row in scores.rows})
        raise DriftgateError(f"a rule is about the metric '{name}', which was not measured", nearest(name, known))
    frame = scores.asks
    given = mine.dropna(subset="value").set_index(["sample_id", "round"])["value"]
    value = (
        given.reindex(list(zip(frame["sample_id"], frame["round"], strict=True))).set_axis(frame.index).astype(float)
    )
    lacking = f"have no {name}"
    if len(errors):
        why = errors["error"].value_counts()
        lacking += f" ({len(errors)} because the evaluator failed, mostly: {str(why.index[0])[:120]})"
    return Column(_rows(frame, value), *_scale(rule, value, _declared(scores, node, evaluator, metric)), None, lacking)


def _declared(scores: CellScores, node: str, evaluator: str, metric: str) -> tuple[float, float] | None:
    """The scale that one of driftgate's own judges has declared for its grade."""
    judge: Mapping[str, Any] = (scores.cell.details.get("judges") or {}).get(f"{node}.{evaluator}") or {}
    if "scale" not in judge or metric != judge.get("grade"):
        return None
    low, high = judge["scale"]
    return float(low), float(high)


def _scale(
    rule: RuleConfig, given: pd.Series[float], declared: tuple[float, float] | None = None
) -> tuple[float, float]:
    """The scale of a metric: what the rule says, or the evaluator; 0 to 1 where all lies there; else infinite.

    What the given values themselves reach is no scale: it moves with them, so that a worse value could help.

    Raises
    ------
    DriftgateError
        A value lies outside the scale that the rule gives.
    """
    known = given.dropna()
    if rule.scale is not None:
        low, high = rule.scale
        beyond = known[(known < low) | (known > high)]
        if len(beyond):
            raise DriftgateError(
                f"the rule '{rule.text}' has a scale of {low:g} to {high:g}, and {len(beyond):,} of {len(known):,} "
                f"values lie outside, such as {beyond.iloc[0]:g}",
                "give scale the least and the greatest value that the metric can have",
            )
        return rule.scale
    if declared is not None:
        return declared
    limit = rule.min if rule.min is not None else rule.max
    inside = bool(known.between(0.0, 1.0).all()) and (limit is None or 0.0 <= limit <= 1.0)
    return (0.0, 1.0) if inside else (-math.inf, math.inf)


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
