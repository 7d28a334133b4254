"""What became of the data between two runs that are compared: questions reworded, right answers corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.ledger import EXPIRED

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 5


@dataclass(frozen=True)
class Changes:
    """The ids of samples of which the two runs' data do not say the same."""

    reworded: tuple[str, ...] = ()
    """Asked in both runs under one id, and not the same: they are not paired."""
    corrected: tuple[str, ...] = ()
    """The same question with another right answer: they are paired, and their difference may be the answer's."""

    @property
    def words(self) -> tuple[str, ...]:
        """What to know of the comparison; nothing where nothing changed."""
        found = []
        if self.reworded:
            found.append(
                f"asking something else under the same id, so not paired: {len(self.reworded):,} "
                f"({_named(self.reworded)})"
            )
        if self.corrected:
            found.append(
                f"shared with another right answer, which may be what they differ by: {len(self.corrected):,} "
                f"({_named(self.corrected)})"
            )
        return tuple(found)


NO_CHANGES = Changes()


def changes(ours: pd.DataFrame, our_keys: pd.DataFrame, theirs: pd.DataFrame, their_keys: pd.DataFrame) -> Changes:
    """What changed from the data of one cell to that of another.

    Parameters
    ----------
    ours, theirs : pandas.DataFrame
        As from :func:`driftgate.ledger.outcome_frame`.
    our_keys, their_keys : pandas.DataFrame
        As from :func:`driftgate.ledger.key_frame`, of at least those samples.
    """
    if ours["sample_id"].equals(theirs["sample_id"]):
        return NO_CHANGES
    here, there = (
        frame[["sample_id", "key", "upstream_id"]].merge(keys[["sample_id", "gold", "own_id"]], on="sample_id")
        for frame, keys in ((ours, our_keys), (theirs, their_keys))
    )
    both = here.merge(there, on="key", suffixes=("", "_there"))
    gold, gold_there = (both[name].fillna("") for name in ("gold", "gold_there"))
    known = (gold != EXPIRED) & (gold_there != EXPIRED)
    other_gold = (both["sample_id"] != both["sample_id_there"]) & known & (gold != gold_there)
    alone = here[~here["key"].isin(there["key"]) & (here["own_id"] != "")]
    alone_there = there[~there["key"].isin(here["key"]) & (there["own_id"] != "")]
    reworded = alone.loc[alone["own_id"].isin(alone_there["own_id"]), "own_id"]
    return Changes(tuple(map(str, reworded)), tuple(map(str, both.loc[other_gold, "upstream_id"])))


def _named(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
