"""What a database takes on its disk, and giving back what it no longer needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import OperationalError

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._store import Ledger


@dataclass(frozen=True)
class Space:
    """What a database took before and after something was removed from it."""

    before: int | None
    """Bytes, free pages and the write-ahead log included; None where the database does not say it."""
    after: int | None
    told: str = ""
    """Why it is not smaller; empty where it is."""


def database_bytes(connection: Connection) -> int | None:
    """Everything that a database takes, its free pages and write-ahead log included; None where it does not say it."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    path = connection.engine.url.database
    if not path:
        return None
    try:
        return sum(part.stat().st_size for part in (Path(path), Path(f"{path}-wal")) if part.exists())
    except OSError as problem:
        raise DriftgateError(
            f"the ledger {path} cannot be examined: {problem.strerror}", "check its rights"
        ) from problem


def has_free_pages(ledger: Ledger) -> bool:
    """Whether a tenth of a SQLite file is free pages, as after a process that was killed before it gave them back."""
    if ledger.engine.dialect.name != "sqlite":
        return False
    with ledger.read() as connection:
        free, pages = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in ("freelist_count", "page_count")
        )
    return free * 10 > pages


def give_back(ledger: Ledger, tables: Collection[Table]) -> Space:
    """Give the space of rows that were removed back: SQLite's file is written anew, PostgreSQL reuses it in place."""
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            before = database_bytes(connection)
            for table in tables:
                connection.execute(text(f"VACUUM (ANALYZE) {table.name}"))
            return Space(before, database_bytes(connection), "PostgreSQL keeps the space and fills it with new rows")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        before, told = database_bytes(connection), ""
        try:
            connection.exec_driver_sql("VACUUM")
        except OperationalError as problem:
            told = f"the file could not be written anew ({problem.orig}): it is the next time"
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Space(before, database_bytes(connection), told)
