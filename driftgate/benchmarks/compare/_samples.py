"""Samples that two cells answered differently, and samples whose key the strong models doubt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftgate.benchmarks.compare._entry import Entry
from driftgate.benchmarks.compare._pair import Pair
from driftgate.flows.letters import LETTERS

if TYPE_CHECKING:
    import pandas as pd


def flips(pair: Pair) -> pd.DataFrame:
    """The shared samples of which one cell's score is higher, in the candidate's order.

    Returns
    -------
    pandas.DataFrame
        ``sample_id`` (the candidate's), ``key``, ``upstream_id``, ``category``, ``direction`` (``gained``: the
        candidate is right and the reference is not; ``lost``: the other way round), and of each side ``answer``,
        ``outcome`` and ``score`` (the reference's as ``answer_reference`` and so on).
    """
    ours, theirs = (e.frame.assign(score=e.right) for e in (pair.candidate, pair.reference))
    columns = ["key", "answer", "outcome", "score"]
    described = ["sample_id", "upstream_id", "category"]
    both = ours[[*columns, *described]].merge(theirs[columns], on="key", suffixes=("", "_reference"))
    moved = both[both["score"] != both["score_reference"]]
    direction = np.where(moved["score"] > moved["score_reference"], "gained", "lost")
    return moved.assign(direction=direction).reset_index(drop=True)


LEAST_VOTERS = 5
"""Models that a doubt of a key needs: with fewer, the strong half is one or two."""


@dataclass(frozen=True)
class SuspectKeys:
    """Samples of which all strong models chose one same letter that is not the key.

    Strong models share misconceptions, so most of these on a hard dataset are hard and not wrong: look at them.
    """

    strong: Sequence[str]
    """Labels of the cells that count as strong."""
    looked_at: int
    """Samples that all strong cells were asked and that have a letter as their key."""
    expected: float
    """How many there would be if each strong model, where it is wrong, chose among the other letters on its own."""
    samples: pd.DataFrame
    """``sample_id``, ``key``, ``upstream_id``, ``category``, ``gold``, ``letter``, ``agree`` (cells that chose the
    letter, of all), ``with_key`` (cells that chose the key) and ``log_odds``, the most suspect first."""
    reason: str = ""
    """Why none were looked for."""


def suspect_keys(entries: Sequence[Entry], keys: pd.DataFrame) -> SuspectKeys:
    r"""Samples on which the strong models agree on one other letter than the key.

    Strong is the better half of at least :data:`LEAST_VOTERS` models by accuracy on this dataset; of a model that
    stands here more than once (variants, flows, runs) its best cell counts. They are ordered by the log-odds with
    which all models together prefer the letter to the key: a model of accuracy :math:`a` among :math:`k` choices counts
    :math:`\log (a (k - 1) / (1 - a))` for what it chose, as in [1]_ with equal errors and equal priors. Models do not
    err independently, so this is an order and no probability.

    Parameters
    ----------
    entries
        Cells on one dataset.
    keys
        As from :func:`driftgate.ledger.key_frame`, of all samples.

    References
    ----------
    .. [1] Dawid, Skene (1979). Maximum likelihood estimation of observer error-rates using the EM algorithm. Applied
       Statistics 28(1), 20-28.
    """
    voters = _best_of_each_model(entries)
    if len(voters) < LEAST_VOTERS:
        return _none(
            f"needs {LEAST_VOTERS} models, and there are {len(voters)}: what a few of them agree on is often their "
            "common mistake"
        )
    strong = voters[: math.ceil(len(voters) / 2)]
    table = _answers(voters, keys)
    table = table[(table[[f"answer_{i}" for i in range(len(strong))]] != "").all(axis=1)]
    if table.empty:
        return _none("no sample has a letter for its key and answers of all strong models")
    gold, count = table["gold"].to_numpy(dtype=str), table["choices"].to_numpy(dtype=float)
    count = np.where(count > 1, count, len(set(gold)))
    answers = np.column_stack([table[f"answer_{i}"].to_numpy(dtype=str) for i in range(len(voters))])
    first = answers[:, : len(strong)]
    wrong = (first != gold[:, None]).all(axis=1)
    agreed = wrong & (first == first[:, :1]).all(axis=1)
    others = np.maximum(1.0, count - 1.0)
    weights = np.array([[_weight(float(e.right.mean()), k) for e in voters] for k in np.unique(count)])
    weights = weights[np.searchsorted(np.unique(count), count)]
    letter = first[:, 0]
    log_odds = (weights * (answers == letter[:, None])).sum(axis=1) - (weights * (answers == gold[:, None])).sum(axis=1)
    found = table.assign(
        letter=letter,
        agree=(answers == letter[:, None]).sum(axis=1),
        with_key=(answers == gold[:, None]).sum(axis=1),
        log_odds=log_odds,
    )[agreed]
    columns = ["sample_id", "key", "upstream_id", "category", "gold", "letter", "agree", "with_key", "log_odds"]
    return SuspectKeys(
        [e.label for e in strong],
        len(table),
        float((1.0 / others[wrong] ** (len(strong) - 1)).sum()),
        found[columns].sort_values(["log_odds", "key"], ascending=[False, True]).reset_index(drop=True),
    )


def _none(reason: str) -> SuspectKeys:
    import pandas as pd

    return SuspectKeys([], 0, 0.0, pd.DataFrame(), reason)


def _best_of_each_model(entries: Sequence[Entry]) -> list[Entry]:
    best: dict[str, Entry] = {}
    for entry in entries:
        model = entry.scores.cell.model
        if entry.right.size and (model not in best or entry.right.mean() > best[model].right.mean()):
            best[model] = entry
    return sorted(best.values(), key=lambda e: -float(e.right.mean()))


def _answers(voters: Sequence[Entry], keys: pd.DataFrame) -> pd.DataFrame:
    """Samples that the first voter was asked and that have a letter as key, with every voter's letter or nothing."""
    first = voters[0]
    columns = ["sample_id", "key", "upstream_id", "category"]
    table = first.frame[columns].assign(place=np.arange(len(first.frame))).merge(keys, on="sample_id")
    table["gold"] = table["gold"].fillna("").astype(str).str.strip().str.upper()
    table = table[table["gold"].isin(list(LETTERS))]
    for number, voter in enumerate(voters):
        answer = voter.frame["answer"].where(voter.frame["outcome"] == "answered").fillna("").astype(str)
        letters = answer.str.strip().str.upper()
        said = letters.where(letters.isin(list(LETTERS)), "").to_numpy(dtype=object)
        here, there = first.shared_with(voter)
        aligned = np.full(len(first.frame), "", dtype=object)
        aligned[here] = said[there]
        table[f"answer_{number}"] = aligned[table["place"].to_numpy()]
    return table.drop(columns="place")


def _weight(accuracy: float, choices: float) -> float:
    share = min(max(accuracy, 0.01), 0.99)
    return math.log(share * max(1.0, choices - 1.0) / (1.0 - share))
