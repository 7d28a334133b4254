"""The answers of canary runs, as the signals read them and in the order of the looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from driftgate.ledger import Ledger, RunRow, cells_of, outcome_frame
from driftgate.monitor._conclude import UNMEASURED
from driftgate.monitor.alert import Period

if TYPE_CHECKING:
    import pandas as pd

_MOMENT = timedelta(microseconds=1)


def canary_frame(ledger: Ledger, run: RunRow) -> pd.DataFrame:
    """The answers of a canary run as the signals read them.

    Returns
    -------
    pandas.DataFrame
        A row for each canary: ``time`` (of the run's beginning), ``key`` (the sample's), ``slice`` (category),
        ``answer``, ``correct``, ``response_model``, ``fingerprint``, ``prompt_hash``, ``outcome`` and ``error``.
    """
    import pandas as pd

    frames = []
    for cell in cells_of(ledger, run.id):
        frame = outcome_frame(ledger, cell.id)
        measured = ~frame["outcome"].isin(UNMEASURED)
        frames.append(
            pd.DataFrame(
                {
                    "time": pd.Timestamp(run.created_at),
                    "key": frame["key"],
                    "slice": frame["category"],
                    "answer": frame["answer"].fillna("").where(measured),
                    # What was not measured is no evidence against the model; what it left unanswered is.
                    "correct": frame["correct"].astype(float).fillna(0.0).where(measured),
                    "response_model": frame["served_model"].fillna(""),
                    "fingerprint": frame["fingerprint"].fillna(""),
                    "prompt_hash": str(cell.details.get("flow_hash", "")),
                    "outcome": frame["outcome"],
                    # A reply that was cut has words of its own, and is no error of the service.
                    "error": frame["error"].fillna("").mask(frame["outcome"] == "truncated", ""),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def in_order(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The frames of one look after another, each of a later time than the one before; clocks may stand or go back."""
    ordered: list[pd.DataFrame] = []
    for frame in frames:
        time = frame["time"].iloc[0]
        if ordered:
            time = max(time, ordered[-1]["time"].iloc[0] + _MOMENT)
        ordered.append(frame.assign(time=time))
    return ordered


def period_of(frames: Sequence[pd.DataFrame]) -> Period:
    """From the first look to the end of the last."""
    first, last = (frames[place]["time"].iloc[0].to_pydatetime() for place in (0, -1))
    return Period(first, last + _MOMENT)
