"""Many p-values at once: Holm for a gate's rules, Benjamini-Hochberg over categories.

What could not be measured (None, or NaN) stays in its place as None. It was not tested, so it does not count as a test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["benjamini_hochberg", "holm"]


def _adjusted(
    p_values: Sequence[float | None], adjust: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> list[float | None]:
    values = np.array([math.nan if p is None else p for p in p_values], dtype=np.float64)
    measured = ~np.isnan(values)
    odd = values[measured & ~((values >= 0.0) & (values <= 1.0))]
    if odd.size:
        raise ValueError(f"{odd.size} of {values.size} p-values lie outside [0, 1] (the first is {odd[0]:g}).")
    if measured.any():
        values[measured] = adjust(values[measured])
    return [float(value) if known else None for value, known in zip(values, measured, strict=True)]


def _step_down(tested: NDArray[np.float64]) -> NDArray[np.float64]:
    # Not statsmodels' multipletests: for Holm it collects garbage on every call, 50 ms and more in any program.
    order = np.argsort(tested)
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(tested[order] * np.arange(tested.size, 0, -1)))
    return adjusted


def _step_up(tested: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(tested)[::-1]
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum.accumulate(tested[order] * tested.size / np.arange(tested.size, 0, -1))
    return np.minimum(1.0, adjusted)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjusted p-values: they control the chance of even one false finding.

    Parameters
    ----------
    p_values
        One a test; None or NaN where there is none.

    Returns
    -------
    list
        In the same order; reject where at most the wanted level. None where there was none.

    Raises
    ------
    ValueError
        If a p-value is outside [0, 1].

    References
    ----------
    .. [1] Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
       65-70.

    Examples
    --------
    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    return _adjusted(p_values, _step_down)


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Benjamini and Hochberg's adjusted p-values: they control the share of false among all findings.

    Parameters, results and errors are those of `holm`.

    References
    ----------
    .. [1] Benjamini, Hochberg (1995). Controlling the false discovery rate. Journal of the Royal Statistical Society B
       57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.008, None, 0.04, 0.02])
    [0.024, None, 0.04, 0.03]
    """
    return _adjusted(p_values, _step_up)
