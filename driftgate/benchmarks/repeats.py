"""What the repeats of a sample show: how often one of a few is right, what most of them say, and whether they agree.

A sample counts once, whatever the number of its repeats; a repeat without an answer counts as wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.metrics import is_binary, mean_of_samples, right
from driftgate.benchmarks.stats import Interval

if TYPE_CHECKING:
    import pandas as pd

MAJORITY, UNSTEADY = "majority", "unsteady"
_STEPS = (2, 5, 10, 20, 50, 100)


def pass_at(right: NDArray[np.float64], asked: int, k: int) -> NDArray[np.float64]:
    r"""Chance that at least one of ``k`` answers is right, of every sample: Chen et al.'s unbiased estimator.

    Of :math:`n` answers, :math:`c` of them right, it is the share of the choices of :math:`k` answers that hold a right
    one, :math:`1 - \binom{n-c}{k} / \binom{n}{k}`.

    Parameters
    ----------
    right
        Right answers to each sample, shape (n,).
    asked
        Answers to each sample.
    k
        At most ``asked``.

    References
    ----------
    .. [1] Chen et al. (2021). Evaluating large language models trained on code. arXiv:2107.03374, section 2.1.

    Examples
    --------
    >>> pass_at(np.array([0.0, 1.0, 3.0, 5.0]), 5, 2).round(4).tolist()
    [0.0, 0.4, 0.9, 1.0]
    """
    wrong = asked - right
    none = np.ones_like(right)
    for taken in range(k):
        none *= np.maximum(wrong - taken, 0.0) / (asked - taken)
    return 1.0 - none


def repeat_scores(frame: pd.DataFrame) -> Mapping[str, Interval]:
    """``pass@k``, ``majority`` and ``unsteady`` of a cell whose samples are asked several times; else nothing.

    ``pass@k`` is for k of 2, 5, 10 and so on up to the number of repeats. ``majority`` is the share of samples of which
    more than half of the repeats are right. ``unsteady`` is the share of those whose repeats do not all come out alike,
    or of which it is not known.

    Parameters
    ----------
    frame
        As :func:`driftgate.ledger.ask_frame` has it.
    """
    if "repeat" not in frame or frame.empty:
        return {}
    asked, correct = int(frame["repeat"].max()) + 1, right(frame)
    by_sample = frame.assign(right=correct).groupby("sample_id", sort=False)["right"]
    lost = frame["outcome"].isin(("failed", "missing")) | (frame["outcome"].eq("answered") & frame["correct"].isna())
    unknown = lost.groupby(frame["sample_id"]).transform("any")
    unsteady = (by_sample.transform("nunique") > 1) | unknown
    steps = [k for k in _STEPS if k < asked] + [asked]
    if is_binary(correct):
        count = by_sample.transform("sum").to_numpy(dtype=np.float64)
        found = {f"pass@{k}": mean_of_samples(frame, pass_at(count, asked, k)) for k in steps}
        found[MAJORITY] = mean_of_samples(frame, (2.0 * count > asked).astype(np.float64))
    else:
        reason = "graded answers: it is known for right and wrong ones only"
        none = Interval.unknown(None, level=0.95, method="repeats", n=by_sample.ngroups, reason=reason)
        found = dict.fromkeys([*(f"pass@{k}" for k in steps), MAJORITY], none)
    return found | {UNSTEADY: mean_of_samples(frame, unsteady.to_numpy(dtype=np.float64))}
