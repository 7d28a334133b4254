"""The one reader of what nodes and evaluators did on samples, wherever it is: in rows, in pages or in the archive."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, select

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._archive_files import missing_file, path_of, read_file
from driftgate.ledger._pack import page_rows, pages_held
from driftgate.ledger._repeats import newest_rounds, repeats_of
from driftgate.ledger._schema import archives, cells, expired_runs, forgotten_lines, outcomes
from driftgate.ledger._store import Ledger

EXPIRED = "(expired)"
"""What stands in place of a text that was removed, so that nobody takes it for one that was empty."""


def detail_rows(
    ledger: Ledger,
    table: Table,
    cell_id: int,
    columns: Sequence[str],
    *,
    newest: bool = False,
    every_repeat: bool = False,
    samples: Collection[int] | None = None,
    equal: Mapping[str, str] | None = None,
    most: int | None = None,
) -> list[Any]:
    """Rows of a table of details that belong to a cell, from the database and from the archive.

    Parameters
    ----------
    columns : sequence of str
        What is read beside ``sample_id`` and ``round``.
    newest : bool
        Only of each sample's newest round.
    every_repeat : bool
        Of ``newest``: of the newest round of each of its repeats, where the cell asks it several times.
    samples : collection of int, optional
        Only of these samples.
    equal : Mapping, optional
        Only rows that have these values in these columns.
    most : int, optional
        At most so many, whichever.

    Raises
    ------
    DriftgateError
        A file of the archive is missing or damaged.
    """
    names = ("sample_id", "round", *columns)
    query = _query(table, cell_id, names, samples, equal or {}).limit(most)
    with ledger.read() as connection:
        last = newest_rounds(outcomes, cell_id, repeats_of(connection, cell_id) if every_repeat else 1)
        while True:
            files, packed = _files(connection, cell_id), pages_held(connection, cell_id)
            moved = bool(files) or bool(packed)
            rows = list(connection.execute(_of_newest(query, table, last) if newest and not moved else query))
            if packed:
                rows += page_rows(connection, table, cell_id, names, samples=samples, equal=equal)
            try:
                for name in files:
                    rows += read_file(path_of(ledger.archive, name), table, names, samples=samples, equal=equal)
            except FileNotFoundError:
                if _files(connection, cell_id) == files:
                    raise _missing(ledger, connection, cell_id, name) from None
            if (_files(connection, cell_id), pages_held(connection, cell_id)) == (files, packed):
                break  # else they moved while they were read
        if newest and moved:
            kept = {(row.sample_id, row.round) for row in connection.execute(last)}
            rows = [row for row in rows if (row.sample_id, row.round) in kept]
    return rows[:most]


def expired_at(ledger: Ledger, run_id: str) -> datetime | None:
    """When the texts of a run were expired; None where they were not."""
    with ledger.read() as connection:
        return connection.execute(select(expired_runs.c.at).where(expired_runs.c.run_id == run_id)).scalar_one_or_none()


def forgotten_in(ledger: Ledger, cell_id: int) -> dict[int, datetime]:
    """Samples of a cell of which what was asked and answered is forgotten, and since when."""
    query = select(forgotten_lines.c.sample_id, forgotten_lines.c.at).where(forgotten_lines.c.cell_id == cell_id)
    with ledger.read() as connection:
        return {row.sample_id: row.at for row in connection.execute(query)}


def check_texts(ledger: Ledger, run_id: str) -> None:
    """Refuse what needs the prompts or replies of a run that was expired.

    Raises
    ------
    DriftgateError
        It was expired.
    """
    if (at := expired_at(ledger, run_id)) is not None:
        raise DriftgateError(
            f"run {run_id} was expired on {at:%Y-%m-%d}: its prompts, replies and node outputs are gone",
            "its scores and verdicts stand; take a run that still has its texts, or run the suite anew",
        )


def check_texts_of_cell(ledger: Ledger, cell_id: int) -> None:
    """As :func:`check_texts`, of the run that a cell belongs to; also where samples of the cell were forgotten."""
    with ledger.read() as connection:
        run = connection.execute(select(cells.c.run_id).where(cells.c.id == cell_id)).scalar_one()
    check_texts(ledger, str(run))
    if gone := forgotten_in(ledger, cell_id):
        days = sorted({f"{at:%Y-%m-%d}" for at in gone.values()})
        raise DriftgateError(
            f"{len(gone)} samples of run {run} were forgotten on {', '.join(days)}, with what was answered",
            "its scores and verdicts stand; take a run that still has its texts, or run the suite anew",
        )


def is_moved(ledger: Ledger, cell_id: int) -> bool:
    """Whether details of a cell are in pages or in the archive."""
    with ledger.read() as connection:
        return bool(pages_held(connection, cell_id)) or bool(_files(connection, cell_id))


def _query(
    table: Table, cell_id: int, names: Sequence[str], samples: Collection[int] | None, equal: Mapping[str, str]
) -> Select[Any]:
    query = select(*(table.c[name] for name in names)).where(table.c.cell_id == cell_id)
    for name, value in equal.items():
        query = query.where(table.c[name] == value)
    return query if samples is None else query.where(table.c.sample_id.in_([int(one) for one in samples]))


def _of_newest(query: Select[Any], table: Table, last: Select[Any]) -> Select[Any]:
    newest = last.subquery()
    return query.join(newest, and_(table.c.sample_id == newest.c.sample_id, table.c.round == newest.c.round))


def _files(connection: Connection, cell_id: int) -> list[str]:
    query = select(archives.c.file).where(archives.c.cell_id == cell_id).order_by(archives.c.at, archives.c.file)
    return list(connection.execute(query).scalars())


def _missing(ledger: Ledger, connection: Connection, cell_id: int, name: str) -> DriftgateError:
    run = connection.execute(select(cells.c.run_id).where(cells.c.id == cell_id)).scalar_one()
    return DriftgateError(*missing_file(path_of(ledger.archive, name), str(run)))
