"""Who beside its owner may read a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from driftgate.flows.private_files import readable_by_others
from driftgate.ledger._schema import metadata
from driftgate.ledger._store import Ledger

_PUBLIC = text(
    "SELECT DISTINCT table_name FROM information_schema.table_privileges "
    "WHERE grantee = 'PUBLIC' AND table_schema = current_schema()"
)


def readers_of(ledger: Ledger) -> Sequence[tuple[str, str, str]]:
    """What of a ledger others can read: what it is, who they are, and what ends that.

    Of PostgreSQL only what is granted to everybody is said: to whom else the owner grants something is the owner's.
    """
    found = []
    if ledger.engine.dialect.name == "postgresql":
        with ledger.read() as connection:
            granted = sorted(set(connection.execute(_PUBLIC).scalars()) & set(metadata.tables))
        if granted:
            revoke = f"REVOKE ALL ON {', '.join(granted)} FROM PUBLIC"
            found.append((", ".join(granted), "every role of the database", revoke))
    else:
        file = Path(ledger.engine.url.database or "")
        paths = [file, *file.parent.glob(f"{file.name}-*"), ledger.archive]
        if ledger.archive.is_dir():
            paths += sorted(ledger.archive.iterdir())
        for path in paths:
            if path.exists() and (who := readable_by_others(path)):
                found.append((str(path), who, f"chmod go-rwx {path}"))
    return found
