"""Ledgers that earlier versions wrote, brought to either database as they were there."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, MetaData, create_engine, select, text


def bring(dump: str, location: str, folder: Path) -> str:
    """Make a ledger of a dump of SQLite where ``location`` says; returns where it is."""
    path = folder / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(dump)
    if "://" not in location:
        return path.name
    _copy(path, location)
    return location


def _copy(path: Path, location: str) -> None:
    """Copy a SQLite database into an empty one of PostgreSQL, with the types that the formats had there."""
    source = create_engine(f"sqlite:///{path}")
    target = create_engine(location.replace("postgresql://", "postgresql+psycopg://", 1))
    tables = MetaData()
    tables.reflect(source)
    for column in (column for table in tables.sorted_tables for column in table.columns):
        generic = column.type.as_generic()
        column.type = DateTime(timezone=True) if isinstance(generic, DateTime) else generic
    with source.connect() as read, target.begin() as write:
        tables.create_all(write)
        for table in tables.sorted_tables:
            rows = [
                {name: _aware(value) for name, value in row._mapping.items()} for row in read.execute(select(table))
            ]
            if rows:
                write.execute(table.insert(), rows)
            if rows and isinstance(rows[0].get("id"), int):
                last = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"
                write.execute(text(last))
    source.dispose()
    target.dispose()


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
