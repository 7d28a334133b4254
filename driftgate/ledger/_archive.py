"""Move what nodes and evaluators did on samples from the database to files beside it.

A cell is moved in one transaction: its file is written whole, then the row that names it takes the place of the rows
that are in it. Who is killed before the end leaves the rows where they were and a file that nothing names, which the
next call removes. All of it happens under the lock of the ledger, so that nobody removes a file that is being written.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Text, cast, delete, exists, func, insert, or_, select

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._archive_files import File, Owner, check_pyarrow, stray_files, write_file
from driftgate.ledger._insert import insert_new
from driftgate.ledger._making import lock
from driftgate.ledger._pack import page_rows, pages_held, remove_pages
from driftgate.ledger._pages import columns_of
from driftgate.ledger._plain import to_json
from driftgate.ledger._schema import DETAILS, archives, cells, expired_runs, meta, pages, runs, texts
from driftgate.ledger._space import Space, give_back, has_free_pages
from driftgate.ledger._store import Ledger

_ID = "archive"
"""In ``meta``: drawn when something is moved for the first time."""
_BATCH = 20_000
"""Rows that are held at once; one sample is found without reading more than these."""


@dataclass(frozen=True)
class Archived:
    """What was moved to the archive."""

    cells: int
    rows: int
    bytes: int
    """Of the files that were written."""
    removed: int
    """Files of a process that was killed, which nothing named."""
    space: Space | None
    """None where nothing was moved."""


def archive_details(ledger: Ledger, *, run: str | None = None, before: datetime | None = None) -> Archived:
    """Move details to the archive, of one run or of all that began before a time; what is there already stays.

    Raises
    ------
    MissingExtra
        pyarrow is not installed.
    DriftgateError
        The archive's folder cannot be written to, or the ledger refuses. What was moved before is in the archive.
    """
    check_pyarrow()
    chosen = _cells(ledger, run, before)
    if chosen:  # known before a file is written, so that who comes after a kill knows the file
        with ledger.write() as connection:
            insert_new(connection, meta, [{"key": _ID, "value": secrets.token_hex(8)}])
    files = [file for cell in chosen if (file := _move(ledger, cell)) is not None]
    removed = remove_strays(ledger)
    freed = give_back(ledger, (*DETAILS, pages, texts)) if files or has_free_pages(ledger) else None
    return Archived(len(files), sum(f.rows for f in files), sum(f.bytes for f in files), removed, freed)


def remove_strays(ledger: Ledger) -> int:
    """Remove files of this ledger from its archive that no row names; returns how many there were."""
    if not ledger.archive.is_dir():
        return 0
    removed = 0
    with ledger.write() as connection:
        lock(connection)
        for path in strays(ledger, connection):
            try:
                path.unlink(missing_ok=True)
            except OSError as problem:
                raise DriftgateError(
                    f"nothing names the archive's file {path}, and it cannot be removed: {problem.strerror}",
                    "correct its rights, or delete it by hand",
                ) from problem
            removed += 1
    return removed


def strays(ledger: Ledger, connection: Connection) -> list[Path]:
    """Files of this ledger in its archive that no row names."""
    named = set(connection.execute(select(archives.c.file)).scalars())
    expired = set(connection.execute(select(expired_runs.c.run_id)).scalars())
    return stray_files(ledger.archive, named, _ledger_id(connection), expired)


def owner_of(connection: Connection, cell_id: int) -> Owner:
    """Whose a file of a cell is."""
    run = connection.execute(select(cells.c.run_id).where(cells.c.id == cell_id)).scalar_one()
    return Owner(_ledger_id(connection), str(run), cell_id)


def _ledger_id(connection: Connection) -> str:
    """By what a ledger knows the files that it wrote; a copy of it elsewhere is another and leaves them alone."""
    known = connection.execute(select(meta.c.value).where(meta.c.key == _ID)).scalar_one_or_none()
    place = connection.engine.url.set(username=None, password=None).render_as_string()
    return hashlib.sha256(f"{known} {place}".encode()).hexdigest()[:16]


def _cells(ledger: Ledger, run: str | None, before: datetime | None) -> list[int]:
    """Cells of which there are details in the database, the oldest first."""
    held: list[ColumnElement[bool]] = [exists().where(table.c.cell_id == cells.c.id) for table in (*DETAILS, pages)]
    query = select(cells.c.id).join(runs, runs.c.id == cells.c.run_id).where(or_(*held))
    if run is not None:
        query = query.where(runs.c.id == run)
    if before is not None:
        query = query.where(runs.c.created_at < before)
    with ledger.read() as connection:
        return list(connection.execute(query.order_by(runs.c.created_at, cells.c.id)).scalars())


def _move(ledger: Ledger, cell_id: int) -> File | None:
    with ledger.write() as connection:
        lock(connection)
        held = [table for table in DETAILS if _count(connection, table, cell_id)]
        packed = pages_held(connection, cell_id)
        if not held and not packed:  # another process moved it meanwhile
            return None
        batches = chain(_batches(connection, held, cell_id), _from_pages(connection, cell_id) if packed else ())
        file = write_file(ledger.archive, owner_of(connection, cell_id), batches)
        name_file(connection, cell_id, file)
        removed = remove_pages(connection, cell_id)
        removed += sum(connection.execute(delete(table).where(table.c.cell_id == cell_id)).rowcount for table in held)
        if removed != file.rows:  # PostgreSQL: a run was gone on with in this moment; nothing is changed
            raise DriftgateError(
                f"{removed - file.rows:,} rows came in while their cell was moved to the archive", "do it again"
            )
    return file


def name_file(connection: Connection, cell_id: int, file: File) -> None:
    """Say that a file has details of a cell."""
    row = {"cell_id": cell_id, "file": file.name, "rows": file.rows, "bytes": file.bytes, "at": datetime.now(UTC)}
    connection.execute(insert(archives), [row])


def _count(connection: Connection, table: Any, cell_id: int) -> int:
    query = select(func.count()).select_from(table).where(table.c.cell_id == cell_id)
    return int(connection.execute(query).scalar_one())


def _batches(
    connection: Connection, tables: Sequence[Any], cell_id: int
) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    for table in tables:
        columns = [
            cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column
            for column in table.c
            if column.name != "cell_id"
        ]
        query = select(*columns).where(table.c.cell_id == cell_id).order_by(*table.primary_key.columns)
        found = connection.execute(query.execution_options(yield_per=_BATCH)).mappings()
        for part in found.partitions():
            yield table.name, [dict(row) for row in part]


def _from_pages(connection: Connection, cell_id: int) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    for table in DETAILS:
        rows = page_rows(connection, table, cell_id, columns_of(table))
        for start in range(0, len(rows), _BATCH):
            yield table.name, [_as_text(table, row._asdict()) for row in rows[start : start + _BATCH]]


def _as_text(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {name: to_json(value) if isinstance(table.c[name].type, JSON) else value for name, value in row.items()}
