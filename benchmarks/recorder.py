"""Write records in groups: every writer waits until its own record is durable, and one transaction serves many."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic

from benchmarks.ledger import Ledger, Record, record

LONGEST_PAUSE = 0.002
"""Seconds a record may wait for others before its transaction begins."""


@dataclass
class Recorder:
    """Group commit (Gray & Reuter, *Transaction Processing*, 1993, section 9.4.7).

    While one transaction is written in a thread, the records that arrive meanwhile gather for the next. A sample
    keeps its place among those in flight until its record is durable, so a kill loses at most what was in flight.
    """

    ledger: Ledger
    _waiting: list[tuple[Record, asyncio.Future[None]]] = field(default_factory=list)
    _writer: asyncio.Task[None] | None = None

    async def record(self, entry: Record) -> None:
        """Return once ``entry`` is durable.

        Raises
        ------
        DriftgateError
            The database refuses.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def drain(self) -> None:
        """Wait until nothing is being written."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def _write(self) -> None:
        pause = 0.0
        while self._waiting:
            await asyncio.sleep(pause)
            batch, self._waiting = self._waiting, []
            began = monotonic()
            try:
                await asyncio.to_thread(record, self.ledger, [entry for entry, _ in batch])
            except Exception as problem:  # handed to every one that waits for this batch
                _settle(batch, problem)
            else:
                _settle(batch, None)
            # A transaction costs much the same for few records as for many: let as many gather as come in the
            # meantime. Whoever writes one after the other does not wait at all.
            pause = min(LONGEST_PAUSE, monotonic() - began) if len(batch) > 1 else 0.0


def _settle(batch: list[tuple[Record, asyncio.Future[None]]], problem: Exception | None) -> None:
    for _, done in batch:
        if done.done():
            continue
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(problem)
