"""Ask the cells of a run block by block, until its gate has decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.looks import Looks, Stops
from driftgate.ledger import Ledger, leave_out

if TYPE_CHECKING:
    from driftgate.benchmarks.datasets import Sample


class Asking(Protocol):
    """A cell that is being asked."""

    @property
    def cell_id(self) -> int:
        """Its id in the ledger."""

    async def ask(self, samples: Sequence[Sample]) -> None:
        """Ask those of some samples that have no outcome yet."""

    def say(self, words: Sequence[str]) -> None:
        """Tell the user something."""


@dataclass(frozen=True)
class _Cell:
    """A cell with its samples in the order in which they are asked."""

    asking: Asking
    samples: Sequence[Sample]
    ends: Sequence[int]

    @classmethod
    def of(cls, asking: Asking, cell: Cell, looks: Looks) -> _Cell:
        keys, clusters = [sample.key for sample in cell.samples], [sample.cluster for sample in cell.samples]
        order = looks.order(keys, clusters)
        ends = looks.ends([keys[place] for place in order], [clusters[place] for place in order])
        return cls(asking, [cell.samples[place] for place in order], ends.tolist())


async def ask_by_looks(
    ledger: Ledger,
    cells: Sequence[Cell],
    opened: Callable[[int, Cell], AbstractAsyncContextManager[Asking]],
    stops: Stops,
) -> None:
    """Ask a block of every cell, look, and go on with the cells that an undecided rule needs.

    A cell that no rule is about is asked as long as any other is. What was not asked is put down as not needed at once,
    so that whoever goes on with the run after a crash stops where it did.

    Parameters
    ----------
    opened : callable
        Opens a cell, of which it gets the place in the run; what is left of its blocks is then asked.

    Raises
    ------
    DriftgateError
        A limit was reached, a model refuses, or a rule cannot be judged.
    """
    async with AsyncExitStack() as stack:
        asked: list[_Cell] = []
        for place, cell in enumerate(cells):
            assert cell.looks is not None
            asking = await stack.enter_async_context(opened(place, cell))
            asked.append(_Cell.of(asking, cell, cell.looks))
        counts = {one.asking.cell_id: 0 for one in asked}
        going, said = list(asked), set[str]()
        for look in range(max((len(one.ends) for one in asked), default=0)):
            for one in going:
                if look < len(one.ends):
                    await one.asking.ask(one.samples[counts[one.asking.cell_id] : one.ends[look]])
                    counts[one.asking.cell_id] = one.ends[look]
            standing = await asyncio.to_thread(stops.look, dict(counts))
            so_far, of = sum(counts.values()), sum(len(one.samples) for one in asked)
            news = [told for told in standing.told if told not in said]  # what was decided is said once
            said.update(news)
            going[0].asking.say([f"after {so_far:,} of {of:,} questions: {told}" for told in news])
            if not standing.open:
                break
            idle = standing.about - standing.open
            going = [one for one in going if one.asking.cell_id not in idle]
        left = [one.asking.cell_id for one in asked if counts[one.asking.cell_id] < len(one.samples)]
        await asyncio.to_thread(leave_out, ledger, left)
