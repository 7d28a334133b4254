"""What the sources keep in the ledger: how far each has been read."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, delete, func, insert, select

from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

watermarks = Table(
    "telemetry_watermarks",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("reached", UtcDateTime, primary_key=True),  # everything before is in the store
    Column("calls", Integer, nullable=False),  # read in the window that ends here
    Column("recorded_at", UtcDateTime, nullable=False),
)

collections = Table(
    "telemetry_collections",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("at", UtcDateTime, nullable=False),  # of the newest collection
    Column("problem", String(2000), nullable=False),  # why it brought nothing; empty: it brought what there was
)

files = Table(
    "telemetry_files",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the content and of how it is to be read
    Column("name", String(400), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

file_columns = Table(
    "telemetry_file_columns",
    metadata,
    Column("file", String(64), primary_key=True),  # SHA-256 of its source and its path in there
    Column("columns", Text, nullable=False),  # JSON: the names by which its rows are told apart
)


def watermark(ledger: Ledger, source: str) -> datetime | None:
    """Return how far a source has been read; ``None``: never."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        found: datetime | None = connection.execute(
            select(func.max(watermarks.c.reached)).where(watermarks.c.source == source)
        ).scalar_one()
    return found


def advance(ledger: Ledger, source: str, reached: datetime, calls: int) -> None:
    """Record that everything of a source before ``reached`` is in the store; it never goes back."""
    row = {"source": source, "reached": reached, "calls": calls, "recorded_at": datetime.now(UTC)}
    with ledger.write() as connection:
        insert_new(connection, watermarks, [row])


def is_imported(ledger: Ledger, digest: str) -> bool:
    """Say whether a file of this content has been read to its end."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        return connection.execute(select(files.c.name).where(files.c.digest == digest)).first() is not None


def record_import(ledger: Ledger, digest: str, name: str, calls: int) -> None:
    """Record that a file has been read to its end."""
    row = {"digest": digest, "name": told(name)[-400:], "calls": calls, "recorded_at": datetime.now(UTC)}
    with ledger.write() as connection:
        insert_new(connection, files, [row])


def columns_of_file(ledger: Ledger, file: str) -> frozenset[str]:
    """The columns by which rows of a file without ids are told apart; none where it was never read.

    Parameters
    ----------
    file : str
        Hash of its source and its path.
    """
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        found = connection.execute(
            select(file_columns.c.columns).where(file_columns.c.file == file)
        ).scalar_one_or_none()
    return frozenset(json.loads(found)) if found is not None else frozenset()


def record_columns(ledger: Ledger, file: str, names: Collection[str]) -> None:
    """Record by which columns the rows of a file are told apart from now on."""
    with ledger.write() as connection:
        connection.execute(delete(file_columns).where(file_columns.c.file == file))
        connection.execute(insert(file_columns).values(file=file, columns=json.dumps(sorted(names))))


def note_collection(ledger: Ledger, source: str, at: datetime, problem: str) -> None:
    """Record how the newest collection of a source ended."""
    create_tables(ledger, metadata)
    with ledger.write() as connection:
        connection.execute(delete(collections).where(collections.c.source == source))
        connection.execute(insert(collections).values(source=source, at=at, problem=told(problem)[:2000]))


def newest_collection(ledger: Ledger, source: str) -> tuple[datetime, str] | None:
    """When a source was collected last, and what the problem was; ``None``: never."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        row = connection.execute(
            select(collections.c.at, collections.c.problem).where(collections.c.source == source)
        ).first()
    return None if row is None else (row.at, row.problem)
