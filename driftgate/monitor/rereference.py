"""References that a person had begun anew: who, when and why.

Nothing else changes what canaries are compared with but another champion. A monitor that took up what it sees would
take a drifted model for the good one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, MetaData, Select, String, Table, Text, desc, insert, select

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, UtcDateTime, create_tables

metadata = MetaData()

_rereferences = Table(
    "rereferences",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor", String(128), nullable=False, index=True),
    Column("champion", String(128), nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Rereference:
    """A person's word that a monitor is to compare with new looks."""

    id: int
    monitor: str
    champion: str
    """The champion as it was put in place."""
    who: str
    reason: str
    at: datetime


def begin_anew(ledger: Ledger, monitor: str, champion: str, *, who: str, reason: str) -> Rereference:
    """Let the next looks at a champion be its reference, and record who wanted it and why.

    What was compared with the reference before stays as it is.

    Raises
    ------
    DriftgateError
        No reason is given.
    """
    if not reason.strip():
        raise DriftgateError("a reference is begun anew for a reason, and none is given", "say it with --reason")
    create_tables(ledger, metadata)
    row = {"monitor": monitor, "champion": champion, "who": who, "reason": reason.strip(), "at": datetime.now(UTC)}
    with ledger.write() as connection:
        connection.execute(insert(_rereferences).values(row))
        return Rereference(**connection.execute(_newest(monitor).where(_of(champion))).one()._mapping)


def how_to_begin_anew(monitor: str) -> str:
    """The command that a person gives."""
    return f"driftgate monitor rereference {monitor} --reason WHY"


def newest_rereference(ledger: Ledger, monitor: str) -> Rereference | None:
    """The last time that a reference of a monitor was begun anew, and by whom."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        found = connection.execute(_newest(monitor)).one_or_none()
    return None if found is None else Rereference(**found._mapping)


def reference_name(ledger: Ledger, monitor: str, champion: str) -> str:
    """What the looks at a champion are kept under: all of one name have one reference."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        found = connection.execute(_newest(monitor).where(_of(champion))).one_or_none()
    return champion if found is None else f"{champion}~{found.id}"


def _newest(monitor: str) -> Select[Any]:
    return select(_rereferences).where(_rereferences.c.monitor == monitor).order_by(desc(_rereferences.c.id)).limit(1)


def _of(champion: str) -> ColumnElement[bool]:
    return _rereferences.c.champion == champion
