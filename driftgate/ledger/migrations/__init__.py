"""Migrations of the ledger: Alembic scripts, one for each format, whose revision is the format's number.

A ledger says its format in ``meta``. What a new ledger is made of stands in :mod:`driftgate.ledger._schema`. Whoever
changes a table there raises ``VERSION`` and adds ``versions/format_N.py`` with ``down_revision`` ``N-1``, which never
changes again. A script describes the tables that it needs itself, as they were then, and does nothing where it is done
already. A test holds that a ledger of each earlier format gets the very tables of a new one.

Tables that other packages keep in the ledger (monitor, finetune, service) are declared there and made by
:func:`driftgate.ledger.create_tables` when they are first needed. A new table needs no migration. One that changes is
migrated here as well, by a script that first looks whether it is there (:func:`there`): a ledger has one format.
"""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect


def migrate(connection: Connection, found: int) -> None:
    """Bring a ledger of format ``found`` to the newest, within the transaction that the connection is in.

    Parameters
    ----------
    found : int
        0 for one whose tables an earlier driftgate had not all made yet.
    """
    scripts = ScriptDirectory(str(Path(__file__).parent))
    wanted = list(scripts.iterate_revisions("head", str(found) if found else "base"))
    with Operations.context(MigrationContext.configure(connection)):
        for script in reversed(wanted):
            script.module.upgrade()


def there(connection: Connection, table: str) -> set[str]:
    """The columns of a table; none where there is no such table."""
    found = inspect(connection)
    return {column["name"] for column in found.get_columns(table)} if found.has_table(table) else set()
