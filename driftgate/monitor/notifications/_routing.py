"""From what happened to incidents to what is to be told by which channel.

What happened is in the incidents' history before anybody thinks of telling it. So whoever routes after a process was
killed finds what that one left; each event is routed by one transaction, once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import cast, get_args

from sqlalchemy import Connection, desc, select

from driftgate.ledger import Ledger, create_tables, insert_new
from driftgate.monitor.incidents import Happening, Incident
from driftgate.monitor.incidents._store import note, reading
from driftgate.monitor.incidents._tables import happenings, incidents
from driftgate.monitor.incidents._tables import metadata as of_incidents
from driftgate.monitor.notifications._config import Event, NotificationsConfig
from driftgate.monitor.notifications._tables import due, metadata, routed

_EVENTS: Collection[str] = get_args(Event)
_BEGINNINGS = ("opened", "worse", "reopened", "still_open")


def route(ledger: Ledger, config: NotificationsConfig, now: datetime) -> int:
    """Put into the outbox what is to be told and is not there yet; returns how many events there were.

    A silenced incident's events are told to nobody. Once its silence is over and it is open still, that is told. On a
    ledger that never told anything, only what is not resolved is told.
    """
    create_tables(ledger, of_incidents)
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        first = connection.execute(select(routed.c.event).limit(1)).first() is None
        waiting = connection.execute(
            select(happenings)
            .where(happenings.c.what.in_(_EVENTS), happenings.c.id.not_in(select(routed.c.event)))
            .order_by(happenings.c.id)
        ).all()
    for row in waiting:
        with ledger.write() as connection:
            _route(connection, Happening(**row._mapping), config, now, first=first)
    return len(waiting) + _remind(ledger, config, now)


def _route(
    connection: Connection, happening: Happening, config: NotificationsConfig, now: datetime, *, first: bool = False
) -> None:
    row = {"event": happening.id, "incident": happening.incident, "suppressed": 0, "at": now}
    insert_new(connection, routed, [row])  # takes the database's lock before anything is read
    incident = reading(connection, incidents.c.id == happening.incident)[0]
    if first and incident.state == "resolved":
        return
    if incident.silenced(now):
        connection.execute(routed.update().where(routed.c.event == happening.id).values(suppressed=1))
        return
    event = cast(Event, happening.what)
    rows = [
        {"event": happening.id, "incident": incident.id, "channel": name, "at": now}
        for name in config.to(event, incident.kind, incident.monitor, happening.severity)
    ]
    insert_new(connection, due, rows)


def _remind(ledger: Ledger, config: NotificationsConfig, now: datetime) -> int:
    """Tell again of what is open, that nobody acknowledged, and of what was silenced when it was to be told."""
    told = 0
    with ledger.read() as connection:
        standing = reading(connection, incidents.c.state == "open")
    for incident in standing:
        if not incident.silenced(now) and _is_due(ledger, incident, config, now):
            with ledger.write() as connection:
                note(connection, incident, "still_open", now, note=incident.summary)
                newest = select(happenings).where(happenings.c.incident == incident.id).order_by(desc(happenings.c.id))
                row = connection.execute(newest.limit(1)).one()
                _route(connection, Happening(**row._mapping), config, now)
            told += 1
    return told


def _is_due(ledger: Ledger, incident: Incident, config: NotificationsConfig, now: datetime) -> bool:
    here = routed.c.incident == incident.id
    beginning = routed.c.event.in_(
        select(happenings.c.id).where(happenings.c.incident == incident.id, happenings.c.what.in_(_BEGINNINGS))
    )
    newest = select(routed.c.suppressed, routed.c.at).where(here, beginning).order_by(desc(routed.c.event)).limit(1)
    with ledger.read() as connection:
        last = connection.execute(newest).one_or_none()
    if last is None:
        return False
    hours = config.renotify_hours
    return bool(last.suppressed) or (hours is not None and now - last.at >= timedelta(hours=hours))
