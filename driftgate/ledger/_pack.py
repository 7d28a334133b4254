"""Pack what nodes and evaluators did on samples: many rows into one page, and every text once for all nights.

A run is packed after it has ended, a cell in one transaction; what reads details reads pages as it reads rows.
"""

from __future__ import annotations

import zlib
from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, func, insert, or_, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.flows.needles import Needles
from driftgate.ledger._making import lock
from driftgate.ledger._pages import Row, columns_of, decode, encode, keys_of, numbers_in, texts_in
from driftgate.ledger._schema import DETAILS, cells, pages, runs, texts
from driftgate.ledger._space import Space, give_back, has_free_pages
from driftgate.ledger._store import Ledger
from driftgate.ledger._texts import keep_texts, texts_of, use_texts

_SAMPLES = 512
"""Samples of a page: enough that what is alike compresses, and few enough that one of them is found fast."""


@dataclass(frozen=True)
class Packed:
    """What was packed."""

    cells: int
    rows: int
    bytes: int
    """Of the pages; texts, which other nights share, are not counted."""
    space: Space | None = None
    """None where there was little to give back: the next night fills it."""


def pack_details(ledger: Ledger) -> Packed:
    """Pack the details of every run that has ended; what is packed already stays as it is.

    Raises
    ------
    DriftgateError
        The ledger refuses. A cell is packed whole or not at all.
    """
    held = [exists().where(table.c.cell_id == cells.c.id) for table in DETAILS]
    query = select(cells.c.id).join(runs, runs.c.id == cells.c.run_id).where(runs.c.status != "running", or_(*held))
    with ledger.read() as connection:
        found = list(connection.execute(query.order_by(runs.c.created_at, cells.c.id)).scalars())
    done = [_pack(ledger, cell_id) for cell_id in found]
    freed = give_back(ledger, (*DETAILS, pages, texts)) if found and has_free_pages(ledger) else None
    return Packed(len(done), sum(rows for rows, _ in done), sum(size for _, size in done), freed)


def page_rows(
    connection: Connection,
    table: Table,
    cell_id: int,
    names: Sequence[str],
    *,
    samples: Collection[int] | None = None,
    equal: Mapping[str, str] | None = None,
) -> list[Any]:
    """Rows of a table of details that are in pages, with an attribute for each of some columns."""
    found = []
    wanted = list(dict.fromkeys([*names, *(equal or {})]))
    places = [columns_of(table).index(name) for name in {*wanted, *keys_of(table)}]
    for page in _pages(connection, table, cell_id, samples):
        try:
            rows = decode(table, page, texts_of(connection, numbers_in(page, places)), wanted)
        except (KeyError, ValueError, zlib.error) as problem:
            raise DriftgateError(
                f"a page of cell {cell_id} cannot be read: {table.name} {_why(problem)}",
                "restore a copy of the ledger: what is in it is nowhere else",
            ) from problem
        if samples is not None:
            within = set(samples)
            rows = [row for row in rows if row.sample_id in within]
        if equal:
            rows = [row for row in rows if all(getattr(row, name) == value for name, value in equal.items())]
        found += rows
    if len(wanted) == len(names):
        return found
    make: Any = namedtuple("Row", names)  # type: ignore[misc]
    return [make(*row[: len(names)]) for row in found]


def matching_pages(
    connection: Connection, table: Table, cell_id: int, needles: Needles, hits: Collection[int]
) -> set[int]:
    """Samples in the pages of a cell on which something is said that is looked for.

    Parameters
    ----------
    hits : collection of int
        The texts that are kept once and have it: :func:`driftgate.ledger._texts.matching_texts`.
    """
    here = (pages.c.cell_id == cell_id) & (pages.c.part == table.name)
    found: set[int] = set()
    for (data,) in connection.execute(select(pages.c.data).where(here)).all():
        named = numbers_in(data)
        if not named.isdisjoint(hits) or needles.in_written(zlib.decompress(data).decode()):
            rows = decode(table, data, texts_of(connection, named))
            found |= {row.sample_id for row in rows if any(map(needles.in_value, row))}
    return found


def change_pages(
    connection: Connection,
    table: Table,
    cell_id: int,
    samples: Collection[int],
    change: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> None:
    """Change rows of some samples in pages, or remove them where nothing is left; texts that none names go as well."""
    here = (pages.c.cell_id == cell_id) & (pages.c.part == table.name)
    query = select(pages).where(here, pages.c.low <= max(samples), pages.c.high >= min(samples))
    for page in connection.execute(query.order_by(pages.c.ordinal)).all():
        rows = decode(table, page.data, texts_of(connection, numbers_in(page.data)))
        if not any(row.sample_id in samples for row in rows):
            continue
        changed = [change(row._asdict()) if row.sample_id in samples else row._asdict() for row in rows]
        left = [tuple(row.values()) for row in changed if row is not None]
        this = here & (pages.c.ordinal == page.ordinal)
        if left:
            data = encode(table, left, keep_texts(connection, texts_in(left)))
            connection.execute(update(pages).where(this).values(data=data, rows=len(left)))
            use_texts(connection, numbers_in(data), 1)
        else:
            connection.execute(delete(pages).where(this))
        use_texts(connection, numbers_in(page.data), -1)


def page_faults(connection: Connection) -> Iterator[str]:
    """What is wrong with pages: damaged ones, and ones that name texts that are not there."""
    there = set(connection.execute(select(texts.c.id)).scalars())
    query = select(pages.c.cell_id, pages.c.part, pages.c.data).order_by(pages.c.cell_id, pages.c.part)
    for cell_id, part, data in connection.execute(query.execution_options(yield_per=20)):
        try:
            lost = numbers_in(data) - there
        except (ValueError, zlib.error) as problem:
            yield f"a page of cell {cell_id} cannot be read: {part} {_why(problem)}"
        else:
            if lost:
                yield f"a page of cell {cell_id} names {len(lost):,} texts that are not there: {part}"


def pages_held(connection: Connection, cell_id: int) -> int:
    """How many pages there are of a cell's details."""
    query = select(func.count()).select_from(pages).where(pages.c.cell_id == cell_id)
    return int(connection.execute(query).scalar_one())


def add_pages(connection: Connection, table: Table, cell_id: int, rows: Sequence[Row]) -> int:
    """Write rows of a cell to new pages, as the values of :func:`driftgate.ledger._pages.columns_of`; returns bytes."""
    here = (pages.c.cell_id == cell_id) & (pages.c.part == table.name)
    last = connection.execute(select(func.max(pages.c.ordinal)).where(here)).scalar_one()
    ordinal, size = -1 if last is None else int(last), 0
    numbers = keep_texts(connection, texts_in(rows))
    for part in _by_samples(table, rows):
        ordinal += 1
        data = encode(table, part, numbers)
        place = columns_of(table).index("sample_id")
        row = {"cell_id": cell_id, "part": table.name, "ordinal": ordinal, "rows": len(part), "data": data}
        ids = [one[place] for one in part]
        connection.execute(insert(pages), [row | {"low": min(ids), "high": max(ids)}])
        use_texts(connection, numbers_in(data), 1)
        size += len(data)
    return size


def remove_pages(connection: Connection, cell_id: int, tables: Collection[Table] = DETAILS) -> int:
    """Remove the pages of a cell, and texts that no other page names; returns how many rows were in them."""
    here = (pages.c.cell_id == cell_id) & pages.c.part.in_([table.name for table in tables])
    held = connection.execute(select(pages.c.data, pages.c.rows).where(here)).all()
    connection.execute(delete(pages).where(here))
    for one in held:
        use_texts(connection, numbers_in(one.data), -1)
    return sum(one.rows for one in held)


def _pack(ledger: Ledger, cell_id: int) -> tuple[int, int]:
    rows = size = 0
    with ledger.write() as connection:
        lock(connection)
        for table in DETAILS:
            query = select(*(table.c[name] for name in columns_of(table))).where(table.c.cell_id == cell_id)
            found = [tuple(row) for row in connection.execute(query)]
            if not found:
                continue
            size += add_pages(connection, table, cell_id, found)
            removed = connection.execute(delete(table).where(table.c.cell_id == cell_id)).rowcount
            if removed != len(found):  # PostgreSQL: a run was gone on with in this moment; nothing is changed
                raise DriftgateError(
                    f"{removed - len(found):,} rows came in while their cell was packed", "do it again"
                )
            rows += removed
    return rows, size


def _pages(connection: Connection, table: Table, cell_id: int, samples: Collection[int] | None) -> Iterator[bytes]:
    here = (pages.c.cell_id == cell_id) & (pages.c.part == table.name)
    query = select(pages.c.data, pages.c.low, pages.c.high).where(here).order_by(pages.c.ordinal)
    if samples is not None and samples:
        query = query.where(pages.c.low <= max(samples), pages.c.high >= min(samples))
    for row in connection.execute(query).all():
        if samples is None or any(row.low <= one <= row.high for one in samples):
            yield row.data


def _by_samples(table: Table, rows: Iterable[Row]) -> Iterator[list[Row]]:
    place = columns_of(table).index("sample_id")
    part: list[Row] = []
    within: set[int] = set()
    for row in sorted(rows, key=lambda row: row[place]):
        if row[place] not in within and len(within) == _SAMPLES:
            yield part
            part, within = [], set()
        part.append(row)
        within.add(row[place])
    if part:
        yield part


def _why(problem: Exception) -> str:
    return f"names text {problem}, which is not there" if isinstance(problem, KeyError) else f"is damaged ({problem})"
