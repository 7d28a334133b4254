"""Remediations and their events in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, Text, and_, desc, insert, select, update

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

_remediations = Table(
    "remediations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("slot", String(128), nullable=False),
    Column("cause", String(200), nullable=False),
    # "slot|cause" while it is open and empty afterwards: the database itself allows one open for each.
    Column("open_key", String(400), unique=True),
    Column("state", String(16), nullable=False),  # open, promoted, rejected
    Column("champion", String(128), nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
)

_events = Table(
    "remediation_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("remediation_id", String(64), nullable=False, index=True),
    Column("step", String(32), nullable=False),
    Column("status", String(16), nullable=False),  # started, noted, approved, finished, held, rejected, failed
    Column("detail", JSON, nullable=False),
    Column("message", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Remediation:
    """A repair under way or ended."""

    id: str
    slot: str
    cause: str
    state: str
    champion: str
    evidence: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class Event:
    """Something that happened in a remediation."""

    step: str
    status: str
    detail: Mapping[str, Any]
    message: str
    at: datetime


def open_remediation(
    ledger: Ledger, slot: str, cause: str, champion: str, evidence: Mapping[str, Any]
) -> tuple[Remediation, bool]:
    """Open a remediation, or return the one that is open for this slot and cause.

    Returns
    -------
    tuple
        The remediation, and whether it is new. However many alerts arrive at once, one is opened.
    """
    create_tables(ledger, metadata)
    now = datetime.now(UTC)
    key = f"{slot}|{cause}"
    own = f"{now:%Y%m%d-%H%M%S}-{hashlib.sha256(f'{key}{now.isoformat()}'.encode()).hexdigest()[:6]}"
    row = {
        "id": own,
        "slot": slot,
        "cause": cause,
        "open_key": key,
        "state": "open",
        "champion": champion,
        "evidence": dict(evidence),
        "opened_at": now,
        "closed_at": None,
    }
    with ledger.write() as connection:
        insert_new(connection, _remediations, [row])
    with ledger.read() as connection:
        found = connection.execute(select(_remediations).where(_remediations.c.open_key == key)).one()
    return _read(found), found.id == own


def remediations(ledger: Ledger, limit: int = 50, *, state: str | None = None) -> list[Remediation]:
    """The newest remediations first."""
    create_tables(ledger, metadata)
    query = select(_remediations).order_by(desc(_remediations.c.opened_at)).limit(limit)
    if state is not None:
        query = query.where(_remediations.c.state == state)
    with ledger.read() as connection:
        return [_read(row) for row in connection.execute(query)]


def find_remediation(ledger: Ledger, name: str) -> Remediation:
    """A remediation by its id or a part of it that only one has.

    Raises
    ------
    DriftgateError
        None, or more than one, fits.
    """
    known = remediations(ledger, 1000)
    fitting = [r for r in known if name in r.id]
    if len(fitting) != 1:
        raise DriftgateError(f"{len(fitting)} remediations fit '{name}'", nearest(name, [r.id for r in known[:8]]))
    return fitting[0]


def events_of(ledger: Ledger, remediation_id: str) -> list[Event]:
    """What happened so far, in order."""
    columns = [_events.c[name] for name in Event.__dataclass_fields__]
    query = select(*columns).where(_events.c.remediation_id == remediation_id).order_by(_events.c.id)
    with ledger.read() as connection:
        return [Event(**row._mapping) for row in connection.execute(query)]


def add_event(
    ledger: Ledger, remediation_id: str, step: str, status: str, detail: Mapping[str, Any], message: str = ""
) -> None:
    """Append to a remediation's history."""
    row = {"remediation_id": remediation_id, "step": step, "status": status, "detail": dict(detail)}
    with ledger.write() as connection:
        connection.execute(insert(_events).values(**row, message=told(message), at=datetime.now(UTC)))


def close(ledger: Ledger, remediation_id: str, state: str) -> None:
    """End a remediation; another may then be opened for its slot and cause."""
    values = {"state": state, "open_key": None, "closed_at": datetime.now(UTC)}
    here = and_(_remediations.c.id == remediation_id, _remediations.c.state == "open")
    with ledger.write() as connection:
        connection.execute(update(_remediations).where(here).values(**values))


def _read(row: Any) -> Remediation:
    return Remediation(**{name: row._mapping[name] for name in Remediation.__dataclass_fields__})
