"""Threads for tools that block: bounded in number, and never in the way of the end of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any

_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


@dataclass
class ToolThreads:
    """At most ``limit`` daemon threads; one whose caller gave up no longer counts, and ends once its tool does.

    ``concurrent.futures`` joins its threads when the interpreter ends, so that a tool that hangs would hang the
    process.
    """

    limit: int = 16
    _jobs: SimpleQueue[_Job | None] = field(default_factory=SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _working: dict[asyncio.Future[Any], bool] = field(default_factory=dict)
    _threads: int = 0
    _idle: int = 0
    _waiting: int = 0

    async def run(self, call: Callable[[], Any]) -> Any:
        """Call in a thread, in a copy of the caller's context; raises what the call raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            self._jobs.put((loop, done, partial(copy_context().run, call)))
            self._waiting += 1
            if self._idle < self._waiting and self._threads < self.limit:
                self._threads += 1
                threading.Thread(target=self._serve, name="driftgate-tool", daemon=True).start()
        try:
            return await done
        except asyncio.CancelledError:
            with self._lock:
                if done in self._working:  # the tool goes on: its thread is left behind
                    self._working[done] = False
                    self._threads -= 1
            raise

    def close(self) -> None:
        """End the threads that have nothing to do; the others end after their tool."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
                if job is None:
                    return
                self._waiting -= 1
                loop, done, call = job
                if done.cancelled():
                    continue
                self._working[done] = True
            outcome = _outcome_of(call)
            with self._lock:
                wanted = self._working.pop(done)
            if not wanted:
                return
            try:
                loop.call_soon_threadsafe(_settle, done, *outcome)
            except RuntimeError:  # the loop was closed meanwhile
                return


def _outcome_of(call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return call(), None
    except StopIteration as problem:  # cannot be set on a future
        return None, RuntimeError(f"the tool raised StopIteration: {problem}")
    except BaseException as problem:
        return None, problem


def _settle(done: asyncio.Future[Any], value: Any, problem: BaseException | None) -> None:
    if done.done():
        return
    if problem is None:
        done.set_result(value)
    else:
        done.set_exception(problem)
