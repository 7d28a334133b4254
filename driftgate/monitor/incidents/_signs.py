"""Signs make incidents, and quiet looks resolve them.

A sign adds to the incident that is open for its monitor and cause, or for a signal that it carries; else it reopens the
one that was resolved not long ago, or opens one. What resolves is only a look that could see and saw nothing, several
times in a row: one that is inconclusive or unmeasurable begins the count anew, so that worse evidence never ends an
incident sooner.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, desc, select

from driftgate.flows.scrubbing import told
from driftgate.monitor.incidents._config import IncidentsConfig
from driftgate.monitor.incidents._store import UNRESOLVED, change, new_id, note, open_key, put, reading
from driftgate.monitor.incidents._tables import incidents
from driftgate.monitor.incidents._values import ITSELF, SEVERITIES, Incident, Part, Sign, graver


def signal(connection: Connection, sign: Sign, at: datetime, config: IncidentsConfig) -> Incident:
    """Add a sign to its incident, which it opens or reopens where none is open."""
    sign = replace(sign, summary=told(sign.summary), remedy=told(sign.remedy))
    before = _open_for(connection, sign)
    if before is not None:
        return _add(connection, before, sign, at)
    resolved = _resolved_lately(connection, sign, at - timedelta(hours=config.reopen_hours))
    if resolved is not None:
        return reopened(connection, _add(connection, resolved, sign, at, what=False), at, ITSELF, sign.summary, sign)
    made = Incident(
        id=new_id(sign.monitor, sign.cause, at),
        monitor=sign.monitor,
        cause=sign.cause,
        kind=sign.kind,
        state="open",
        severity=sign.severity,
        summary=sign.summary,
        remedy=sign.remedy,
        since=sign.since or at,
        good_at=sign.good_at,
        opened_at=at,
        seen_at=at,
        signs=1,
        parts=_parts((), sign),
        acknowledged_by="",
        acknowledged_at=None,
        silenced_until=None,
        resolved_by="",
        resolved_at=None,
    )
    kept = put(connection, made)
    if kept.id != made.id:  # another process opened it in the same moment
        return _add(connection, kept, sign, at)
    note(connection, kept, "opened", at, note=sign.summary, detail=dict(sign.detail))
    return kept


def clear(
    connection: Connection,
    incident: Incident,
    subject: str,
    at: datetime,
    *,
    quiet: bool,
    needed: int,
    detail: dict[str, str] | None = None,
) -> Incident:
    """Take in a look that gave an incident no sign: a quiet one counts, any other begins the count anew."""
    counted = tuple(
        replace(part, quiet=part.quiet + 1 if quiet else 0) if part.subject == subject else part
        for part in incident.parts
    )
    if counted == incident.parts:
        return incident
    after = change(connection, incident, parts=counted)
    if quiet:
        note(connection, after, "quiet", at, detail=detail)
    if not quiet or any(part.quiet < needed for part in counted):
        return after
    return resolved(connection, after, at, ITSELF, f"nothing seen in {needed} looks in a row" if needed > 1 else "")


def resolved(connection: Connection, incident: Incident, at: datetime, who: str, why: str) -> Incident:
    """End an incident."""
    after = change(connection, incident, state="resolved", resolved_by=who, resolved_at=at, silenced_until=None)
    note(connection, after, "resolved", at, who=who, note=why)
    return after


def reopened(
    connection: Connection, incident: Incident, at: datetime, who: str, why: str, sign: Sign | None = None
) -> Incident:
    """Begin an incident again that was resolved; who had acknowledged it did not acknowledge this."""
    clean = {"resolved_by": "", "resolved_at": None, "acknowledged_by": "", "acknowledged_at": None}
    parts = tuple(replace(part, quiet=0) for part in incident.parts)
    after = change(connection, incident, state="open", parts=parts, **clean)
    note(connection, after, "reopened", at, who=who, note=why, detail=dict(sign.detail) if sign is not None else None)
    return after


def _open_for(connection: Connection, sign: Sign) -> Incident | None:
    """The open incident that a sign adds to: one that has its signal already, or one of its cause."""
    here = reading(connection, incidents.c.monitor == sign.monitor, incidents.c.state.in_(UNRESOLVED))
    carried = {(sign.subject, name) for name in sign.signals}
    of_signal = (one for one in here if carried & {(p.subject, name) for p in one.parts for name in p.signals})
    key = open_key(sign.monitor, sign.cause)
    return next((one for one in here if open_key(one.monitor, one.cause) == key), next(of_signal, None))


def _resolved_lately(connection: Connection, sign: Sign, since: datetime) -> Incident | None:
    here = (incidents.c.monitor == sign.monitor, incidents.c.cause == sign.cause, incidents.c.resolved_at >= since)
    newest = select(incidents.c.id).where(*here).order_by(desc(incidents.c.resolved_at)).limit(1)
    found = connection.execute(newest).scalar_one_or_none()
    return None if found is None else reading(connection, incidents.c.id == found)[0]


def _add(connection: Connection, incident: Incident, sign: Sign, at: datetime, *, what: bool = True) -> Incident:
    severity = graver(incident.severity, sign.severity)
    worse = SEVERITIES.index(severity) > SEVERITIES.index(incident.severity)
    gravest = severity == sign.severity
    again = incident.state == "resolved"
    values: dict[str, Any] = {"severity": sign.severity if again else severity, "parts": _parts(incident.parts, sign)}
    values |= {"seen_at": max(at, incident.seen_at), "signs": incident.signs + 1}
    if gravest or again:
        values |= {"kind": sign.kind, "summary": sign.summary, "remedy": sign.remedy}
    since = sign.since or at
    if again or since < incident.since:  # of several processes one may take the later look in first
        values |= {"since": since, "good_at": sign.good_at}
    after = change(connection, incident, **values)
    if what:
        note(connection, after, "worse" if worse else "seen", at, note=sign.summary, detail=dict(sign.detail))
    return after


def _parts(before: tuple[Part, ...], sign: Sign) -> tuple[Part, ...]:
    old = next((part for part in before if part.subject == sign.subject), Part(sign.subject))
    signals = tuple(dict.fromkeys((*old.signals, *sign.signals)))
    new = Part(sign.subject, signals, old.blind or not sign.signals)
    return (*(part for part in before if part.subject != sign.subject), new)
