"""What the sources keep in the ledger: how far each has been read."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Column, Integer, MetaData, String, Table, func, select

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

files = Table(
    "telemetry_files",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the content and of how it is to be read
    Column("name", String(400), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
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
    row = {"digest": digest, "name": name[-400:], "calls": calls, "recorded_at": datetime.now(UTC)}
    with ledger.write() as connection:
        insert_new(connection, files, [row])
