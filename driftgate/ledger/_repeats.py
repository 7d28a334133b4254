"""A sample that a cell asks several times: which of its rounds belong to which repeat, and what they say together.

Rounds are numbered so that ``round % repeats`` is the repeat and ``round // repeats`` says how often that repeat was
asked again after it failed. A cell that asks each sample once has one repeat, and its rounds count from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, Table, func, select

from driftgate.ledger._schema import cells

if TYPE_CHECKING:
    import pandas as pd

REPEATS = "repeats"
"""In the details of a cell: how often it asks each sample; absent where that is once."""
_FROM_BEST = ("answered", "unparsed", "truncated", "filtered", "failed", "missing")
_MEANS = ("input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "cost")


def repeats_in(details: Mapping[str, Any]) -> int:
    """How often a cell asks each sample, from its details."""
    return max(1, int(details.get(REPEATS, 1)))


def repeats_of(connection: Connection, cell_id: int) -> int:
    """How often a cell asks each sample."""
    return repeats_in(connection.execute(select(cells.c.details).where(cells.c.id == cell_id)).scalar_one())


def newest_rounds(table: Table, cell_id: int, repeats: int) -> Select[Any]:
    """``sample_id`` and ``round`` of what a table holds newest of every repeat of a cell's samples."""
    newest = select(table.c.sample_id, func.max(table.c.round).label("round")).where(table.c.cell_id == cell_id)
    return newest.group_by(table.c.sample_id, *([table.c.round % repeats] if repeats > 1 else []))


def every_repeat(frame: pd.DataFrame, repeats: int, of_sample: list[str]) -> pd.DataFrame:
    """One row for every repeat of every sample, from rows in the order of their rounds; empty where it was not asked.

    Parameters
    ----------
    of_sample : list of str
        The columns that a sample's rows share.
    """
    import pandas as pd

    numbered = frame.assign(repeat=frame["round"].fillna(0).astype(int) % repeats)
    numbered = numbered.drop_duplicates(["sample_id", "repeat"], keep="last")
    own = numbered[of_sample].drop_duplicates("sample_id")
    asked = own.merge(pd.DataFrame({"repeat": range(repeats)}), how="cross")
    said = numbered.drop(columns=[name for name in of_sample if name != "sample_id"])
    return asked.merge(said, on=["sample_id", "repeat"], how="left")


def one_row_each(frame: pd.DataFrame) -> pd.DataFrame:
    """What the repeats of each sample say together, one row a sample.

    ``correct`` is the mean over its repeats, of which those without an answer count as wrong; it is empty where an
    answer could not be judged. ``outcome`` is the worst; ``answer`` the commonest; tokens and cost are of one repeat,
    on average; what else there is, is the last repeat's.
    """
    ranked = frame.assign(
        rank=frame["outcome"].map(_FROM_BEST.index),
        right=frame["correct"].fillna(0.0),
        judged=frame["correct"].notna(),
        unjudged=(frame["outcome"] == "answered") & frame["correct"].isna(),
        asked=frame["outcome"] != "missing",
    )
    grouped = ranked.groupby("sample_id", sort=False)
    asked = ranked[ranked["asked"]].groupby("sample_id", sort=False)
    # Of the last repeat that was asked, and of a sample that never was the empty row.
    order = ranked.sort_values("asked", kind="stable").groupby("sample_id", sort=False).tail(1).index
    whole = frame.loc[order].set_index("sample_id").loc[list(grouped.groups)]
    measured = grouped["judged"].any() & ~grouped["unjudged"].any()
    whole["correct"] = grouped["right"].mean().where(measured)
    whole["outcome"] = grouped["rank"].max().map(lambda rank: _FROM_BEST[rank])
    whole["error"] = ranked[ranked["error"].fillna("") != ""].groupby("sample_id")["error"].first()
    whole["error"] = whole["error"].where(whole["error"].notna(), None if whole["outcome"].eq("missing").all() else "")
    whole["answer"] = ranked[ranked["answer"].notna()].groupby("sample_id")["answer"].agg(_commonest)
    for name in _MEANS:
        whole[name] = asked[name].mean().where(asked[name].count() == asked[name].size())
    whole["latency"] = grouped["latency"].mean()
    whole["cached"] = asked["cached"].all()
    return whole.reset_index()[[name for name in frame.columns if name != "repeat"]]


def _commonest(answers: pd.Series[str]) -> str:
    """The answer that was given most often, of several the first."""
    counts = answers.value_counts(sort=False)
    return str(counts.index[int(counts.to_numpy().argmax())])
