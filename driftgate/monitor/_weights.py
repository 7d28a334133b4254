"""Calls that stand for unlike numbers of calls, where an application samples them or a part of a window was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_CUT = 0.01
"""The share of calls by which weights may be cut: half of the smallest floor of a share."""


def alike(calls: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Of calls of unequal weight, so many that each stands for as many as any other.

    A row of weight w stands for w calls and is still one observation: counted w times over it would pass for w
    independent ones. A row stays with probability w / c, which is rejection sampling [1]_: those that stay are
    independent draws of all calls, and detectors may take them as they are. c is the largest weight, or the least that
    cuts no more than a hundredth of all calls from larger ones, by which no share is wrong by more than a point. Where
    weights are equal, as under a fixed sampling rate, all stay; where one outweighs the others by far, hardly any does.

    References
    ----------
    .. [1] von Neumann (1951). Various techniques used in connection with random digits. National Bureau of Standards,
       Applied Mathematics Series 12, 36-38.
    """
    if "weight" not in calls.columns:
        return calls
    weights = calls["weight"].to_numpy(dtype=float)
    if not len(weights) or weights.min() == weights.max():
        return calls
    steps = np.unique(weights)
    cap = next(c for c in steps if np.maximum(weights - c, 0.0).sum() <= _CUT * weights.sum())
    kept: pd.DataFrame = calls[np.random.default_rng(seed).random(len(weights)) * cap < weights]
    return kept.reset_index(drop=True)
