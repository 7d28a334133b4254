"""Find a text in what nodes of a run's flow gave: prompts, replies and all between, wherever it is kept.

Outputs of a run that has ended are compressed text by text, so that all of them have to be unpacked to be looked at;
of a hundred thousand samples that takes seconds. So it is looked for part by part, and how far it got is told with what
was found.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select, tuple_

from driftgate.flows.errors import DriftgateError
from driftgate.flows.needles import Needles, strings_in
from driftgate.ledger._archive_files import missing_file, parts_of, path_of, read_part
from driftgate.ledger._cells import CellRow
from driftgate.ledger._pages import decode, numbers_written
from driftgate.ledger._schema import archives, node_outputs, pages
from driftgate.ledger._store import Ledger
from driftgate.ledger._texts import texts_of

_ROWS = 1_000
"""Rows that are looked at before it is told how far the search is."""
_KEYS = (node_outputs.c.sample_id, node_outputs.c.round, node_outputs.c.node)


@dataclass(frozen=True)
class OutputsSearched:
    """How far a search is."""

    found: Mapping[int, Collection[int]]
    """By cell, the samples on which a node gave the text or failed with it, in any round."""
    done: int
    """Outputs of nodes that were looked at."""
    of: int
    """All there are of these cells; none where they were expired or forgotten."""

    @property
    def complete(self) -> bool:
        """Whether nothing is left to look at."""
        return self.done >= self.of


@dataclass(frozen=True)
class _Part:
    """Outputs of a cell that are looked at one after the other."""

    cell: int
    rows: int
    page: int | None = None
    """The ordinal of a page."""
    file: str = ""
    """A file of the archive, and which of its parts."""
    place: int = 0


class _Moved(Exception):
    """Outputs are elsewhere than they were when the search began: a run was packed, archived or forgotten."""


def search_outputs(ledger: Ledger, cells: Sequence[CellRow], text: str) -> Iterator[OutputsSearched]:
    """Look for a text in the outputs of the nodes of cells, and tell after every part how far it is.

    A text is found in whatever case it is written and however it is composed (NFC or NFD). Where the outputs are moved
    meanwhile it begins anew; what comes in meanwhile is not looked at, and the search does not end complete.

    Parameters
    ----------
    text : str
        At least one character.

    Raises
    ------
    DriftgateError
        A file of the archive is missing or damaged.
    """
    sought = _Sought(Needles((text,)))
    while True:
        parts = _parts(ledger, cells)
        found: dict[int, set[int]] = {}
        done, of = 0, sum(part.rows for part in parts)
        yield OutputsSearched(found, 0, of)
        try:
            for part in parts:
                for samples, rows in sought.in_part(ledger, part):
                    found.setdefault(part.cell, set()).update(samples)
                    done += rows
                    yield OutputsSearched(found, done, of)
        except _Moved:
            continue
        if (now := sum(part.rows for part in _parts(ledger, cells))) > of:
            yield OutputsSearched(found, done, now)
        return


class _Sought:
    """A text that is looked for, with what is known of texts that many cells and nights share.

    Parameters
    ----------
    needles : Needles
        The text.
    """

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self._has: dict[int, bool] = {}
        """By the number of a text that is kept once."""

    def in_part(self, ledger: Ledger, part: _Part) -> Iterator[tuple[Collection[int], int]]:
        """Samples of a part that have it, and how many outputs were looked at, a few at a time."""
        if part.page is not None:
            yield self._in_page(ledger, part, part.page), part.rows
        elif part.file:
            yield self._in_file(ledger, part), part.rows
        else:
            yield from self._in_rows(ledger, part)

    def _in_rows(self, ledger: Ledger, part: _Part) -> Iterator[tuple[Collection[int], int]]:
        columns = (*_KEYS, cast(node_outputs.c.output, Text).label("output"), node_outputs.c.error)
        query = select(*columns).where(node_outputs.c.cell_id == part.cell).order_by(*_KEYS).limit(_ROWS)
        left, last = part.rows, None
        while left > 0:
            with ledger.read() as connection:
                here = query if last is None else query.where(tuple_(*_KEYS) > last)
                rows = connection.execute(here).all()
            if not rows:
                raise _Moved
            last = tuple(rows[-1][:3])
            yield {row.sample_id for row in rows if self._written(row.output, row.error)}, min(len(rows), left)
            left -= len(rows)

    def _in_page(self, ledger: Ledger, part: _Part, ordinal: int) -> Collection[int]:
        here = (pages.c.cell_id == part.cell, pages.c.part == node_outputs.name, pages.c.ordinal == ordinal)
        with ledger.read() as connection:
            page = connection.execute(select(pages.c.data).where(*here)).scalar_one_or_none()
            if page is None:
                raise _Moved
            named = numbers_written(page)
            self._look_at(connection, named)
        hit = any(self._has.get(one) for one in named) or self._needles.in_written(zlib.decompress(page).decode())
        if not hit:
            return ()
        # A text that has what is looked for stands for itself; of any other it does not matter what it says.
        texts = {one: self._needles.texts[0] if self._has.get(one) else "" for one in named}
        rows = decode(node_outputs, page, texts, ("sample_id", "output", "error"))
        return {row.sample_id for row in rows if self._said((row.output, row.error))}

    def _in_file(self, ledger: Ledger, part: _Part) -> Collection[int]:
        path = path_of(ledger.archive, part.file)
        try:
            rows = read_part(path, part.place, ("sample_id", "output", "error"))
        except FileNotFoundError:
            raise _Moved from None
        return {sample for sample, output, error in rows if self._written(output, error)}

    def _look_at(self, connection: Connection, named: Collection[int]) -> None:
        new = [one for one in named if one not in self._has]
        for number, text in texts_of(connection, new).items():
            self._has[number] = self._needles.in_text(text)

    def _written(self, output: str | None, error: str) -> bool:
        """Whether it is in an output that is written as JSON: in a text of it, not in what its keys are called."""
        if self._needles.in_text(error):
            return True
        return output is not None and self._needles.in_written(output) and self._said(json.loads(output))

    def _said(self, value: Any) -> bool:
        return any(map(self._needles.in_text, strings_in(value)))


def _parts(ledger: Ledger, cells: Sequence[CellRow]) -> list[_Part]:
    """Where the outputs of cells are, one cell after the other."""
    found: list[_Part] = []
    with ledger.read() as connection:
        for cell in cells:
            here = node_outputs.c.cell_id == cell.id
            count = connection.execute(select(func.count()).select_from(node_outputs).where(here)).scalar_one()
            found += [_Part(cell.id, int(count))] if count else []
            packed = select(pages.c.ordinal, pages.c.rows).where(
                pages.c.cell_id == cell.id, pages.c.part == node_outputs.name
            )
            for row in connection.execute(packed.order_by(pages.c.ordinal)):
                found.append(_Part(cell.id, row.rows, page=row.ordinal))
            files = select(archives.c.file).where(archives.c.cell_id == cell.id).order_by(archives.c.file)
            for file in connection.execute(files).scalars():
                try:
                    counts = parts_of(path_of(ledger.archive, file), node_outputs)
                except FileNotFoundError:
                    raise DriftgateError(*missing_file(path_of(ledger.archive, file), cell.run_id)) from None
                found += [_Part(cell.id, rows, file=file, place=place) for place, rows in counts.items()]
    return found
