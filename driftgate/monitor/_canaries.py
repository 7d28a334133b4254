"""Canary answers brought into pairs: each canary's reference and current answers."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from driftgate.monitor.alert import Period
from driftgate.monitor.pooling import CHOOSING
from driftgate.monitor.signals import Signal

_NO_ANSWER = "\0"
"""An answer that agrees with none."""


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
    first = _first_answers(ordered)
    anchors = first.set_index("key")["answer"]
    is_anchor = pd.Series(False, index=ordered.index)
    is_anchor.loc[first.index] = True
    before = ordered.assign(anchor=ordered["key"].map(anchors).where(~is_anchor, None).astype(object))
    return before, current.assign(anchor=current["key"].map(anchors).astype(object))


def measured(answers: pd.DataFrame) -> set[object]:
    """The canaries that have an answer, right or wrong."""
    return set(answers.loc[answers["correct"].notna(), "key"])


def taken_for(answers: pd.DataFrame, reference: pd.DataFrame, *, right: bool) -> pd.DataFrame:
    """The answers with every one that was not measured taken for right, as it was before, or for wrong.

    Examples
    --------
    >>> reference = pd.DataFrame({"time": [1, 1], "key": ["a", "b"], "answer": ["B", "C"], "correct": [1.0, 1.0]})
    >>> now = pd.DataFrame({"time": [9, 9], "key": ["a", "b"], "answer": ["B", None], "correct": [1.0, None]})
    >>> taken_for(now, reference, right=True)[["answer", "correct"]].values.tolist()
    [['B', 1.0], ['C', 1.0]]
    >>> taken_for(now, reference, right=False)["correct"].tolist()
    [1.0, 0.0]
    """
    known = answers["correct"].notna()
    before = answers["key"].map(_first_answers(reference.sort_values("time", kind="stable")).set_index("key")["answer"])
    return answers.assign(
        correct=answers["correct"].where(known, float(right)),
        answer=answers["answer"].where(known, before if right else _NO_ANSWER),
    )


def with_lost(answers: pd.DataFrame, keys: Collection[object]) -> pd.DataFrame:
    """The answers with those of some canaries taken for wrong, whatever they were."""
    lost = answers["key"].isin(keys)
    return answers.assign(correct=answers["correct"].mask(lost, 0.0), answer=answers["answer"].mask(lost, _NO_ANSWER))


def with_absent(answers: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The answers, and of each canary of the reference that was not asked any more a row that says so."""
    known = reference.drop_duplicates("key", keep="last")
    absent = known[~known["key"].isin(answers["key"])]
    if absent.empty:
        return answers
    blank = {"answer": None, "correct": float("nan"), "outcome": "missing", "error": ""}
    gone = absent.assign(time=answers["time"].iloc[0], **blank)
    return pd.concat([answers, gone.astype({"answer": object})], ignore_index=True)


def _first_answers(ordered: pd.DataFrame) -> pd.DataFrame:
    answered = ordered[ordered["answer"].notna()]
    return answered[~answered.duplicated("key")]


def steady_ones(
    signal: Signal, reference: pd.DataFrame, current: pd.DataFrame, choosing: Period
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of both frames the canaries whose every value was 1 while they were chosen, without the looks that chose.

    A canary that was missed in more than one of those looks is not chosen; nor is the anchor a value of agreement.
    """
    first = reference["time"] < choosing.end
    values = signal.read(reference[first])
    of_canary = values.groupby(reference.loc[values.index, "key"])
    always = of_canary.min().eq(1.0) & of_canary.count().ge(CHOOSING - 1)
    chosen = always.index[always]
    after = reference[~first & reference["key"].isin(chosen)]
    return after, current[current["key"].isin(chosen)]


def paired_counts(signal: Signal, reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """A row for each canary that has a value in both frames.

    Returns
    -------
    DataFrame
        ``sum_reference``, ``count_reference``, ``sum_current``, ``count_current`` of the 0/1 values; ``slice``.
    """

    def counts(frame: pd.DataFrame) -> pd.DataFrame:
        values = signal.read(frame).astype(float)
        of_canary = values.groupby(frame.loc[values.index, "key"])
        return pd.DataFrame({"sum": of_canary.sum(), "count": of_canary.count()})

    pairs = counts(reference).join(counts(current), how="inner", lsuffix="_reference", rsuffix="_current")
    return pairs.assign(slice=current.drop_duplicates("key").set_index("key")["slice"].reindex(pairs.index))
