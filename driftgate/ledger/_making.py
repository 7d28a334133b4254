"""Make tables that are not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, MetaData, func, inspect, select
from sqlalchemy.schema import CreateIndex, CreateTable

_LOCK = 0x64726966  # any number that others do not lock


def lock(connection: Connection) -> None:
    """Let no other process change the tables until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver itself begins none before it changes a table


def are_there(connection: Connection, metadata: MetaData) -> bool:
    """Whether all tables of a package and their indexes are there."""
    return next(_missing(connection, metadata), None) is None


def make_tables(connection: Connection, metadata: MetaData) -> None:
    """Make the tables and indexes that are not there; what is there is left as it is.

    Those of PostgreSQL are their owner's alone, and of whom the owner grants them to. It locks a table to see whether
    the table has an index that is to be made, which waits for who writes and may be waited for: so only what is missing
    is named to it.
    """
    with owners_alone(connection):
        for statement in list(_missing(connection, metadata)):
            connection.execute(statement)


@contextmanager
def owners_alone(connection: Connection) -> Iterator[None]:
    """Tables that are made in the body of a ``with`` are their owner's, whatever the database's defaults are."""
    if connection.dialect.name != "postgresql":
        yield
        return
    before = set(inspect(connection).get_table_names())
    yield
    quoted = connection.dialect.identifier_preparer.quote
    for name in sorted(set(inspect(connection).get_table_names()) - before):
        connection.exec_driver_sql(f"REVOKE ALL ON TABLE {quoted(name)} FROM PUBLIC")


def _missing(connection: Connection, metadata: MetaData) -> Iterator[CreateTable | CreateIndex]:
    """What makes the tables that are not there, and the indexes, each table before its own."""
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    for table in metadata.sorted_tables:
        known: set[str | None] = set()
        if table.name in there:
            known = {index["name"] for index in inspector.get_indexes(table.name)}
        else:
            yield CreateTable(table, if_not_exists=True)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name not in known:
                yield CreateIndex(index, if_not_exists=True)
