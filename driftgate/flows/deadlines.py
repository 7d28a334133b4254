"""Time limits for very many awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType


class Deadlines:
    """Limits of one length, kept by one timer of the event loop.

    :func:`asyncio.timeout` sets a timer for every await and cancels it again. Limits that are equally long expire in
    the order in which they began, so one timer for the oldest is enough.

    Parameters
    ----------
    seconds : float
        How long each may take.

    Examples
    --------
    >>> async def wait(seconds: float) -> str:
    ...     try:
    ...         with Deadlines(0.01).limit():
    ...             await asyncio.sleep(seconds)
    ...     except TimeoutError:
    ...         return "too long"
    ...     return "in time"
    >>> asyncio.run(wait(0)), asyncio.run(wait(60))
    ('in time', 'too long')
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._under_way: dict[Limit, None] = {}  # the oldest first

    def limit(self) -> Limit:
        """A limit for the body of a ``with``, in which :class:`TimeoutError` is raised once it is over."""
        return Limit(self)

    def begin(self, limit: Limit) -> None:
        """Count from now."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the timer ended with the loop before
            self._loop, self._timer, self._under_way = loop, None, {}
        limit.ends = loop.time() + self.seconds
        self._under_way[limit] = None
        if self._timer is None:
            self._timer = loop.call_at(limit.ends, self._look)

    def end(self, limit: Limit) -> None:
        """Count no longer."""
        self._under_way.pop(limit, None)

    def _look(self) -> None:
        assert self._loop is not None
        now = self._loop.time()
        for limit in [limit for limit in self._under_way if limit.ends <= now]:
            limit.expire()
        oldest = next(iter(self._under_way), None)
        self._timer = None if oldest is None else self._loop.call_at(oldest.ends, self._look)


class Limit:
    """One limit under way."""

    __slots__ = ("_cancelling", "_deadlines", "_outer", "_task", "ends", "expired")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self.ends = 0.0
        self.expired = False

    def __enter__(self) -> Limit:
        task = asyncio.current_task()
        assert task is not None  # whoever awaits does so in a task
        self._task = task
        self._cancelling = task.cancelling()
        self._deadlines.begin(self)
        self._outer = _running.get(None)
        _running.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines.end(self)
        _running.set(self._outer)
        # As in asyncio.timeout: one who cancelled the task beside the limit is not to be overheard.
        if self.expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise self.late() from None

    def late(self) -> Exception:
        """What is raised when the time is over."""
        return TimeoutError()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Do not count meanwhile; afterwards begin anew."""
        self._deadlines.end(self)
        try:
            yield
        finally:
            if not self.expired:
                self._deadlines.begin(self)

    def expire(self) -> None:
        """Cancel what is awaited."""
        self._deadlines.end(self)
        self.expired = True
        self._task.cancel()


_running: ContextVar[Limit | None] = ContextVar("driftgate_limit")


@contextmanager
def off_the_clock() -> Iterator[None]:
    """Wait for something that may take hours: the innermost limit around it does not count meanwhile.

    Examples
    --------
    >>> async def wait() -> str:
    ...     with Deadlines(0.01).limit(), off_the_clock():
    ...         await asyncio.sleep(0.05)
    ...     return "in time"
    >>> asyncio.run(wait())
    'in time'
    """
    limit = _running.get(None)
    if limit is None:
        yield
        return
    with limit.suspended():
        yield
