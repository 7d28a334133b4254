"""In which order and in what steps the samples of a run are asked that its gate may stop."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from driftgate.ledger import SEQUENTIAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 100
"""Samples between two looks; a model with more requests in flight is asked so many more."""
GROWTH = 20
"""A look comes after so large a part of what was asked, where that is more: 1 in 20. That may ask 5% more than looks
after every block would, and of 35,000 samples there are 80 looks and not 350."""


@dataclass(frozen=True)
class Looks:
    """How a run is asked that its gate may stop; kept in the plan of the run, for whoever goes on with it or judges it.

    Samples come in an order that the seed decides, by what they ask and not by where they stand: of two runs with the
    same seed it is the same. Those that share a passage stay together.
    """

    gate: str
    """The gate that may stop it."""
    seed: int
    block: int = BLOCK
    rules: str = ""
    """Hash of the gate's rules: what has seen part of the answers chooses no other ones."""

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Looks | None:
        """As the details of a cell have it; None of a cell that asks everything."""
        kept = details.get(SEQUENTIAL)
        return None if kept is None else cls(**kept)

    def as_json(self) -> dict[str, Any]:
        """What :meth:`of` reads."""
        return asdict(self)

    def order(self, keys: Sequence[str], clusters: Sequence[str]) -> NDArray[np.int64]:
        """The places of the samples in the order in which they are asked; shape (n,).

        Examples
        --------
        >>> Looks("g", 7).order(["a", "b", "c", "d"], ["p", "", "p", ""]).tolist()
        [3, 1, 0, 2]
        """
        groups = _groups(keys, clusters)
        ranks = [hashlib.sha256(f"{self.seed}\n{group}".encode()).digest() for group in groups]
        return np.array(sorted(range(len(keys)), key=lambda place: (ranks[place], place)), dtype=np.int64)

    def ends(self, keys: Sequence[str], clusters: Sequence[str]) -> NDArray[np.int64]:
        """How many samples were asked at each look, the last of which is at all of them; shape (looks,).

        Parameters
        ----------
        keys, clusters
            Of the samples in the order in which they are asked.

        Examples
        --------
        >>> Looks("g", 0, block=2).ends(["a", "b", "c", "d", "e"], ["", "p", "p", "", ""]).tolist()
        [3, 5]
        """
        groups, ends, before = _groups(keys, clusters), [], 0
        for place in range(1, len(groups)):
            if groups[place] != groups[place - 1] and place - before >= max(self.block, place // (GROWTH + 1)):
                ends.append(place)
                before = place
        return np.array([*ends, *([len(groups)] if groups else [])], dtype=np.int64)


def _groups(keys: Sequence[str], clusters: Sequence[str]) -> list[str]:
    """What stays together: the cluster, or the sample itself where it stands alone."""
    return [f"c{cluster}" if cluster else f"s{key}" for key, cluster in zip(keys, clusters, strict=True)]


@dataclass(frozen=True)
class Standing:
    """How the rules of a gate stand at a look."""

    told: tuple[str, ...]
    """Each rule on each cell in one line."""
    about: frozenset[int]
    """Ids of the cells that a rule is about, or compares with."""
    open: frozenset[int]
    """Those of which such a rule is not decided."""


class Stops(Protocol):
    """Says at each look what is still to be asked."""

    def look(self, counts: Mapping[int, int]) -> Standing:
        """Judge what was asked so far.

        Parameters
        ----------
        counts : Mapping
            How many samples of each cell were asked, by the cell's id.
        """
