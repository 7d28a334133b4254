"""Bring a ledger of an earlier format to the present one.

No run's content hash changes. What 0 meant in outcomes of format 1 is told by
:func:`driftgate.benchmarks.costs.cell_frame`.
"""

from __future__ import annotations

from sqlalchemy import Connection, column, insert, select, table, update
from sqlalchemy.schema import CreateTable

from driftgate.ledger._run_kinds import give_kinds
from driftgate.ledger._sample_keys import know_by_what_is_asked
from driftgate.ledger._schema import VERSION, meta, outcomes

_MAY_BE_EMPTY = ("input_tokens", "output_tokens", "cost")
_OLD = "outcomes_of_format_1"


def upgrade(connection: Connection) -> None:
    """Go through the formats up to the present one; does nothing where another process did it."""
    version = meta.c.key == "version"
    found = int(connection.execute(select(meta.c.value).where(version)).scalar_one())
    if found < 2:
        _let_costs_be_unknown(connection)
    if found < 3:
        know_by_what_is_asked(connection)
    if found < 4:
        give_kinds(connection)
    connection.execute(update(meta).where(version).values(value=str(VERSION)))


def _let_costs_be_unknown(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        changes = ", ".join(f"ALTER COLUMN {name} DROP NOT NULL" for name in _MAY_BE_EMPTY)
        connection.exec_driver_sql(f"ALTER TABLE {outcomes.name} {changes}")
        return
    # SQLite cannot change a column: sqlite.org/lang_altertable.html, section 7; no table refers to this one.
    names = [one.name for one in outcomes.c]
    old = table(_OLD, *map(column, names))
    connection.exec_driver_sql(f"ALTER TABLE {outcomes.name} RENAME TO {_OLD}")
    connection.execute(CreateTable(outcomes))
    connection.execute(insert(outcomes).from_select(names, select(old)))
    connection.exec_driver_sql(f"DROP TABLE {_OLD}")
