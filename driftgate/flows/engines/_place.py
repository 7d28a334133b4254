"""The folder in which the tools of a flow work: the flow's own, as prompt flow runs them.

The working folder belongs to the whole process, in which several flows may be open and other threads read and write.
So it is the flow's while a tool runs, and no tool of another flow begins meanwhile. A tool in a thread has a folder for
itself where the system gives each thread one of its own; an async tool has it for each of its steps.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SOON = 0.005
"""Seconds after which an async tool looks again whether the tools of another flow are done."""
_CLONE_FS = 0x200
"""Source: ``linux/sched.h``; :func:`os.unshare` is there from Python 3.12 on."""
_AROUND: ContextVar[Path | None] = ContextVar("driftgate_place", default=None)


@dataclass
class _Turns:
    """Whose folder the process is in: any number of tools of one flow at a time."""

    _free: threading.Condition = field(default_factory=threading.Condition)
    _folder: Path | None = None
    _tools: int = 0
    _home: Path = field(default_factory=Path)

    def enter(self, folder: Path, *, wait: bool) -> bool:
        """Be in the folder, or, without waiting, say that the tools of another flow are not."""
        with self._free:
            while self._folder not in (None, folder):
                if not wait:
                    return False
                self._free.wait()
            if self._folder is None:
                self._home = Path.cwd()
                os.chdir(folder)
                self._folder = folder
            self._tools += 1
            return True

    def leave(self) -> None:
        """Go back once the last tool is done."""
        with self._free:
            self._tools -= 1
            if not self._tools:
                self._folder = None
                os.chdir(self._home)
                self._free.notify_all()


_TURNS = _Turns()
_threads = threading.local()


def _own_folder() -> bool:
    """Give this thread a working folder of its own, for good; False where the system has, or allows, none."""
    try:
        if sys.platform.startswith("linux"):
            return bool(ctypes.CDLL(None).unshare(_CLONE_FS) == 0)
    except (OSError, AttributeError):
        return False
    return False


@contextmanager
def in_a_thread(folder: Path | None) -> Iterator[None]:
    """Be in the folder for the body of a ``with`` in a thread that runs nothing but tools."""
    if folder is None:
        yield
        return
    if not hasattr(_threads, "own"):
        _threads.own = _own_folder()
    if _threads.own:
        os.chdir(folder)
        yield
        return
    _TURNS.enter(folder, wait=True)
    try:
        yield
    finally:
        _TURNS.leave()


async def stepping(work: Coroutine[Any, Any, Any], folder: Path | None) -> Any:
    """Await ``work``, each step of which, and of the tasks that it begins, is done in the folder."""
    if folder is None:
        return await work
    loop = asyncio.get_running_loop()
    if not isinstance(factory := loop.get_task_factory(), _Tasks):
        loop.set_task_factory(_Tasks(factory))
    before = _AROUND.set(folder)
    try:
        return await _Steps(work, folder)
    finally:
        _AROUND.reset(before)


@dataclass(frozen=True)
class _Tasks:
    """Makes the tasks of a loop; those that a tool begins work in its folder."""

    usual: Any

    def __call__(self, loop: asyncio.AbstractEventLoop, work: Any, **settings: Any) -> asyncio.Task[Any]:
        if (folder := _AROUND.get()) is not None:
            work = _in_steps(work, folder)
        made: asyncio.Task[Any]
        made = self.usual(loop, work, **settings) if self.usual else asyncio.Task(work, loop=loop, **settings)
        return made


async def _in_steps(work: Coroutine[Any, Any, Any], folder: Path) -> Any:
    return await _Steps(work, folder)


@dataclass(frozen=True)
class _Steps:
    work: Coroutine[Any, Any, Any]
    folder: Path

    def __await__(self) -> Generator[Any, Any, Any]:
        value: Any = None
        problem: BaseException | None = None
        while True:
            there = False
            try:
                while not (there := _TURNS.enter(self.folder, wait=False)):
                    yield from asyncio.sleep(_SOON).__await__()
            except BaseException as raised:  # cancelled while it waited: the tool is told, wherever it is
                problem = raised
            try:
                step = self.work.send(value) if problem is None else self.work.throw(problem)
            except StopIteration as done:
                return done.value
            finally:
                if there:
                    _TURNS.leave()
            try:
                value, problem = (yield step), None
            except GeneratorExit:
                self.work.close()
                raise
            except BaseException as raised:
                value, problem = None, raised
