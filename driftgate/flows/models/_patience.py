"""Waits for models that can all be ended at once, as when a suite's time or money is used up."""

from __future__ import annotations

import asyncio
from types import TracebackType

from driftgate.flows.models._errors import WaitEnded


class Patience:
    """How long models are waited for: until it is lost.

    A wait is a pause before another attempt, the time a service asks for, or a place in the queue. A request that is
    under way is no wait: it is paid for, and has a time limit of its own.

    Examples
    --------
    >>> async def wait(seconds: float) -> str:
    ...     patience = Patience()
    ...     asyncio.get_running_loop().call_later(0.01, patience.lose, "time is up")
    ...     try:
    ...         with patience.wait():
    ...             await asyncio.sleep(seconds)
    ...     except WaitEnded as ended:
    ...         return ended.message
    ...     return "in time"
    >>> asyncio.run(wait(0)), asyncio.run(wait(60))
    ('in time', 'time is up')
    """

    def __init__(self) -> None:
        self.lost = ""
        """Why, in words; empty while there is patience."""
        self._waits: dict[Wait, None] = {}

    def wait(self) -> Wait:
        """A wait for the body of a ``with``, in which :class:`WaitEnded` is raised once patience is lost."""
        return Wait(self)

    def lose(self, why: str) -> None:
        """End every wait, now and from now on."""
        self.lost = self.lost or why
        for wait in list(self._waits):
            wait.end()

    def begin(self, wait: Wait) -> None:
        """Know of a wait.

        Raises
        ------
        WaitEnded
            There is no patience left.
        """
        if self.lost:
            raise WaitEnded(self.lost)
        self._waits[wait] = None

    def forget(self, wait: Wait) -> None:
        """It is over."""
        self._waits.pop(wait, None)


class Wait:
    """One wait."""

    __slots__ = ("_cancelling", "_patience", "_task", "ended")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.ended = False

    def __enter__(self) -> Wait:
        task = asyncio.current_task()
        assert task is not None  # whoever awaits does so in a task
        self._task, self._cancelling = task, task.cancelling()
        self._patience.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patience.forget(self)
        # As in asyncio.timeout: one who cancelled the task beside it is not to be overheard.
        if self.ended and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise WaitEnded(self._patience.lost) from None

    def end(self) -> None:
        """Cancel what is awaited."""
        self._patience.forget(self)
        self.ended = True
        self._task.cancel()
