"""What was forgotten, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from driftgate.ledger._schema import forgettings
from driftgate.ledger._store import Ledger


@dataclass(frozen=True)
class Forgetting:
    """That something was forgotten, or is being."""

    at: datetime
    who: str
    what: str
    """``sample``, ``matching``, ``run`` or ``user``."""
    subject: str
    """The sample's key or the run; empty for a text or a user, which are not kept."""
    done: datetime | None
    """None: it was begun and has not ended; some of it may be there."""


def forgotten_before(ledger: Ledger) -> list[Forgetting]:
    """What was forgotten, the newest first."""
    columns = [forgettings.c[name] for name in Forgetting.__dataclass_fields__]
    with ledger.read() as connection:
        rows = connection.execute(select(*columns).order_by(forgettings.c.id.desc()))
        return [Forgetting(**row._mapping) for row in rows]
