"""The right to take one remediation further, kept up while a step runs, so that no two processes do a step."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from driftgate.finetune.remediation._store import State, Status, add_event, close, is_open
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Deposed, Lease, Ledger

SECONDS = 6.0
"""How long a process that was killed holds a remediation."""


class Busy(DriftgateError):
    """Another process takes the remediation further."""


@dataclass
class Hold:
    """A remediation's lease, which a thread renews: a step may keep the event loop busy for minutes.

    Every write of the history goes through it. Of a process that was stopped for longer than the lease and is another's
    by now, nothing is written.
    """

    lease: Lease
    remediation: str
    lost: threading.Event = field(default_factory=threading.Event)
    """Another process may have it by now."""
    _done: threading.Event = field(default_factory=threading.Event)

    @property
    def ledger(self) -> Ledger:
        """The ledger that holds the remediation."""
        return self.lease.ledger

    def write(self, step: str, status: Status, detail: Mapping[str, Any], message: str = "") -> None:
        """Append to the history.

        Raises
        ------
        Deposed
            Another process has it by now, or it has ended.
        """
        with self.lease.held() as connection:
            if not is_open(connection, self.remediation):
                raise Deposed(f"remediation {self.remediation} has ended meanwhile")
            add_event(self.ledger, self.remediation, step, status, detail, message, connection=connection)

    def close(self, state: State) -> None:
        """End the remediation.

        Raises
        ------
        Deposed
            Another process has it by now.
        """
        with self.lease.held() as connection:
            close(self.ledger, self.remediation, state, connection=connection)

    def keep_up(self) -> None:
        """Renew the lease until :meth:`release`."""
        renewed = time.monotonic()
        while not self._done.wait(self.lease.seconds / 4):
            try:
                if not self.lease.renew():
                    break
                renewed = time.monotonic()
            except DriftgateError:  # a long write of somebody else, or a database that is away for a moment
                if time.monotonic() - renewed > self.lease.seconds:
                    break
        if not self._done.is_set():
            self.lost.set()

    def end(self) -> None:
        """Stop renewing it."""
        self._done.set()


@asynccontextmanager
async def hold(ledger: Ledger, remediation_id: str, seconds: float | None = None) -> AsyncIterator[Hold]:
    """Hold a remediation; what a killed process held is had after ``seconds``, by default :data:`SECONDS`.

    Raises
    ------
    Busy
        Another process holds it, and lives.
    """
    seconds = SECONDS if seconds is None else seconds
    lease = Lease(ledger, remediation_id, seconds)
    until = time.monotonic() + 1.5 * seconds
    while not await asyncio.to_thread(lease.acquire):
        if lease.lives or time.monotonic() > until:
            raise Busy(
                f"another process takes remediation {remediation_id} further",
                "wait for it: driftgate remediation list; or stop it: driftgate remediation abandon",
            )
        await asyncio.sleep(seconds / 20)
    held = Hold(lease, remediation_id)
    thread = threading.Thread(target=held.keep_up, name=f"lease of {remediation_id}", daemon=True)
    thread.start()
    try:
        yield held
    finally:
        held.end()
        await asyncio.to_thread(thread.join)
        if not held.lost.is_set():
            with suppress(DriftgateError):  # it is had by the next process in a moment all the same
                await asyncio.to_thread(lease.release)
