"""Wait for async work from where a person is: a command, or a notebook whose own event loop is running."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


def wait_for(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` to its end and return what it returns; an interrupt cancels it first.

    Where this thread's event loop is running already, as in a notebook, the work gets a loop and a thread of its own.

    Examples
    --------
    >>> async def answer() -> int:
    ...     return 42
    >>> async def in_a_notebook() -> int:
    ...     return wait_for(answer())
    >>> wait_for(answer()), asyncio.run(in_a_notebook())
    (42, 42)
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    thread: _InAThread[Result] = _InAThread(work)
    return thread.wait()


class _InAThread(Generic[Result]):
    """A coroutine that runs on another thread's loop."""

    def __init__(self, work: Coroutine[Any, Any, Result]) -> None:
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._found: Result
        self._problem: BaseException | None = None

    def wait(self) -> Result:
        thread = threading.Thread(target=copy_context().run, args=(self._run,), name="driftgate")
        thread.start()
        try:
            thread.join()
        except BaseException:
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
            thread.join()
            raise
        if self._problem is not None:
            raise self._problem
        return self._found

    def _run(self) -> None:
        async def main() -> None:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.ensure_future(self._work)
            self._found = await self._task

        try:
            asyncio.run(main())
        except BaseException as problem:
            self._problem = problem
