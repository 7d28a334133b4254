"""A cell as one side of comparisons: what it was asked, what was right, and what was never answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from driftgate.benchmarks.metrics import right, settled
from driftgate.benchmarks.scores import CellScores
from driftgate.ledger import SEQUENTIAL

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


_FIXED = "a fixed test does not hold"


@dataclass(frozen=True, eq=False)
class Entry:
    """A cell with the name it has among those it is compared with."""

    label: str
    scores: CellScores

    @property
    def frame(self) -> pd.DataFrame:
        """One row for every sample asked; see :func:`driftgate.ledger.outcome_frame`."""
        return self.scores.frame

    @property
    def dataset(self) -> str:
        """Name of its dataset."""
        return self.scores.cell.dataset

    @property
    def untested(self) -> str:
        """Why no fixed test of its scores holds; empty where one does."""
        cell = self.scores.cell
        return f"stopped early by gate {cell.details[SEQUENTIAL]['gate']}: {_FIXED}" if cell.stopped else ""

    @cached_property
    def keys(self) -> pd.Index[str]:
        """What its samples are known by, each once; shape (n,)."""
        import pandas as pd

        keys: pd.Index[str] = pd.Index(self.frame["key"])
        return keys

    def shared_with(self, other: Entry) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places of the samples that both were asked, in the order they have here: here, and there."""
        import numpy as np

        if self.keys.equals(other.keys):
            everywhere = np.arange(len(self.keys))
            return everywhere, everywhere
        there = other.keys.get_indexer(self.keys)
        here = np.flatnonzero(there >= 0)
        return here, there[here]

    @cached_property
    def right(self) -> NDArray[np.float64]:
        """The score of every sample, what was not answered counting as wrong; shape (n,)."""
        return right(self.frame)

    @cached_property
    def settled(self) -> NDArray[np.bool_]:
        """Whether a sample was answered and could be judged; shape (n,)."""
        return settled(self.frame).to_numpy(dtype=bool)

    @cached_property
    def clusters(self) -> NDArray[np.object_] | None:
        """The cluster of every sample, its own where it stands alone; None where none has one. Shape (n,)."""
        if not (self.frame["cluster"] != "").any():
            return None
        own = self.frame["cluster"].where(self.frame["cluster"] != "", self.frame["sample_id"].astype(str))
        return own.to_numpy(dtype=object)

    def slices(self, kind: str) -> NDArray[np.object_]:
        """The category or super-category of every sample, empty where it has none; shape (n,)."""
        return self.frame[kind].to_numpy(dtype=object)


def groups(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries that can be compared: of one dataset, or of several that share samples (a subset and its whole).

    Two files of a team may ask a question in common and be different exams, so what is shared has to be enough to pair.
    """
    found: list[list[Entry]] = []
    of_samples: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        alike = of_samples.setdefault(_asked(entry), entry)  # of entries asked the same, one stands for all

        def belongs(group: list[Entry], entry: Entry = entry, alike: Entry = alike) -> bool:
            if any(e.dataset == entry.dataset for e in group):
                return True
            return any(enough_shared(e, alike) for e in {_asked(e): of_samples[_asked(e)] for e in group}.values())

        mine = [group for group in found if belongs(group)]
        rest = [group for group in found if group not in mine]
        merged = sorted((e for group in [*mine, [entry]] for e in group), key=lambda e: _place(entries, e))
        found = [*rest, merged]
    return sorted((_told_apart(group) for group in found), key=lambda group: _place(entries, group[0]))


def _asked(entry: Entry) -> tuple[str, str]:
    """What tells apart the samples that cells were asked; of older cells, which do not say, each its own."""
    return entry.dataset, str(entry.scores.cell.details.get("samples", entry.scores.cell.id))


def enough_shared(one: Entry, other: Entry) -> bool:
    """Whether two entries share enough samples to be paired; see :func:`is_paired`."""
    return is_paired(one.shared_with(other)[0].size, len(one.frame), len(other.frame))


def is_paired(shared: int, candidate: int, reference: int) -> bool:
    """Whether to compare on shared samples only: if they are at least half of the smaller side's.

    Below that, pairing would throw away more than it gains, and the few shared samples, whose scores correlate
    positively, make an unpaired interval too wide rather than too narrow.
    """
    return shared > 0 and 2 * shared >= min(candidate, reference)


def _place(entries: Sequence[Entry], wanted: Entry) -> int:
    cell = wanted.scores.cell.id
    return next(place for place, entry in enumerate(entries) if entry.scores.cell.id == cell)


def _told_apart(group: list[Entry]) -> list[Entry]:
    names = [entry.label for entry in group]
    return [Entry(f"{e.label} · {e.dataset}", e.scores) if names.count(e.label) > 1 else e for e in group]
