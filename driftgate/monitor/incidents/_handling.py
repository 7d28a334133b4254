"""What a person does with an incident; who did it, and when, is in its history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, record_audit
from driftgate.monitor.incidents._signs import reopened, resolved
from driftgate.monitor.incidents._store import change, find_incident, held, open_key, reading
from driftgate.monitor.incidents._store import note as append
from driftgate.monitor.incidents._tables import incidents
from driftgate.monitor.incidents._values import Incident


def acknowledge(ledger: Ledger, name: str, who: str, note: str = "") -> Incident:
    """Say that somebody has taken an incident on: it is not told of again until it gets worse.

    Raises
    ------
    DriftgateError
        There is none of that name, or it is resolved.
    """
    with _handled(ledger, name, who, "acknowledge", note) as (connection, found, now):
        _refuse_resolved(found)
        after = change(connection, found, state="acknowledged", acknowledged_by=who, acknowledged_at=now)
        append(connection, after, "acknowledged", now, who=who, note=note)
    return after


def silence(ledger: Ledger, name: str, until: datetime, who: str, note: str = "") -> Incident:
    """Tell nobody of an incident until a moment; it goes on, looks add to it, and it is listed as before.

    A moment that has passed ends a silence that there is.

    Raises
    ------
    DriftgateError
        There is none of that name, it is resolved, the moment has no time zone, or it has passed and there is no
        silence to end.
    """
    if until.tzinfo is None:
        raise DriftgateError(f"{until} has no time zone", "write it as 2026-12-01T09:00+09:00, or with Z for UTC")
    told = "; ".join(filter(None, (f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC", note)))
    with _handled(ledger, name, who, "silence", told) as (connection, found, now):
        _refuse_resolved(found)
        if until <= now and not found.silenced(now):
            raise DriftgateError(
                f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC has passed, so that nothing would be silent",
                "name a moment to come",
            )
        after = change(connection, found, silenced_until=until if until > now else None)
        until_then = {"until": until.astimezone(UTC).isoformat()}
        append(connection, after, "silenced", now, who=who, note=note, detail=until_then)
    return after


def resolve(ledger: Ledger, name: str, who: str, note: str = "") -> Incident:
    """End an incident; where it goes on, the next look reopens it.

    Raises
    ------
    DriftgateError
        There is none of that name, or it is resolved already.
    """
    with _handled(ledger, name, who, "resolve", note) as (connection, found, now):
        _refuse_resolved(found)
        return resolved(connection, found, now, who, note)


def reopen(ledger: Ledger, name: str, who: str, note: str = "") -> Incident:
    """Take back that an incident is resolved.

    Raises
    ------
    DriftgateError
        There is none of that name, it is not resolved, or another one of its cause is open.
    """
    with _handled(ledger, name, who, "reopen", note) as (connection, found, now):
        if found.state != "resolved":
            raise DriftgateError(f"incident {found.id} is {found.state}", "only one that is resolved can be reopened")
        other = reading(connection, incidents.c.open_key == open_key(found.monitor, found.cause))
        if other:
            raise DriftgateError(
                f"incident {other[0].id} of the same cause is open",
                f"handle that one: driftgate incidents show {other[0].id}",
            )
        return reopened(connection, found, now, who, note)


@contextmanager
def _handled(
    ledger: Ledger, name: str, who: str, action: str, detail: str
) -> Iterator[tuple[Connection, Incident, datetime]]:
    """An incident as it stands within the transaction that changes it, which the audit log tells of."""
    found = find_incident(ledger, name)
    with ledger.write() as connection:
        yield connection, held(connection, found.id), datetime.now(UTC)
        record_audit(ledger, who, f"incident.{action}", found.id, detail, connection=connection)


def _refuse_resolved(incident: Incident) -> None:
    if incident.state == "resolved":
        raise DriftgateError(
            f"incident {incident.id} was resolved by {incident.resolved_by}",
            f"driftgate incidents reopen {incident.id}, if it is not over",
        )
