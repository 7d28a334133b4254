"""What went wrong in a cell, so that nobody has to look for it: the commonest reasons, and how much failed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MOST = 3
"""Reasons that are named."""
_VARIES = re.compile(r"(?<![A-Za-z])\d+(?:[.,:]\d+)*(?![A-Za-z])|'[^']{0,200}'|\"[^\"]{0,200}\"|\b[0-9a-f]{8,}\b")
"""What tells the errors of two samples apart and says nothing of their cause."""


@dataclass(frozen=True)
class Trouble:
    """One reason, and how many samples it kept from an answer."""

    outcome: str
    words: str
    """Of the first sample that met it."""
    count: int


def commonest(frame: pd.DataFrame, most: int = MOST) -> list[Trouble]:
    """The commonest reasons why samples have no answer, the commonest first.

    Errors that differ only in numbers, ids and quoted text are one reason.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("failed", "HTTP 503 after 2.1 s"), ("failed", "HTTP 503 after 4 s"), ("answered", "")]
    >>> commonest(pd.DataFrame(rows, columns=["outcome", "error"]))
    [Trouble(outcome='failed', words='HTTP 503 after 2.1 s', count=2)]
    """
    lost = frame.loc[frame["outcome"] != "answered", ["outcome", "error"]]
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for outcome, error in zip(lost["outcome"], lost["error"].fillna(""), strict=True):
        key = str(outcome), _VARIES.sub("…", str(error))
        counts[key] += 1
        first.setdefault(key, str(error))
    return [Trouble(key[0], first[key], count) for key, count in counts.most_common(most)]


def ungraded(frame: pd.DataFrame) -> pd.Series[bool]:
    """Whether a sample was answered and nobody could say whether the answer is right; shape (n,)."""
    unknown: pd.Series[bool] = (frame["outcome"] == "answered") & frame["correct"].isna()
    return unknown


def failed_share(frame: pd.DataFrame, *, judged: bool = True) -> float:
    """Share of the samples asked for that failed, are missing or could not be graded; 1 where none was asked for.

    Parameters
    ----------
    judged : bool
        Whether anything was to grade them.
    """
    lost = frame["outcome"].isin(["failed", "missing"])
    if judged:
        lost |= ungraded(frame)
    return float(lost.mean()) if len(frame) else 1.0


def failed_words(frame: pd.DataFrame, *, judged: bool = True) -> str:
    """What :func:`failed_share` is the share of, in words."""
    failed, not_graded = frame["outcome"].isin(["failed", "missing"]).any(), judged and ungraded(frame).any()
    return " or ".join([words for words, met in (("failed", failed), ("could not be graded", not_graded)) if met])
