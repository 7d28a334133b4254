"""Insert rows that may be there already: a few as mappings, or very many as tuples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Dialect, Table

_LONGEST = 256
"""Rows of one statement at most; with a table's columns they stay below both databases' number of parameters."""


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those whose primary or unique key is already there are left as they are."""
    if rows:
        # The dialect of the database, which is imported by now, and not the other one.
        dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


def insert_many(connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """As :func:`insert_new`, for the tables that get a row or more for every sample.

    The driver gets many rows in one statement instead of one row after the other: SQLite gives the interpreter away
    and takes it back for each, while the event loop wants it too.

    Parameters
    ----------
    names : tuple of str
        The columns, in the order of each row's values; a column that is left out gets the database's own default.
    """
    if not rows:
        return
    statements = _statements(connection.dialect, table, names)
    values = statements.converted(rows)
    for start in range(0, len(values), _LONGEST):
        part = values[start : start + _LONGEST]
        connection.exec_driver_sql(statements.insert(len(part)), tuple(chain(*part)))


@dataclass(frozen=True)
class _Statements:
    head: str
    row: str
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Place and converter of each column whose values the driver does not take as they stand."""

    def insert(self, rows: int) -> str:
        return f"{self.head} {', '.join([self.row] * rows)} ON CONFLICT DO NOTHING"

    def converted(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        if not self.converters:
            return rows
        changed = [list(row) for row in rows]
        for place, convert in self.converters:
            for row in changed:
                row[place] = convert(row[place])
        return changed  # type: ignore[return-value]


@lru_cache(maxsize=64)
def _statements(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Statements:
    quote = dialect.identifier_preparer.quote
    converters = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    return _Statements(
        f"INSERT INTO {dialect.identifier_preparer.format_table(table)} ({', '.join(map(quote, names))}) VALUES",
        f"({', '.join(['?' if dialect.name == 'sqlite' else '%s'] * len(names))})",
        tuple((place, convert) for place, convert in enumerate(converters) if convert is not None),
    )
