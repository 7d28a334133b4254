"""Canary answers brought into pairs: each canary's reference and current answers."""

from __future__ import annotations

import pandas as pd

from monitor.signals import Signal


def with_anchors(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give both frames the column ``anchor``: each canary's first reference answer.

    The first reference answer itself has no anchor: that it agrees with itself is no news.

    Examples
    --------
    >>> reference = pd.DataFrame({"time": [1, 2], "key": ["a", "a"], "answer": ["B", "C"]})
    >>> current = pd.DataFrame({"time": [9], "key": ["a"], "answer": ["B"]})
    >>> [frame["anchor"].tolist() for frame in with_anchors(reference, current)]
    [[None, 'B'], ['B']]
    """
    ordered = reference.sort_values("time", kind="stable")
    answered = ordered[ordered["answer"].notna()]
    first = ~answered.duplicated("key")
    anchors = answered[first].set_index("key")["answer"]
    is_anchor = pd.Series(False, index=ordered.index)
    is_anchor.loc[answered.index[first]] = True
    before = ordered.assign(anchor=ordered["key"].map(anchors).where(~is_anchor, None).astype(object))
    return before, current.assign(anchor=current["key"].map(anchors).astype(object))


def paired_counts(signal: Signal, reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """A row for each canary that has a value in both frames.

    Returns
    -------
    DataFrame
        ``sum_reference``, ``count_reference``, ``sum_current``, ``count_current`` of the 0/1 values; ``slice``.
    """

    def counts(frame: pd.DataFrame) -> pd.DataFrame:
        values = signal.read(frame).astype(float)
        return values.groupby(frame.loc[values.index, "key"]).agg(["sum", "count"])

    pairs = counts(reference).join(counts(current), how="inner", lsuffix="_reference", rsuffix="_current")
    return pairs.assign(slice=current.drop_duplicates("key").set_index("key")["slice"].reindex(pairs.index))
