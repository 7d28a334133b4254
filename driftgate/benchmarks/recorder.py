"""Write records in groups: every writer waits until its own record is durable, and one transaction serves many."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from driftgate.ledger import Ledger, Record, record

Waiting = list[tuple[Record, asyncio.Future[None]]]


@dataclass
class Recorder:
    """Group commit (Gray & Reuter, *Transaction Processing*, 1993, section 9.4.7).

    While one transaction is written in a thread, the records that arrive meanwhile gather for the next. A sample
    keeps its place among those in flight until its record is durable, so a kill loses at most what was in flight.
    """

    ledger: Ledger
    _waiting: Waiting = field(default_factory=list)
    _idle: asyncio.Future[None] | None = None
    """Done once nothing is being written; None while nothing is."""
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "ledger"))

    async def record(self, entry: Record) -> None:
        """Return once ``entry`` is durable.

        Raises
        ------
        DriftgateError
            The database refuses.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((entry, done))
        if self._idle is None:
            self._idle = loop.create_future()
            loop.call_soon(self._begin, loop)  # with those that are recorded in this turn of the loop
        await done

    async def drain(self) -> None:
        """Wait until nothing is being written."""
        if self._idle is not None:
            await asyncio.wait([self._idle])

    # Callbacks rather than a task: a turn of a busy loop takes milliseconds, in which every record would wait.

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting, []
        self._thread.submit(self._write, loop, batch)

    def _write(self, loop: asyncio.AbstractEventLoop, batch: Waiting) -> None:
        """Runs in the thread."""
        problem: Exception | None = None
        try:
            record(self.ledger, [entry for entry, _ in batch])
        except Exception as raised:  # handed to every one that waits for this batch
            problem = raised
        loop.call_soon_threadsafe(self._written, loop, batch, problem)

    def _written(self, loop: asyncio.AbstractEventLoop, batch: Waiting, problem: Exception | None) -> None:
        if self._waiting:
            self._begin(loop)
        elif self._idle is not None:
            self._idle.set_result(None)
            self._idle = None
        for _, done in batch:
            if done.done():
                continue
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)
