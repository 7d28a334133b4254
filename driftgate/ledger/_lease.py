"""One holder among many processes, by a row that it has to go on changing; no clock decides."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Column, ColumnElement, Connection, Integer, MetaData, String, Table, and_, select, update

from driftgate.flows.errors import DriftgateError
from driftgate.ledger._insert import insert_new
from driftgate.ledger._schema import UtcDateTime
from driftgate.ledger._store import Ledger, create_tables

metadata = MetaData()

_leases = Table(
    "job_leads",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(200), nullable=False),  # empty: nobody
    Column("fence", Integer, nullable=False),  # one more for every holder
    Column("beat", Integer, nullable=False),  # one more for every sign of life
    Column("beat_at", UtcDateTime, nullable=False),  # for people; no process decides by it
)


class Deposed(DriftgateError):
    """Another process holds the lease by now; nothing of what this one was about to write is written."""


_NEVER = (-1, -1)


def _own_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


@dataclass
class Lease:
    """The right to do something, held by one process at a time.

    The holder changes the row again and again. Whoever sees it unchanged for ``seconds`` by a stopwatch of its own
    takes it over. Stamps are compared with no clock: one that is set back or forward, differs between machines, or
    stands still while a laptop sleeps makes no holder look dead or alive.

    Parameters
    ----------
    ledger : Ledger
        The database that all processes share.
    name : str
        Of what it is the right: ``jobs``, or a remediation's id.
    seconds : float
        How long a holder may give no sign of life; a killed one is replaced after that.
    """

    ledger: Ledger
    name: str
    seconds: float = 6.0
    holder: str = field(default_factory=_own_name)
    fence: int = 0
    """The fencing token while it is held, else 0: each holder's is larger than all before."""
    taken_over: bool = False
    """Who held it before did not give it back, and may live."""
    lives: bool = False
    """While another process holds it: whether that was seen to renew it."""
    _seen: tuple[int, int] = _NEVER
    _since: float = 0.0

    def __post_init__(self) -> None:
        create_tables(self.ledger, metadata)
        row = {"name": self.name, "holder": "", "fence": 0, "beat": 0, "beat_at": datetime.now(UTC)}
        with self.ledger.write() as connection:
            insert_new(connection, _leases, [row])

    def acquire(self) -> bool:
        """Take or renew it; False while another process holds it."""
        if self.fence:
            if self.renew():
                return True
            self.fence = 0
        with self.ledger.read() as connection:
            found = connection.execute(select(_leases).where(_leases.c.name == self.name)).one()
        seen = (int(found.fence), int(found.beat))
        if found.holder:
            if seen != self._seen:
                self.lives = self._seen != _NEVER
                self._seen, self._since = seen, time.monotonic()
            if time.monotonic() - self._since < self.seconds:
                return False
        if not self._change(seen[0], seen[0] + 1, _leases.c.beat == seen[1]):
            return False
        self.fence, self.taken_over = seen[0] + 1, bool(found.holder)
        return True

    def renew(self) -> bool:
        """Give a sign of life; False where it is another's by now, or was meanwhile."""
        return self._change(self.fence, self.fence, _leases.c.holder == self.holder)

    def _change(self, before: int, fence: int, where: ColumnElement[bool]) -> bool:
        here = and_(_leases.c.name == self.name, _leases.c.fence == before, where)
        alive = {"holder": self.holder, "fence": fence, "beat": _leases.c.beat + 1, "beat_at": datetime.now(UTC)}
        with self.ledger.write() as connection:
            return connection.execute(update(_leases).where(here).values(**alive)).rowcount == 1

    def is_mine(self) -> bool:
        """Whether it is still held, by a look that waits for no writer."""
        with self.ledger.read() as connection:
            found = connection.execute(select(_leases.c.fence).where(_leases.c.name == self.name)).scalar_one()
        return self.fence != 0 and found == self.fence

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """A transaction in which the lease is held for certain: whoever takes it over waits for its end.

        Raises
        ------
        Deposed
            Another process holds it.
        """
        here = and_(_leases.c.name == self.name, _leases.c.fence == self.fence, _leases.c.holder == self.holder)
        with self.ledger.write() as connection:
            if not self.fence or connection.execute(update(_leases).where(here).values(fence=self.fence)).rowcount != 1:
                raise Deposed(f"another process holds the lease of {self.name} by now")
            yield connection

    def release(self) -> None:
        """Let another process take over at once."""
        if self.fence:
            with self.held() as connection:
                connection.execute(update(_leases).where(_leases.c.name == self.name).values(holder=""))
            self.fence = 0


@dataclass(frozen=True)
class LeaseRow:
    """Who holds a lease."""

    holder: str
    beat_at: datetime
    """When it gave its last sign of life, by its own clock: for people."""


def lease_of(ledger: Ledger, name: str) -> LeaseRow | None:
    """Who holds the lease of this name, alive or not; None where nobody does."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        row = connection.execute(select(_leases).where(_leases.c.name == name)).one_or_none()
    return LeaseRow(row.holder, row.beat_at) if row is not None and row.holder else None


@dataclass(frozen=True)
class KeptLease:
    """A lease that a thread renews."""

    lost: threading.Event = field(default_factory=threading.Event)
    """Set once another process may have it."""
    ended: threading.Event = field(default_factory=threading.Event)
    """Set where it is renewed no longer."""

    def end(self) -> None:
        """Stop renewing it."""
        self.ended.set()


@asynccontextmanager
async def keep_lease(lease: Lease, busy: Callable[[], DriftgateError]) -> AsyncIterator[KeptLease]:
    """Hold a lease in the body of an ``async with``; what a killed process held is had once its lease lapsed.

    A thread renews it, as the body may keep the event loop busy for minutes.

    Parameters
    ----------
    busy : callable
        Gives what is raised where another process holds it, and lives.
    """
    import asyncio

    until = time.monotonic() + 1.5 * lease.seconds
    while not await asyncio.to_thread(lease.acquire):
        if lease.lives or time.monotonic() > until:
            raise busy()
        await asyncio.sleep(lease.seconds / 20)
    kept = KeptLease()
    thread = threading.Thread(target=_keep_up, args=(lease, kept), name=f"lease of {lease.name}", daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        kept.end()
        await asyncio.to_thread(thread.join)
        if not kept.lost.is_set():
            with suppress(DriftgateError):  # it is had by the next process in a moment all the same
                await asyncio.to_thread(lease.release)


def _keep_up(lease: Lease, kept: KeptLease) -> None:
    renewed = time.monotonic()
    while not kept.ended.wait(lease.seconds / 4):
        try:
            if not lease.renew():
                break
            renewed = time.monotonic()
        except DriftgateError:  # a long write of somebody else, or a database that is away for a moment
            if time.monotonic() - renewed > lease.seconds:
                break
    if not kept.ended.is_set():
        kept.lost.set()
