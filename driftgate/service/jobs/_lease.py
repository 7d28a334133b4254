"""One leader among many processes, by a row that it has to go on changing; no clock decides."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, and_, select, update

from driftgate.api.jobs import LEAD, metadata
from driftgate.api.jobs._tables import leads
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, create_tables, insert_new


class Deposed(DriftgateError):
    """Another process leads by now; nothing of what this one was about to write is written."""


def _own_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


@dataclass
class Lease:
    """The right to do jobs, held by one process at a time.

    The holder changes the row again and again. Whoever sees it unchanged for ``seconds`` by a stopwatch of its own
    takes it over. Stamps are compared with no clock: one that is set back or forward, differs between machines, or
    stands still while a laptop sleeps makes no holder look dead or alive.

    Parameters
    ----------
    ledger : Ledger
        The database that all processes share.
    seconds : float
        How long a holder may give no sign of life; a killed one is replaced after that.
    """

    ledger: Ledger
    seconds: float = 6.0
    holder: str = field(default_factory=_own_name)
    fence: int = 0
    """The fencing token while it is held, else 0: each holder's is larger than all before."""
    taken_over: bool = False
    """Who held it before did not give it back, and may live."""
    _seen: tuple[int, int] = (-1, -1)
    _since: float = 0.0

    def __post_init__(self) -> None:
        create_tables(self.ledger, metadata)
        row = {"name": LEAD, "holder": "", "fence": 0, "beat": 0, "beat_at": datetime.now(UTC)}
        with self.ledger.write() as connection:
            insert_new(connection, leads, [row])

    def acquire(self) -> bool:
        """Take or renew it; False while another process holds it."""
        if self.fence:
            if self._change(self.fence, self.fence, leads.c.holder == self.holder):
                return True
            self.fence = 0
        with self.ledger.read() as connection:
            found = connection.execute(select(leads).where(leads.c.name == LEAD)).one()
        seen = (int(found.fence), int(found.beat))
        if found.holder:
            if seen != self._seen:
                self._seen, self._since = seen, time.monotonic()
            if time.monotonic() - self._since < self.seconds:
                return False
        if not self._change(seen[0], seen[0] + 1, leads.c.beat == seen[1]):
            return False
        self.fence, self.taken_over = seen[0] + 1, bool(found.holder)
        return True

    def _change(self, before: int, fence: int, where: ColumnElement[bool]) -> bool:
        here = and_(leads.c.name == LEAD, leads.c.fence == before, where)
        alive = {"holder": self.holder, "fence": fence, "beat": leads.c.beat + 1, "beat_at": datetime.now(UTC)}
        with self.ledger.write() as connection:
            return connection.execute(update(leads).where(here).values(**alive)).rowcount == 1

    def is_mine(self) -> bool:
        """Whether it is still held, by a look that waits for no writer."""
        with self.ledger.read() as connection:
            found = connection.execute(select(leads.c.fence).where(leads.c.name == LEAD)).scalar_one()
        return self.fence != 0 and found == self.fence

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """A transaction in which the lease is held for certain: whoever takes it over waits for its end.

        Raises
        ------
        Deposed
            Another process holds it.
        """
        here = and_(leads.c.name == LEAD, leads.c.fence == self.fence, leads.c.holder == self.holder)
        with self.ledger.write() as connection:
            if not self.fence or connection.execute(update(leads).where(here).values(fence=self.fence)).rowcount != 1:
                raise Deposed("another process does the jobs by now")
            yield connection

    def release(self) -> None:
        """Let another process take over at once."""
        if self.fence:
            with self.held() as connection:
                connection.execute(update(leads).where(leads.c.name == LEAD).values(holder=""))
            self.fence = 0
