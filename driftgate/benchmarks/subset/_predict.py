"""The score of the whole dataset from a run on its subset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from driftgate.benchmarks.metrics import right
from driftgate.benchmarks.stats import Interval
from driftgate.benchmarks.subset._irt import estimate_ability

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_Z = 1.959964


def predict_full(stands_for: Mapping[str, Any], frame: pd.DataFrame) -> Interval:
    """Predict the accuracy on the whole dataset, with the error that was measured on left-out models.

    Parameters
    ----------
    stands_for
        A :class:`driftgate.benchmarks.datasets.SubsetPlan` as JSON, as a cell's details hold it.
    frame
        The outcomes on the subset; see :func:`driftgate.ledger.outcome_frame`.

    Returns
    -------
    Interval
        The prediction plus and minus 1.96 standard errors; without limits where not all chosen samples were asked.
    """
    items = {item["key"]: item for item in stands_for["items"]}
    known = frame[frame["key"].isin(items)]
    n = len(known)
    if n < len(items):
        reason = f"{len(items) - n} of the {len(items)} chosen samples were not asked"
        return Interval.unknown(None, level=0.95, method="subset", n=n, reason=reason)
    chosen = [items[key] for key in known["key"]]
    weight, discrimination, difficulty = (
        np.array([float(item[name]) for item in chosen]) for name in ("weight", "discrimination", "difficulty")
    )
    curve, whole = stands_for["curve"], int(stands_for["n"])
    estimate = predict(stands_for["estimator"], right(known), weight, discrimination, difficulty, curve, whole)
    error = _Z * float(stands_for["standard_error"])
    return Interval(estimate, max(0.0, estimate - error), min(1.0, estimate + error), 0.95, "subset", n)


def predict(
    estimator: str,
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    discrimination: NDArray[np.float64],
    difficulty: NDArray[np.float64],
    curve: Any,
    n: int,
) -> float:
    """The weighted mean of the scores, or what the item-response model expects of the other samples beside them.

    Examples
    --------
    >>> one = np.ones(4)
    >>> predict("mean", np.array([1.0, 1.0, 0.0, 0.0]), np.array([3.0, 1.0, 1.0, 1.0]), one, one, [], 100)
    0.6666666666666666
    """
    if estimator == "mean":
        return float(np.average(scores, weights=weights))
    ability = float(estimate_ability(scores, discrimination, difficulty))
    at, expected = np.array(curve, dtype=np.float64).T
    rest = float(np.interp(ability, at, expected))
    return (float(scores.sum()) + (n - scores.size) * rest) / n
