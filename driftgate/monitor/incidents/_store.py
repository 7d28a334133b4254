"""Read incidents and their history, and write where one stands together with what happened to it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, desc, insert, select, update

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, create_tables, insert_new
from driftgate.monitor.incidents._tables import happenings, metadata
from driftgate.monitor.incidents._tables import incidents as _incidents
from driftgate.monitor.incidents._values import ITSELF, SEVERITIES, Happening, Incident, Part, Severity, State, What

_COLUMNS = [_incidents.c[one.name] for one in fields(Incident)]
UNRESOLVED: tuple[State, ...] = ("open", "acknowledged")


def incidents(
    ledger: Ledger,
    *,
    states: Collection[State] = (),
    monitor: str | None = None,
    least: Severity = "low",
    limit: int = 100,
) -> list[Incident]:
    """Incidents, those opened last first.

    Parameters
    ----------
    states : collection
        Only those in one of them; empty: in any.
    monitor : str, optional
        Only of this monitor; an empty name is the workspace itself.
    least : str
        Only those as grave, or graver.
    """
    create_tables(ledger, metadata)
    query = select(*_COLUMNS).order_by(desc(_incidents.c.opened_at), _incidents.c.id).limit(limit)
    if states:
        query = query.where(_incidents.c.state.in_(states))
    if monitor is not None:
        query = query.where(_incidents.c.monitor == monitor)
    if least != SEVERITIES[0]:
        query = query.where(_incidents.c.severity.in_(SEVERITIES[SEVERITIES.index(least) :]))
    with ledger.read() as connection:
        return [_read(row) for row in connection.execute(query)]


def monitors_of(ledger: Ledger) -> list[str]:
    """The monitors that ever had an incident."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        found = connection.execute(select(_incidents.c.monitor).where(_incidents.c.monitor != "").distinct())
        return sorted(found.scalars())


def find_incident(ledger: Ledger, name: str) -> Incident:
    """An incident by its id or a part of it that only one has; ``latest`` is the one opened last.

    Raises
    ------
    DriftgateError
        None, or more than one, fits.
    """
    if name == "latest":
        found = incidents(ledger, limit=1)
        if not found:
            raise DriftgateError("there is no incident yet", "looks of monitors open them: driftgate monitor check")
        return found[0]
    create_tables(ledger, metadata)
    query = select(*_COLUMNS).where(_incidents.c.id.contains(name, autoescape=True)).limit(2)
    with ledger.read() as connection:
        rows = connection.execute(query).all() if name else []
    if len(rows) != 1:
        known = [one.id for one in incidents(ledger, limit=8)]
        raise DriftgateError(
            f"{len(rows) if len(rows) < 2 else 'several'} incidents fit '{name}'", nearest(name, known)
        )
    return _read(rows[0])


def history(ledger: Ledger, incident: str, *, limit: int = 1000) -> list[Happening]:
    """What happened to an incident, in order; of very many the newest."""
    create_tables(ledger, metadata)
    query = select(happenings).where(happenings.c.incident == incident).order_by(desc(happenings.c.id)).limit(limit)
    with ledger.read() as connection:
        return [Happening(**row._mapping) for row in reversed(connection.execute(query).all())]


def reading(connection: Connection, *conditions: Any) -> list[Incident]:
    """Incidents within a transaction that is to change them; other writers wait, those opened first come first."""
    query: Select[Any] = select(*_COLUMNS).where(*conditions).order_by(_incidents.c.opened_at, _incidents.c.id)
    return [_read(row) for row in connection.execute(query.with_for_update())]


def held(connection: Connection, incident: str) -> Incident:
    """An incident as it stands within a transaction that changes it.

    SQLite lets one write after the other, so this one writes before it reads: what is read stands once it ends.
    """
    connection.execute(update(_incidents).where(_incidents.c.id == incident).values(id=incident))
    return reading(connection, _incidents.c.id == incident)[0]


def put(connection: Connection, incident: Incident) -> Incident:
    """Write a new incident; where its monitor and cause have an open one meanwhile, that one is returned."""
    key = open_key(incident.monitor, incident.cause)
    insert_new(connection, _incidents, [{**_row(incident), "open_key": key}])
    return reading(connection, _incidents.c.open_key == key)[0]


def change(connection: Connection, incident: Incident, **values: Any) -> Incident:
    """Write where an incident stands now."""
    after = replace(incident, **values)
    row = {name: value for name, value in _row(after).items() if name in values}
    if "state" in values:
        row["open_key"] = None if after.state == "resolved" else open_key(after.monitor, after.cause)
    connection.execute(update(_incidents).where(_incidents.c.id == incident.id).values(**row))
    return after


def note(
    connection: Connection,
    incident: Incident,
    what: What,
    at: datetime,
    *,
    who: str = ITSELF,
    note: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append to an incident's history."""
    row = {"incident": incident.id, "what": what, "severity": incident.severity, "at": at}
    row |= {"who": told(who)[:200], "note": told(note), "detail": dict(detail or {})}
    connection.execute(insert(happenings).values(**row))


def new_id(monitor: str, cause: str, at: datetime) -> str:
    """The id of an incident that is opened at a moment.

    Examples
    --------
    >>> from datetime import UTC
    >>> new_id("assistant", "model", datetime(2026, 11, 27, 3, tzinfo=UTC))
    '20261127-73afa2'
    """
    return f"{at:%Y%m%d}-{hashlib.sha256(f'{monitor}|{cause}|{at.isoformat()}'.encode()).hexdigest()[:6]}"


def open_key(monitor: str, cause: str) -> str:
    """What only one incident may have that is not resolved."""
    return f"{monitor}|{cause}"


def _row(incident: Incident) -> dict[str, Any]:
    row = {one.name: getattr(incident, one.name) for one in fields(Incident)}
    return {**row, "parts": [asdict(part) for part in incident.parts]}


def _read(row: Any) -> Incident:
    parts = tuple(Part(**{**part, "signals": tuple(part["signals"])}) for part in row.parts)
    return Incident(**{**row._mapping, "parts": parts})
