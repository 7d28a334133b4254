"""The right to take one remediation further, kept up while a step runs, so that no two processes do a step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from driftgate.finetune.remediation._store import State, Status, add_event, close, is_open
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Deposed, KeptLease, Lease, Ledger, keep_lease

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
    kept: KeptLease
    """Says whether another process may have it by now."""

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


@asynccontextmanager
async def hold(ledger: Ledger, remediation_id: str, seconds: float | None = None) -> AsyncIterator[Hold]:
    """Hold a remediation; what a killed process held is had after ``seconds``, by default :data:`SECONDS`.

    Raises
    ------
    Busy
        Another process holds it, and lives.
    """
    lease = Lease(ledger, remediation_id, SECONDS if seconds is None else seconds)

    def busy() -> Busy:
        return Busy(
            f"another process takes remediation {remediation_id} further",
            "wait for it: driftgate remediation list; or stop it: driftgate remediation abandon",
        )

    async with keep_lease(lease, busy) as kept:
        yield Hold(lease, remediation_id, kept)
