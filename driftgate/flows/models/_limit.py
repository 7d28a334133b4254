"""How many requests may be under way at once, learnt from the service's own answers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from types import TracebackType
from typing import Protocol

from driftgate.flows.models._patience import Patience


class Limit(Protocol):
    """Holds requests back, and hears what became of them."""

    patience: Patience

    async def __aenter__(self) -> None:
        """Wait until one more request may be made."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It is over."""

    @property
    def refused_for(self) -> float:
        """Seconds since the first 429 after the last reply; 0 where there was none."""

    def succeeded(self) -> None:
        """Hear of a reply."""

    def refused(self, retry_after: float | None) -> None:
        """Hear of a 429."""


class HeldPlace:
    """A place in a limit that is held for several requests, one after the other.

    Each of them still waits while the service asks for it, and what becomes of it concerns the limit as a whole.
    """

    def __init__(self, limit: AdaptiveLimit) -> None:
        self.limit = limit
        self.patience = limit.patience

    async def __aenter__(self) -> None:
        with self.patience.wait():
            await self.limit.opened()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The place stays held."""

    @property
    def refused_for(self) -> float:
        """Seconds since the first 429 after the last reply; 0 where there was none."""
        return self.limit.refused_for

    def succeeded(self) -> None:
        """Count a reply."""
        self.limit.succeeded()

    def refused(self, retry_after: float | None) -> None:
        """Count a 429."""
        self.limit.refused(retry_after)


class AdaptiveLimit:
    """A semaphore that halves when the service says 429 and grows again when it does not.

    Additive increase, multiplicative decrease, as in TCP congestion avoidance (RFC 5681, section 3.1): one slot
    more after each full round of successes, half as many after a refusal. Refusals of requests that were already
    under way at the last decrease do not decrease again, and ``Retry-After`` holds every new request back.

    Parameters
    ----------
    maximum : int
        Slots at the start and at the most.
    patience : Patience, optional
        How long one waits for a slot, and after a refusal; by default for ever.

    Examples
    --------
    >>> limit = AdaptiveLimit(64)
    >>> limit.refused(retry_after=None)
    >>> limit.capacity
    32
    """

    def __init__(self, maximum: int, patience: Patience | None = None) -> None:
        self.maximum = maximum
        self.patience = patience or Patience()
        self.capacity = maximum
        self.under_way = 0
        self._successes = 0
        self._excused = 0
        self._open_at = 0.0
        self._refused_since: float | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self.under_way < self.capacity and not self._waiting and asyncio.get_running_loop().time() >= self._open_at:
            self.under_way += 1
            return
        with self.patience.wait():
            await self._turn()

    async def _turn(self) -> None:
        while self.under_way >= self.capacity or self._waiting:
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._wake()
                elif place in self._waiting:  # one that left may have taken it out already
                    self._waiting.remove(place)
                raise
            if self.under_way < self.capacity:
                break
        self.under_way += 1
        try:
            await self.opened()
        except asyncio.CancelledError:
            self._leave()
            raise

    async def opened(self) -> None:
        """Wait until the service may be asked again, as it said itself."""
        while (pause := self._open_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(pause)

    def narrow(self, maximum: int) -> None:
        """Never have more than so many under way from now on."""
        self.maximum = min(self.maximum, maximum)
        self.capacity = min(self.capacity, self.maximum)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @property
    def refused_for(self) -> float:
        """Seconds since the first 429 after the last reply, to whichever request; 0 where there was none."""
        return 0.0 if self._refused_since is None else time.monotonic() - self._refused_since

    def succeeded(self) -> None:
        """Count a reply; after ``capacity`` of them one more request may be under way."""
        self._refused_since = None
        self._excused = max(0, self._excused - 1)
        self._successes += 1
        if self._successes >= self.capacity and self.capacity < self.maximum:
            self._successes = 0
            self.capacity += 1

    def refused(self, retry_after: float | None) -> None:
        """Count a 429: halve, and hold new requests back for ``retry_after`` seconds."""
        if self._refused_since is None:
            self._refused_since = time.monotonic()
        if retry_after:
            self._open_at = max(self._open_at, asyncio.get_running_loop().time() + retry_after)
        if self._excused > 0:
            self._excused -= 1
            return
        self._excused = self.under_way
        self._successes = 0
        self.capacity = max(1, self.capacity // 2)

    def _leave(self) -> None:
        self.under_way -= 1
        self._wake()

    def _wake(self) -> None:
        free = self.capacity - self.under_way
        while self._waiting and free > 0:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1
