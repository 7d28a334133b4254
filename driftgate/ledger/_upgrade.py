"""Upgrade a ledger of format 1, in which the tokens and the cost of an outcome could not be empty.

No row changes: a run's content hash stays what it was. What 0 meant in the older rows is told by
:func:`driftgate.benchmarks.costs.cell_frame`.
"""

from __future__ import annotations

from sqlalchemy import Connection, column, insert, select, table, update
from sqlalchemy.schema import CreateTable

from driftgate.ledger._schema import VERSION, meta, outcomes

_MAY_BE_EMPTY = ("input_tokens", "output_tokens", "cost")
_OLD = "outcomes_of_format_1"


def upgrade(connection: Connection) -> None:
    """Let the columns be empty, and say that the ledger has this format; does nothing where another process did it."""
    version = meta.c.key == "version"
    if int(connection.execute(select(meta.c.value).where(version)).scalar_one()) >= VERSION:
        return
    if connection.dialect.name == "postgresql":
        changes = ", ".join(f"ALTER COLUMN {name} DROP NOT NULL" for name in _MAY_BE_EMPTY)
        connection.exec_driver_sql(f"ALTER TABLE {outcomes.name} {changes}")
    else:  # SQLite cannot change a column: sqlite.org/lang_altertable.html, section 7; no table refers to this one
        names = [one.name for one in outcomes.c]
        old = table(_OLD, *map(column, names))
        connection.exec_driver_sql(f"ALTER TABLE {outcomes.name} RENAME TO {_OLD}")
        connection.execute(CreateTable(outcomes))
        connection.execute(insert(outcomes).from_select(names, select(old)))
        connection.exec_driver_sql(f"DROP TABLE {_OLD}")
    connection.execute(update(meta).where(version).values(value=str(VERSION)))
