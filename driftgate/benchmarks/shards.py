"""A run that several processes work on: each asks its own share of every cell's samples, into the one ledger."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.sample import Sample

Wanted = Mapping[int, Mapping[str, Sequence[int]]]
"""By place of the cell and key of the sample: the rounds that are to be asked."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several processes asks."""

    place: int
    """From 1."""
    of: int
    wanted: Wanted | None = None
    """What is to be asked of the whole run, where the ledger at hand does not know what was asked; None: it does."""

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read ``2/4``, the second of four.

        Raises
        ------
        DriftgateError
            It is none.

        Examples
        --------
        >>> Share.parse("2/4").of
        4
        """
        place, _, of = text.partition("/")
        if place.isascii() and place.isdecimal() and of.isascii() and of.isdecimal() and 1 <= int(place) <= int(of):
            return cls(int(place), int(of))
        raise DriftgateError(f"'{text}' is no share of a run", "write it as 2/4, the second of four")

    def has(self, sample: Sample) -> bool:
        """Whether it is to ask a sample; samples that ask the same are asked by one, which answers them from its cache.

        Examples
        --------
        >>> from driftgate.benchmarks.datasets import make_sample
        >>> sample = make_sample("demo", "test", 0, {"question": "1+1?"})
        >>> [Share(place, 3).has(sample) for place in (1, 2, 3)]
        [True, False, False]
        """
        asked = hashlib.sha256((sample.asked or sample.key).encode("utf-8", "replace")).digest()
        return int.from_bytes(asked[:8], "big") % self.of == self.place - 1

    def of_suite(self, suite: SuiteConfig) -> SuiteConfig:
        """The suite with this share of its limit on cost; time passes for all of them at once."""
        limit = None if suite.max_cost is None else suite.max_cost / self.of
        return suite.model_copy(update={"max_cost": limit})

    def of_cell(self, cell: Cell) -> Cell:
        """The cell with its share of the requests that a model is sent at once."""
        in_flight = math.ceil(cell.model_config.in_flight / self.of)
        return replace(cell, model_config=cell.model_config.model_copy(update={"in_flight": in_flight}))

    def of_todo(
        self, ordinal: int, cell: Cell, todo: Mapping[str, tuple[int, list[int]]]
    ) -> Mapping[str, tuple[int, list[int]]]:
        """Of what is still to be asked of a cell, by sample key, its own.

        Parameters
        ----------
        ordinal : int
            Place of the cell in the run.
        """
        own = {sample.key: todo[sample.key] for sample in cell.samples if sample.key in todo and self.has(sample)}
        if self.wanted is None:
            return own
        wanted, repeats = self.wanted.get(ordinal, {}), cell.repeats
        left: dict[str, tuple[int, list[int]]] = {}
        for key, (number, rounds) in own.items():
            open_repeats = {round_ % repeats for round_ in rounds}  # a round of this ledger counts from its own first
            if again := [round_ for round_ in wanted.get(key, ()) if round_ % repeats in open_repeats]:
                left[key] = number, again
        return left
