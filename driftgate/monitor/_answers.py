"""The answers of canary runs, as the signals read them and in the order of the looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from driftgate.ledger import Ledger, RunRow, ask_frame, cells_of
from driftgate.monitor._conclude import UNMEASURED
from driftgate.monitor.alert import Period

if TYPE_CHECKING:
    import pandas as pd

_MOMENT = timedelta(microseconds=1)
_ALIKE = 0.5
"""Repeats of a look that differ by less than this share of what looks differ by are one answer given several times."""


def canary_frame(ledger: Ledger, run: RunRow) -> pd.DataFrame:
    """The answers of a canary run as the signals read them.

    Returns
    -------
    pandas.DataFrame
        A row for each time that a canary was asked: ``time`` (of the run's beginning), ``key`` (the sample's),
        ``slice`` (category), ``answer``, ``correct``, ``response_model``, ``fingerprint``, ``prompt_hash``,
        ``outcome`` and ``error``.
    """
    import pandas as pd

    frames = []
    for cell in cells_of(ledger, run.id):
        frame = ask_frame(ledger, cell.id)
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


def by_themselves(frames: Sequence[pd.DataFrame], told_by: int) -> list[pd.DataFrame]:
    """The frames with one row for each answer that was given by itself.

    Where a model answers alike within a look and otherwise in another (at temperature 0, or from a cache), repeats are
    no further evidence, and each canary has its first one alone.

    Parameters
    ----------
    told_by
        How many of the frames, from the first, tell: those of the reference.

    Examples
    --------
    Three looks, each of which gives an answer of its own twice:

    >>> import pandas as pd
    >>> looks = [pd.DataFrame({"key": ["a", "a"], "answer": [letter, letter]}) for letter in "ABC"]
    >>> [len(look) for look in by_themselves(looks, 3)]
    [1, 1, 1]
    """
    if not any(frame["key"].duplicated().any() for frame in frames):
        return list(frames)
    within, between = _differing(frames[:told_by])
    return [frame.drop_duplicates("key") for frame in frames] if within < _ALIKE * between else list(frames)


def _differing(frames: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """How often an answer differs from the next in its look, and from that of the next look."""
    import pandas as pd

    numbered = [f.assign(look=place, repeat=f.groupby("key").cumcount()) for place, f in enumerate(frames)]
    every = pd.concat(numbered, ignore_index=True)
    every = every[every["answer"].notna()]

    def share(within: list[str], along: str) -> float:
        ordered = every.sort_values([*within, along], kind="stable")
        before = ordered.groupby(within)["answer"].shift()
        return float((ordered["answer"] != before)[before.notna()].mean()) if before.notna().any() else 0.0

    return share(["key", "look"], "repeat"), share(["key", "repeat"], "look")
