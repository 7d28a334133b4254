"""What every function here asks of its arguments, and the messages it gives when it does not get it."""

from __future__ import annotations

import math
import operator
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "check_count",
    "check_fraction",
    "check_outcomes",
    "check_pair",
    "check_share",
    "check_values",
    "cluster_codes",
]


def check_fraction(name: str, value: float) -> float:
    """Return `value` if it lies strictly between 0 and 1, else raise ValueError."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} is {value!r}; expected a number strictly between 0 and 1, such as 0.05 or 0.95.")
    return float(value)


def check_share(name: str, value: float) -> float:
    """Return `value` if it lies in [0, 1], else raise ValueError."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} is {value!r}; expected a proportion from 0 to 1 (2 points are 0.02).")
    return float(value)


def check_count(name: str, value: SupportsIndex, *, most: int | None = None) -> int:
    """Return `value` as an int if it is a whole number from 0 to `most`, else raise ValueError."""
    try:
        count = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}; expected a whole number of samples.") from None
    if count < 0 or (most is not None and count > most):
        limit = "0 or more" if most is None else f"0 to {most}"
        raise ValueError(f"{name} is {count}; expected {limit}.")
    return count


def check_values(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as a 1-d float array if every one is finite, else raise ValueError."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} dimensions; expected one value a sample, in one dimension.")
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(
            f"{name} has {int((~finite).sum())} of {array.size} values that are NaN or infinite. "
            "Decide what a sample without a value counts as (a scoring convention does this)."
        )
    return array


def check_outcomes(name: str, outcomes: ArrayLike) -> NDArray[np.float64]:
    """Return `outcomes` as a 1-d float array if every one is 0 or 1, else raise ValueError."""
    array = check_values(name, outcomes)
    odd = array[(array != 0.0) & (array != 1.0)]
    if odd.size:
        raise ValueError(
            f"{name} has {odd.size} of {array.size} values other than 0 and 1 (the first is {odd[0]:g}). "
            "For a graded score use mean_interval or compare_paired_means."
        )
    return array


def check_pair(candidate: NDArray[np.float64], reference: NDArray[np.float64]) -> None:
    """Raise ValueError unless both hold one value for each of the same samples."""
    if candidate.size != reference.size:
        raise ValueError(
            f"candidate has {candidate.size} samples and reference {reference.size}; a paired comparison needs the "
            "same samples in the same order. Align the runs first, or use compare_unpaired."
        )


def cluster_codes(clusters: ArrayLike, n: int, *, name: str = "clusters") -> NDArray[np.int64]:
    """Number the labels 0, 1, ... in sorted order; raise ValueError if one is missing or there are not `n`."""
    labels = np.asarray(clusters)
    if labels.ndim != 1 or labels.size != n:
        raise ValueError(f"{name} has shape {labels.shape}; expected one label for each of the {n} samples.")
    missing = (
        sum(label is None or (isinstance(label, float) and math.isnan(label)) for label in labels.tolist())
        if labels.dtype.kind in "Of"
        else 0
    )
    if missing:
        raise ValueError(
            f"{name} has {missing} of {n} labels missing. Give each sample without one a label of its own."
        )
    codes = np.unique(labels.astype(str) if labels.dtype.kind == "O" else labels, return_inverse=True)[1]
    return codes.astype(np.int64, copy=False)
