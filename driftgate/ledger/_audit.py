"""The audit log: who did what to whom, or tried to; rows are added and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Index, Integer, MetaData, String, Table, Text, insert, select

from driftgate.flows.scrubbing import told
from driftgate.ledger._making import make_tables
from driftgate.ledger._schema import UtcDateTime
from driftgate.ledger._store import Ledger, create_tables

metadata = MetaData()

_audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(200), nullable=False),
    Column("action", String(80), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Index("audit_by_action", "action", "id"),
)

_LONGEST_DETAIL = 2000


@dataclass(frozen=True)
class AuditRow:
    """One thing that somebody did, or was refused."""

    id: int
    at: datetime
    who: str
    """The name of a key, of a person who signed in, or of the user of the command line; an address of a stranger."""
    action: str
    """What was done, ``thing.verb``: ``key.create``, ``champion.promote``, ``incident.silence``, ``sign_in.refuse``."""
    subject: str
    """To what: a slot, a key's name, the id of an incident, a remediation or a job."""
    detail: str
    """What else is to be known: a reason, a note, the scopes."""


def record_audit(
    ledger: Ledger,
    who: str,
    action: str,
    subject: str,
    detail: str = "",
    *,
    connection: Connection | None = None,
) -> None:
    """Add to the audit log; every text is kept without secrets and personal data, and cut to its column.

    Parameters
    ----------
    who : str
        Who did it, such as ``Identity.name``.
    action : str
        ``thing.verb``, of the names that :class:`AuditRow` has as examples.
    subject : str
        To what.
    detail : str
        A reason or a note.
    connection : Connection, optional
        A transaction of the caller's, so that the deed and its row are durable together.
    """
    row = {
        "at": datetime.now(UTC),
        "who": told(who)[:200],
        "action": action[:80],
        "subject": told(subject)[:200],
        "detail": told(detail)[:_LONGEST_DETAIL],
    }
    if connection is not None:
        make_tables(connection, metadata)
        connection.execute(insert(_audit).values(**row))
        return
    create_tables(ledger, metadata)
    with ledger.write() as own:
        own.execute(insert(_audit).values(**row))


@dataclass(frozen=True)
class Audited:
    """What the audit log tells of."""

    actions: Sequence[str]
    by: Sequence[str]
    """Who did something."""


def audited(ledger: Ledger) -> Audited:
    """Every action that is recorded, and everybody who did one."""
    create_tables(ledger, metadata)
    with ledger.read() as found:
        actions, by = (sorted(found.execute(select(_audit.c[name]).distinct()).scalars()) for name in ("action", "who"))
    return Audited(actions, by)


def audit_of(ledger: Ledger, limit: int = 100, *, action: str = "", who: str = "", before: int = 0) -> list[AuditRow]:
    """The newest rows first.

    Parameters
    ----------
    limit : int
        How many at most.
    action : str
        Only of this action, or of every one of a thing (``key`` finds ``key.create`` and ``key.revoke``).
    who : str
        Only of this one.
    before : int
        Only rows whose id is lower; 0 begins with the newest.
    """
    create_tables(ledger, metadata)
    query = select(_audit).order_by(_audit.c.id.desc()).limit(limit)
    if action:
        query = query.where((_audit.c.action == action) | _audit.c.action.startswith(f"{action}.", autoescape=True))
    if who:
        query = query.where(_audit.c.who == who)
    if before:
        query = query.where(_audit.c.id < before)
    with ledger.read() as found:
        return [AuditRow(*row) for row in found.execute(query)]
