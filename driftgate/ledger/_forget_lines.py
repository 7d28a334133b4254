"""Forget what was asked and answered on some samples of a cell; what was measured of them stands."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.flows.needles import FORGOTTEN, Needles, strings_in
from driftgate.ledger._archive import name_file, owner_of
from driftgate.ledger._archive_files import missing_file, path_of, read_file, write_file
from driftgate.ledger._expire import without_words, words_that_stay
from driftgate.ledger._insert import insert_new
from driftgate.ledger._pack import change_pages, matching_pages, page_rows
from driftgate.ledger._pages import columns_of
from driftgate.ledger._plain import to_json
from driftgate.ledger._schema import (
    DETAILS,
    archives,
    asked,
    cells,
    evaluated_lines,
    evaluations,
    forgotten_lines,
    node_outputs,
    outcomes,
)
from driftgate.ledger._store import Ledger

_CHUNK = 500


def lines_with(
    ledger: Ledger, connection: Connection, cell_id: int, needles: Needles, hits: Collection[int]
) -> set[int]:
    """Samples of a cell on which any text was said that is looked for."""
    found: set[int] = set()
    of_cell = select(outcomes.c.sample_id, outcomes.c.answer, outcomes.c.error).where(outcomes.c.cell_id == cell_id)
    found |= {row[0] for row in connection.execute(of_cell) if any(needles.in_text(text) for text in row[1:] if text)}
    for table in DETAILS:
        for row in _rows(ledger, connection, table, cell_id, needles, hits):
            if row.sample_id not in found and any(map(needles.in_value, row)):
                found.add(row.sample_id)
    return found


def asked_lines(connection: Connection, sample_ids: Collection[int]) -> dict[int, set[int]]:
    """The cells that asked for any of some samples, and which, except those that are forgotten there."""
    found: dict[int, set[int]] = {}
    wanted = sorted(sample_ids)
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        gone = select(forgotten_lines.c.cell_id, forgotten_lines.c.sample_id)
        known = set(connection.execute(gone.where(forgotten_lines.c.sample_id.in_(part))).tuples())
        query = select(asked.c.cell_id, asked.c.sample_id).where(asked.c.sample_id.in_(part))
        for cell_id, sample_id in connection.execute(query):
            if (cell_id, sample_id) not in known:
                found.setdefault(cell_id, set()).add(sample_id)
    return found


def forget_lines(ledger: Ledger, connection: Connection, cell_id: int, ids: Collection[int], at: datetime) -> set[str]:
    """Remove all texts of some samples from a cell, in the database and in its archive; returns what they were.

    Node outputs and inputs of evaluation flows go; of evaluations and outcomes the words go and the numbers stay. The
    SHA-256 of what was there is left, by which someone who has the texts can say that they are the ones.
    """
    digests = {sample_id: hashlib.sha256() for sample_id in ids}
    said: set[str] = set()

    def gone(table: Table, row: dict[str, Any]) -> dict[str, Any] | None:
        """What is left of a row."""
        digests[row["sample_id"]].update(f"{table.name} {to_json(row)}\n".encode())
        said.update(strings_in(list(row.values())))
        return without_words(row, FORGOTTEN) if table is evaluations else None

    _forget_rows(connection, cell_id, ids, gone)
    for table in DETAILS:
        change_pages(connection, table, cell_id, ids, partial(gone, table))
    _forget_in_archive(ledger, connection, cell_id, ids, gone)
    for row in words_that_stay(connection, cell_id, FORGOTTEN, ids):
        digests[row.sample_id].update(f"outcomes {to_json([row.round, row.answer, row.error])}\n".encode())
        said.update(text for text in (row.answer, row.error) if text)
        here = (outcomes.c.cell_id == cell_id, outcomes.c.sample_id == row.sample_id, outcomes.c.round == row.round)
        connection.execute(update(outcomes).where(*here).values(answer=row.answer_left, error=row.error_left))
    tombs = [
        {"cell_id": cell_id, "sample_id": sample_id, "at": at, "hash": digest.hexdigest()}
        for sample_id, digest in digests.items()
    ]
    insert_new(connection, forgotten_lines, tombs)
    return said


def _rows(
    ledger: Ledger, connection: Connection, table: Table, cell_id: int, needles: Needles, hits: Collection[int]
) -> Iterator[Any]:
    """Rows that may have a text that is looked for, wherever they are."""
    names = columns_of(table)
    query = select(*(table.c[name] for name in names)).where(table.c.cell_id == cell_id)
    yield from connection.execute(query)
    if samples := matching_pages(connection, table, cell_id, needles, hits):
        yield from page_rows(connection, table, cell_id, names, samples=samples)
    for file in _files(connection, cell_id):
        yield from _archived(ledger, connection, cell_id, file, table)


def _forget_rows(connection: Connection, cell_id: int, ids: Collection[int], gone: Any) -> None:
    for table in DETAILS:
        here = (table.c.cell_id == cell_id, table.c.sample_id.in_(sorted(ids)))
        rows = connection.execute(select(*(table.c[name] for name in columns_of(table))).where(*here)).mappings().all()
        left = [gone(table, dict(row)) for row in rows]
        if table is evaluations and left:
            keys = ("sample_id", "round", "node", "evaluator", "metric")
            this = [table.c[name] == bindparam(f"of_{name}") for name in keys]
            values: dict[str, Any] = {name: bindparam(f"to_{name}") for name in ("label", "error")}
            changed = [
                {f"of_{name}": row[name] for name in keys} | {f"to_{name}": row[name] for name in values}
                for row in left
            ]
            connection.execute(update(table).where(table.c.cell_id == cell_id, *this).values(values), changed)
        elif table in (node_outputs, evaluated_lines):
            connection.execute(delete(table).where(*here))


def _forget_in_archive(ledger: Ledger, connection: Connection, cell_id: int, ids: Collection[int], gone: Any) -> None:
    """Write files without the texts in place of those that have them."""
    for file in _files(connection, cell_id):
        batches, changed = [], False
        for table in DETAILS:
            rows = [row._asdict() for row in _archived(ledger, connection, cell_id, file, table)]
            mine = [row for row in rows if row["sample_id"] in ids]
            changed = changed or bool(mine)
            left = [one for row in rows if (one := gone(table, row) if row["sample_id"] in ids else row) is not None]
            if left:
                as_texts = [
                    {name: to_json(value) if name in _JSON[table.name] else value for name, value in row.items()}
                    for row in left
                ]
                batches.append((table.name, as_texts))
        if changed:
            connection.execute(delete(archives).where(archives.c.cell_id == cell_id, archives.c.file == file))
            if batches:
                name_file(connection, cell_id, write_file(ledger.archive, owner_of(connection, cell_id), batches))


def _archived(ledger: Ledger, connection: Connection, cell_id: int, file: str, table: Table) -> list[Any]:
    path = path_of(ledger.archive, file)
    try:
        return read_file(path, table, columns_of(table))
    except FileNotFoundError:
        run = connection.execute(select(cells.c.run_id).where(cells.c.id == cell_id)).scalar_one()
        raise DriftgateError(*missing_file(path, str(run))) from None


def _files(connection: Connection, cell_id: int) -> list[str]:
    return list(connection.execute(select(archives.c.file).where(archives.c.cell_id == cell_id)).scalars())


_JSON = {
    table.name: {column.name for column in table.c if column.name in ("output", "inputs", "outputs")}
    for table in DETAILS
}
