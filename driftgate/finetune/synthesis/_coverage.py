"""The coverage dataset: every slice, label and phrasing class, in even numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from driftgate.finetune.synthesis._asking import Reject, Spent
from driftgate.finetune.synthesis._choices import quotas, take_turns
from driftgate.finetune.synthesis._clusters import Coverage
from driftgate.finetune.synthesis._values import Candidate
from driftgate.flows.documents import Skipped

Cell = tuple[str, str, str]
"""Slice, label, phrasing class."""


@dataclass(frozen=True)
class Dropped:
    """What one filter took out."""

    filter: str
    version: str
    count: int
    reason: str = ""
    """Why, for the example."""
    example: str = ""
    """The first candidate that was dropped; empty where showing it would show a hold-out or personal data."""


@dataclass(frozen=True)
class CoverageDataset:
    """Training items, what they cover and what was left out of them."""

    items: tuple[Candidate, ...]
    cells: Mapping[Cell, int]
    """Items of every combination of slice, label and phrasing class the material allows; 0 where none was kept."""
    generated: int
    """Candidates before the filters."""
    dropped: tuple[Dropped, ...]
    """One entry for each filter, in their order."""
    surplus: int
    """Candidates that passed all filters and were not needed."""
    redactions: int
    """Values that were replaced when the material was read."""
    config_hash: str
    seed: int
    rejects: tuple[Reject, ...] = ()
    """Everything that was made and is not kept, in the order in which it fell."""
    coverage: Coverage | None = None
    """The clusters of the material, where the configuration asks for them."""
    unread: tuple[Skipped, ...] = ()
    """Files of the material that are not read."""
    spent: Spent = field(default_factory=Spent)
    """What asking took."""
    materials: Mapping[str, str] = field(default_factory=dict)
    """Content hash of each piece of the material."""

    @property
    def missing(self) -> tuple[Cell, ...]:
        """Combinations without an item."""
        return tuple(cell for cell, count in self.cells.items() if not count)

    @property
    def letters(self) -> Mapping[str, int]:
        """How often each letter is the answer."""
        return Counter(item.answer for item in self.items)

    @property
    def distinct_2(self) -> float:
        """Different word pairs over all word pairs, from 0 to 1 (Li et al. 2016, arXiv:1510.03055); 0 without any."""
        pairs = [pair for item in self.items for pair in pairwise(item.text.split())]
        return len(set(pairs)) / len(pairs) if pairs else 0.0


def choose(candidates: Sequence[Candidate], count: int, shares: Mapping[str, float] | None = None) -> list[Candidate]:
    """Take ``count`` candidates, one from each cell in turn, so that no cell has two more than another needs.

    Labels change fastest, then phrasing classes, so that a small count still covers every label. With shares of
    clusters, each cluster is chosen from in this way; what one has too few of, the others make up for.
    """
    if not shares:
        return _even(candidates, count)
    chosen: list[Candidate] = []
    for name, part in quotas(shares, count).items():
        chosen += _even([item for item in candidates if item.cluster == name], part)
    taken = set(map(id, chosen))
    return chosen + _even([item for item in candidates if id(item) not in taken], count - len(chosen))


def _even(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    cells: dict[Cell, list[int]] = {}
    for place, candidate in enumerate(candidates):
        cells.setdefault(_cell(candidate), []).append(place)
    labels: Counter[tuple[str, str]] = Counter()
    ordered = []
    for cell in sorted(cells):
        ordered.append((labels[cell[0], cell[1]], cell))
        labels[cell[0], cell[1]] += 1
    return [candidates[place] for place in take_turns([cells[cell] for _, cell in sorted(ordered)], count)]


def count_cells(offered: Sequence[Candidate], kept: Sequence[Candidate]) -> dict[Cell, int]:
    """Items kept of every slice, label and phrasing class that were offered together or apart, slice by slice.

    A slice's labels and phrasing classes are those its own candidates had before any was dropped.
    """
    counts = Counter(map(_cell, kept))
    cells: dict[Cell, int] = {}
    for slice in sorted({candidate.slice for candidate in offered}):
        own = [candidate for candidate in offered if candidate.slice == slice]
        for label in sorted({candidate.label for candidate in own}):
            for phrasing in sorted({candidate.phrasing for candidate in own}):
                cells[slice, label, phrasing] = counts[slice, label, phrasing]
    return cells


def _cell(candidate: Candidate) -> Cell:
    return candidate.slice, candidate.label, candidate.phrasing
