"""Nights as they began and ended: one that was killed, failed or never came is known by the next who looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import desc, insert, select, update

from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, create_tables
from driftgate.monitor.incidents._tables import metadata
from driftgate.monitor.incidents._tables import nights as _nights


@dataclass(frozen=True)
class Night:
    """A nightly."""

    id: int
    began_at: datetime
    ended_at: datetime | None
    """None while it is under way, and for ever where it was killed."""
    exit_code: int | None
    problem: str
    """What could not be done; empty where everything was."""
    who: str
    """Who ran it."""


def begin_night(ledger: Ledger, who: str) -> int:
    """Keep that a nightly begins; returns its id."""
    create_tables(ledger, metadata)
    row = {"began_at": datetime.now(UTC), "problem": "", "who": told(who)[:200]}
    with ledger.write() as connection:
        return int(connection.execute(insert(_nights).values(**row).returning(_nights.c.id)).scalar_one())


def end_night(ledger: Ledger, night: int, exit_code: int, problem: str = "") -> None:
    """Keep how a nightly ended."""
    values = {"ended_at": datetime.now(UTC), "exit_code": exit_code, "problem": told(problem)}
    with ledger.write() as connection:
        connection.execute(update(_nights).where(_nights.c.id == night).values(**values))


def newest_night(ledger: Ledger) -> Night | None:
    """The nightly that began last."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        row = connection.execute(select(_nights).order_by(desc(_nights.c.id)).limit(1)).one_or_none()
    return None if row is None else Night(**row._mapping)
