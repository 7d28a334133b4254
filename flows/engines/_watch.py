"""One clock for all nodes under way: each has the same time, so the oldest is the first to be late."""

from __future__ import annotations

import asyncio
from types import TracebackType

from flows.errors import DriftgateError


class NodeTimedOut(DriftgateError):
    """A node did not end within its time."""


class NodeWatch:
    """Cancels nodes that take longer than ``timeout`` seconds.

    ``asyncio.timeout`` puts a timer on the loop's heap for every node of every line; this one keeps a single timer,
    for the oldest node.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._under_way: dict[_Watched, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def node(self, name: str) -> _Watched:
        """A context manager for the body of a node; it raises :class:`NodeTimedOut`."""
        return _Watched(self, name)

    def _add(self, one: _Watched) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._timer = loop, None
            self._under_way.clear()
        deadline = loop.time() + self.timeout
        self._under_way[one] = deadline
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._look)

    def _look(self) -> None:
        assert self._loop is not None
        self._timer = None
        now = self._loop.time()
        for one, deadline in list(self._under_way.items()):
            if deadline > now:
                self._timer = self._loop.call_at(deadline, self._look)
                return
            del self._under_way[one]
            one.cancel()


class _Watched:
    __slots__ = ("_cancelling", "_late", "_name", "_task", "_watch")

    def __init__(self, watch: NodeWatch, name: str) -> None:
        self._watch = watch
        self._name = name
        self._late = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task: asyncio.Task[object] = task
        self._cancelling = task.cancelling()
        self._watch._add(self)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._late:
            self._watch._under_way.pop(self, None)
            return
        if self._task.uncancel() <= self._cancelling and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise NodeTimedOut(
                f"node '{self._name}' did not end within {self._watch.timeout:g} s",
                "mend the tool, or raise node_timeout in the suite",
            ) from None

    def cancel(self) -> None:
        self._late = True
        self._task.cancel()
