"""How far the cells of a run are, and who shows it to a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from driftgate.benchmarks.cell import Cell


@dataclass
class CellProgress:
    """How far a cell is; read by a display while the cell runs."""

    cell: Cell
    asked: int
    done: int
    later: int = 0
    """Samples of the run's cells after this one, as often as they are asked."""
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    """Why samples failed, in words."""
    cost: float | None = 0.0
    """What it cost so far; None where that is not known."""
    capacity: int = 0
    notes: list[str] = field(default_factory=list)
    """What the user should know, in sentences."""


class Display(Protocol):
    """Shows a run to a person."""

    def begin(self, progress: CellProgress) -> None:
        """A cell begins."""

    def advance(self, progress: CellProgress) -> None:
        """A sample got its outcome."""

    def end(self, progress: CellProgress) -> None:
        """A cell is complete or the run stops."""


class Unseen:
    """A :class:`Display` that shows nothing."""

    def begin(self, progress: CellProgress) -> None:
        """A cell begins."""

    def advance(self, progress: CellProgress) -> None:
        """A sample got its outcome."""

    def end(self, progress: CellProgress) -> None:
        """A cell is complete or the run stops."""
