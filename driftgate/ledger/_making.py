"""Make tables that are not there yet."""

from __future__ import annotations

from sqlalchemy import Connection, MetaData, func, inspect, select
from sqlalchemy.schema import CreateIndex, CreateTable

_LOCK = 0x64726966  # any number that others do not lock


def lock(connection: Connection) -> None:
    """Let no other process change the tables until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver itself begins none before it changes a table


def make_tables(connection: Connection, metadata: MetaData) -> None:
    """Make the tables and indexes that are not there; what is there is left as it is.

    Those of PostgreSQL are their owner's alone, and of whom the owner grants them to.
    """
    for table in metadata.sorted_tables:
        made = connection.dialect.name == "postgresql" and not inspect(connection).has_table(table.name)
        connection.execute(CreateTable(table, if_not_exists=True))
        if made:  # whatever the database's default privileges are
            name = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"REVOKE ALL ON TABLE {name} FROM PUBLIC")
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))
