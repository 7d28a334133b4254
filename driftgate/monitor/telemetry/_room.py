"""How much of what is received may be in memory at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Full(Exception):
    """More waits than may."""


class Room:
    """Bytes that may be decoded at once; who comes first is let in first.

    Decoding takes many times the memory of its body, and two at once are no faster than one after the other, so
    bodies are decoded together only while they are small.

    Parameters
    ----------
    size : int
        Bytes of bodies that may be decoded at once; a larger one is let in alone.
    waiting : int
        Bytes of bodies that may wait for that.
    """

    def __init__(self, size: int, waiting: int) -> None:
        self._size = size
        self._most = waiting
        self._taken = 0
        self._held = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    def hold(self, size: int) -> None:
        """Count bytes that have been received.

        Raises
        ------
        Full
            With them more would wait than may.
        """
        if self._held and self._held + size > self._most:
            raise Full
        self._held += size

    def release(self, size: int) -> None:
        """Count bytes that are not in memory any more."""
        self._held -= size

    @asynccontextmanager
    async def take(self, size: int) -> AsyncIterator[None]:
        """Wait for room, and have it until the block ends."""
        if self._queue or not self._fits(size):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():  # let in at the moment it gave up
                    self._give_back(size)
                self._let_in()  # past one that gave up
                raise
        else:
            self._taken += size
        try:
            yield
        finally:
            self._give_back(size)

    def _fits(self, size: int) -> bool:
        return not self._taken or self._taken + size <= self._size

    def _give_back(self, size: int) -> None:
        self._taken -= size
        self._let_in()

    def _let_in(self) -> None:
        while self._queue and (self._queue[0][1].cancelled() or self._fits(self._queue[0][0])):
            size, turn = self._queue.popleft()
            if not turn.cancelled():
                self._taken += size
                turn.set_result(None)
