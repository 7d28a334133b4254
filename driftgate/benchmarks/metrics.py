"""What is measured of a cell, each as an interval over its outcome frame.

The frame is :func:`driftgate.ledger.ask_frame`: one row for every sample asked for, or for each of its repeats, whose
mean the sample then has. Proportions divide by all of them; a sample without an answer counts as wrong, and
``accuracy_if_right`` is the other bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from driftgate.benchmarks import stats
from driftgate.benchmarks.outcomes import OUTCOMES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from driftgate.benchmarks.stats import Interval

Metric = Callable[["pd.DataFrame"], "Interval"]


def right(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """1 for every sample answered correctly, else 0, in the frame's order; shape (n,)."""
    import numpy as np

    return np.asarray(frame["correct"].astype(float).fillna(0.0), dtype=np.float64).reshape(-1)


def settled(frame: pd.DataFrame) -> pd.Series[bool]:
    """Whether a sample was answered and its answer could be judged; shape (n,)."""
    judged: pd.Series[bool] = (frame["outcome"] == "answered") & frame["correct"].notna()
    return judged


def accuracy(frame: pd.DataFrame) -> Interval:
    """Share of the samples asked for that were answered correctly; by cluster where samples share a passage."""
    correct = right(frame)
    if "repeat" in frame:
        return mean_of_samples(frame, correct)
    clusters = clusters_of(frame)
    if not is_binary(correct):
        return stats.mean_interval(correct, clusters=clusters)
    if clusters is None:
        return stats.wilson_interval(int(correct.sum()), len(correct))
    return stats.clustered_interval(correct.astype(bool), clusters)


def mean_of_samples(frame: pd.DataFrame, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Interval:
    """Mean over samples that are asked several times of each one's mean over its repeats.

    Its limits are Gaffke's, as the gate's are: repeats that nearly all agree have a spread so small that one more
    wrong answer would narrow any interval that is estimated from it.

    Parameters
    ----------
    values
        One of each row of the frame.
    """
    import numpy as np

    means = frame.assign(value=values).groupby("sample_id", sort=False)["value"].mean().to_numpy(dtype=np.float64)
    clusters = clusters_of(frame.drop_duplicates("sample_id"))
    if not ((means >= 0.0) & (means <= 1.0)).all():
        return stats.mean_interval(means, clusters=clusters)
    return stats.bounded_mean(means, 0.0, 1.0, clusters=clusters).interval()


def clusters_of(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.object_]] | None:
    """The cluster of every sample, its own where it stands alone; None where all stand alone."""
    if not (frame["cluster"] != "").any():
        return None
    own = frame["cluster"].where(frame["cluster"] != "", frame["sample_id"].astype(str))
    return own.to_numpy(dtype=object) if own.nunique() < len(frame) else None


def accuracy_macro(frame: pd.DataFrame) -> Interval:
    """Mean over the categories of their accuracies; without limits where answers are graded between 0 and 1."""
    if "repeat" in frame:
        frame = frame.assign(correct=right(frame).astype(float))
        means = frame.groupby("sample_id", sort=False)["correct"].mean()
        frame = frame.drop_duplicates("sample_id").assign(correct=means.to_numpy())
    correct = right(frame)
    by_category = frame.assign(right=correct).groupby("category")["right"]
    if not is_binary(correct):
        mean = float(by_category.mean().mean())
        reason = "graded answers: an interval is known for right and wrong ones only"
        return stats.Interval.unknown(mean, level=0.95, method="macro", n=len(frame), reason=reason)
    return stats.macro_interval([int(v) for v in by_category.sum()], [int(v) for v in by_category.size()])


def accuracy_answered(frame: pd.DataFrame) -> Interval:
    """Share of the answered samples that were answered correctly."""
    return accuracy(frame[frame["outcome"] == "answered"])


def accuracy_if_right(frame: pd.DataFrame) -> Interval:
    """Accuracy if every sample that is not :func:`settled` had been answered correctly."""
    return accuracy(_if_right(frame))


def _if_right(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(correct=frame["correct"].where(settled(frame), 1.0))


def share(outcome: str) -> Metric:
    """Metric: share of the samples asked for with ``outcome``."""

    def measure(frame: pd.DataFrame) -> Interval:
        found = (frame["outcome"] == outcome).to_numpy()
        if "repeat" in frame:
            return mean_of_samples(frame, found.astype(float))
        return stats.wilson_interval(int(found.sum()), len(frame))

    return measure


def quantile(column: str, probability: float) -> Metric:
    """Metric: a quantile of a column over the samples that have a value."""

    def measure(frame: pd.DataFrame) -> Interval:
        known = frame[["sample_id", column]].dropna()
        repeats = len(known) / max(known["sample_id"].nunique(), 1)
        return stats.quantile_interval(known[column].to_numpy(dtype=float), probability, repeats=repeats)

    return measure


def total(column: str) -> Metric:
    """Metric: the sum of a column; counted, so its interval is the number itself. Unknown where any part of it is."""

    def measure(frame: pd.DataFrame) -> Interval:
        return _counted(frame, column, 1)

    return measure


def per_sample(column: str) -> Metric:
    """Metric: the sum of a column over the number of samples asked for; counted, as :func:`total`."""

    def measure(frame: pd.DataFrame) -> Interval:
        return _counted(frame, column, len(frame))

    return measure


def _counted(frame: pd.DataFrame, column: str, shares: int) -> Interval:
    values = frame.loc[frame["outcome"] != "missing", column].astype(float)  # what was not asked took nothing
    unknown = int(values.isna().sum())
    if unknown or not shares:
        reason = f"{unknown} samples have no {column.replace('_', ' ')}" if shares else "no samples"
        return stats.Interval.unknown(None, level=0.95, method="counted", n=len(frame), reason=reason)
    value = float(values.sum()) / shares
    return stats.Interval(value, value, value, 0.95, "counted", len(frame))


METRICS: Mapping[str, Metric] = {
    "accuracy": accuracy,
    "accuracy_if_right": accuracy_if_right,
    "accuracy_macro": accuracy_macro,
    "accuracy_answered": accuracy_answered,
    **{f"share.{outcome}": share(outcome) for outcome in OUTCOMES},
    "latency_p50": quantile("latency", 0.50),
    "latency_p95": quantile("latency", 0.95),
    "cost": total("cost"),
    "cost_per_sample": per_sample("cost"),
    "input_tokens": total("input_tokens"),
    "output_tokens": total("output_tokens"),
}
"""Metrics of a whole cell by name; evaluator means go by ``node.evaluator.metric`` beside them."""

MACRO: Mapping[str, Metric] = {
    "accuracy": accuracy_macro,
    "accuracy_if_right": lambda frame: accuracy_macro(_if_right(frame)),
}
"""What replaces metrics of the same name where categories weigh the same."""

SLICED: tuple[str, ...] = ("accuracy", "accuracy_if_right")
"""Metrics that are also measured for each category and super-category."""


def _sequence(values: Callable[[pd.DataFrame], np.ndarray[tuple[int], np.dtype[np.float64]]]) -> Metric:
    """Metric: a mean between 0 and 1 with limits that hold wherever the run was stopped."""

    def measure(frame: pd.DataFrame) -> Interval:
        found = values(frame)
        if not ((found >= 0.0) & (found <= 1.0)).all():
            reason = "graded beyond 0 and 1"
            return stats.Interval.unknown(None, level=0.95, method="betting", n=len(frame), reason=reason)
        return stats.betting_interval(found, 0.0, 1.0, clusters=clusters_of(frame))

    return measure


SEQUENCES: Mapping[str, Metric] = {
    "accuracy": _sequence(right),
    "accuracy_if_right": _sequence(lambda frame: right(_if_right(frame))),
}
"""Metrics whose limits are known where a gate stopped the run, over the frame of what was asked."""


def is_binary(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    """Whether every value is 0 or 1: right or wrong, without grades between."""
    return bool(((values == 0) | (values == 1)).all())
