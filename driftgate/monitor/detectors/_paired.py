"""What detectors of paired canary answers have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import Interval, compare_means, compare_paired
from driftgate.monitor.detectors._detector import Evidence


def paired_shares(reference: NDArray[Any], current: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each canary's share of right answers in both windows, from counts of shape (n, 2): right, and asked.

    Raises
    ------
    ValueError
        The windows do not hold the same number of canaries, or a count is impossible.
    """
    if reference.shape != current.shape or reference.ndim != 2 or reference.shape[1] != 2:
        raise ValueError(
            f"counts have shapes {reference.shape} and {current.shape}; expected (n, 2) twice: right and asked, of the "
            "same canaries in the same order."
        )
    for right, asked in (reference.T, current.T):
        if not ((right >= 0) & (right <= asked) & (asked >= 1)).all():
            raise ValueError("a canary has no answers, or more right ones than answers.")
    return reference[:, 0] / reference[:, 1], current[:, 0] / current[:, 1]


def paired_evidence(before: NDArray[np.float64], after: NDArray[np.float64], p_value: float, method: str) -> Evidence:
    """The evidence of canaries' shares.

    The effect is the mean difference, with Tango's interval if every share is 0 or 1 and Student's otherwise.
    ``detail`` holds how many canaries ``lost`` and ``gained``, and ``churn``, the share that did either.
    """
    if not before.size:
        effect = Interval.unknown(None, level=0.95, method="tango", n=0, reason="no canary was asked in both windows")
        return Evidence(None, effect, None, None, 0, 0, method)
    whole = bool(np.isin(before, (0.0, 1.0)).all() and np.isin(after, (0.0, 1.0)).all())
    lost, gained = int((after < before).sum()), int((after > before).sum())
    return Evidence(
        p_value=p_value,
        effect=(compare_paired if whole else compare_means)(after, before).interval,
        reference_value=float(before.mean()),
        current_value=float(after.mean()),
        n_reference=before.size,
        n_current=after.size,
        method=method,
        detail={"lost": lost, "gained": gained, "churn": (lost + gained) / before.size},
    )
