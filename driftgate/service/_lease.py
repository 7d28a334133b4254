"""One leader among many processes, by a row that has to be renewed; and one firing for each scheduled time."""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, and_, desc, func, or_, select, update

from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

_leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("expires", Float, nullable=False),  # seconds since 1970, UTC
)

_firings = Table(
    "firings",
    metadata,
    Column("job", String(128), primary_key=True),
    Column("scheduled_at", UtcDateTime, primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
)

_endings = Table(
    "firing_endings",
    metadata,
    Column("job", String(128), primary_key=True),
    Column("scheduled_at", UtcDateTime, primary_key=True),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("exit_code", Integer),
    Column("reason", Text, nullable=False),
)


@dataclass(frozen=True)
class Firing:
    """A scheduled time of a job that was fired, and how it ended."""

    job: str
    scheduled_at: datetime
    holder: str
    """The process that fired it."""
    claimed_at: datetime
    ended_at: datetime | None
    """None while it is under way, and for ever where its process died."""
    exit_code: int | None
    """Of the job's process; below 0 the signal that ended it. None where it never had one."""
    reason: str
    """Why it has none."""
    cut_off: bool
    """It has not ended, and the process that fired it leads the schedule no longer: nobody knows what became of it."""


@dataclass
class Lease:
    """The right to run the schedule, held by one process at a time.

    Parameters
    ----------
    ledger : Ledger
        The database all processes share.
    seconds : float
        How long the right lasts without being renewed; a killed leader is replaced after at most so long.
    """

    ledger: Ledger
    seconds: float = 30.0
    name: str = "schedule"
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}")

    def __post_init__(self) -> None:
        create_tables(self.ledger, metadata)
        with self.ledger.write() as connection:
            insert_new(connection, _leases, [{"name": self.name, "holder": "", "epoch": 0, "expires": 0.0}])

    def acquire(self) -> bool:
        """Take or renew the lease; False while another process holds it."""
        now = time.time()
        mine = or_(_leases.c.holder == self.holder, _leases.c.expires < now)
        taken = (
            update(_leases)
            .where(and_(_leases.c.name == self.name, mine))
            .values(
                holder=self.holder,
                expires=now + self.seconds,
                epoch=_leases.c.epoch + 1,
            )
        )
        with self.ledger.write() as connection:
            return connection.execute(taken).rowcount == 1

    def release(self) -> None:
        """Let another process take over at once."""
        here = and_(_leases.c.name == self.name, _leases.c.holder == self.holder)
        with self.ledger.write() as connection:
            connection.execute(update(_leases).where(here).values(expires=0.0))

    def claim(self, job: str, scheduled_at: datetime) -> bool:
        """Claim one firing; True for exactly one process, once, ever."""
        row = {"job": job, "scheduled_at": scheduled_at, "holder": self.holder, "claimed_at": datetime.now(UTC)}
        here = and_(_firings.c.job == job, _firings.c.scheduled_at == scheduled_at)
        with self.ledger.write() as connection:
            insert_new(connection, _firings, [row])
            holder, claimed = connection.execute(select(_firings.c.holder, _firings.c.claimed_at).where(here)).one()
        return bool(holder == self.holder and claimed == row["claimed_at"])

    def ended(self, job: str, scheduled_at: datetime, exit_code: int | None, reason: str = "") -> None:
        """Keep how a firing ended."""
        row = {"job": job, "scheduled_at": scheduled_at, "exit_code": exit_code, "reason": reason}
        with self.ledger.write() as connection:
            insert_new(connection, _endings, [{**row, "ended_at": datetime.now(UTC)}])

    def firings(self, limit: int = 20) -> list[Firing]:
        """What was fired, the newest first, by whichever process."""
        both = and_(_endings.c.job == _firings.c.job, _endings.c.scheduled_at == _firings.c.scheduled_at)
        query = (
            select(
                _firings,
                _endings.c.ended_at,
                _endings.c.exit_code,
                func.coalesce(_endings.c.reason, "").label("reason"),
            )
            .outerjoin(_endings, both)
            .order_by(desc(_firings.c.scheduled_at), _firings.c.job)
            .limit(limit)
        )
        leader = select(_leases.c.holder).where(_leases.c.name == self.name)
        with self.ledger.read() as connection:
            leading = connection.execute(leader).scalar_one()
            rows = connection.execute(query).all()
        return [Firing(**row._mapping, cut_off=row.ended_at is None and row.holder != leading) for row in rows]

    def last_firing(self, job: str) -> datetime | None:
        """When the job was last scheduled and claimed."""
        query = select(func.max(_firings.c.scheduled_at)).where(_firings.c.job == job)
        with self.ledger.read() as connection:
            found: datetime | None = connection.execute(query).scalar_one()
        return found
