"""Do jobs while this process leads: fire what is due, take over what the dead held, begin, watch, stop and end."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from driftgate.api.jobs import RESULTS, Job, JobKind
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Deposed, Lease
from driftgate.service.jobs._board import Board, Ending
from driftgate.service.jobs._process import Output, Process, start

log = logging.getLogger(__name__)
_T = TypeVar("_T")

PROGRAM = (sys.executable, "-P", "-m", "driftgate")
"""-P: a json.py where the service was started is not the library's."""
Span = Callable[[str, datetime], AbstractContextManager[Callable[[int], None]]]
"""What is told of a job while it goes on: its name, when it was due, and, by what it gives, its exit code."""
Upkeep = Callable[[], None]

_TURN = 1.0
_SCHEDULE_EVERY, _LOOK_EVERY, _OUTPUT_EVERY, _UPKEEP_EVERY, _PRUNE_EVERY = 5.0, 2.0, 5.0, 30.0, 3600.0
_TURN_SECONDS, _FINISH_SECONDS, _TERM_SECONDS, _KILL_SECONDS = 1.5, 2.0, 2.5, 1.0
"""At the end of the service: for a turn to end, for jobs to finish, to end when asked to, to be gone when killed."""
_CANCEL_SECONDS = 10.0
"""For a job that is cancelled or late to end when asked to."""
_RETRY_SECONDS = 2.0


def _now() -> datetime:
    return datetime.now(UTC)


def _unseen(name: str, due_at: datetime) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda code: None)


@dataclass
class _Task:
    """A job under way in this process."""

    job: Job
    process: Process | None = None
    stop: str = ""
    """Why it is being stopped: ``cancelled``, ``late``, ``handed over``, ``lost``."""
    who: str = ""
    task: asyncio.Task[None] | None = None

    def output(self) -> Output:
        """What it has printed so far."""
        return self.process.tail.kept() if self.process is not None else Output("")

    def stop_for(self, why: str, who: str = "") -> None:
        """Ask it to end, and kill it when it does not."""
        if not self.stop:
            self.stop, self.who = why, who
            if self.process is not None:
                self.process.ask_to_end()
                asyncio.get_running_loop().call_later(_CANCEL_SECONDS, self.process.kill)


@dataclass
class Runner:
    """Does the jobs of a workspace while this process holds the lease.

    Parameters
    ----------
    board : Board
        The table of jobs.
    folder : Path
        The workspace.
    at_once : int
        How many jobs are done at a time.
    now : callable
        The wall clock; it may be set back or forward meanwhile.
    program : sequence of str
        What a kind's arguments are given to.
    span : callable
        Told of each job.
    upkeep : callable
        Called now and then by the leader, off the event loop.
    """

    board: Board
    folder: Path
    at_once: int = 4
    now: Callable[[], datetime] = _now
    program: Sequence[str] = PROGRAM
    span: Span = _unseen
    upkeep: Upkeep = lambda: None
    leading: bool = False
    _tasks: dict[str, _Task] = field(default_factory=dict)
    _loop: asyncio.Task[None] | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # One thread: what is written about jobs is written in turn, and waits for nothing else that the service does.
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="jobs"))
    _last: dict[str, float] = field(default_factory=dict)
    _renewed: float = 0.0
    _settled: float = 0.0
    _trouble: str = ""

    @property
    def lease(self) -> Lease:
        """The right to do jobs."""
        return self.board.lease

    def start(self) -> None:
        """Begin on the running event loop."""
        self._loop = asyncio.create_task(self._go_on(), name="jobs")

    async def stop(self) -> None:
        """Finish what ends by itself in a moment, hand the rest over, leave no process, and let another lead."""
        self._stopping.set()
        if self._loop is not None:
            await asyncio.wait([self._loop], timeout=_TURN_SECONDS)
        await self._finished(_FINISH_SECONDS)
        for one in self._tasks.values():
            one.stop_for("handed over")
        await self._finished(_TERM_SECONDS)
        self._kill("handed over")
        await self._finished(_KILL_SECONDS)
        if self.leading:
            try:
                await asyncio.wait_for(self._off(self.lease.release), _KILL_SECONDS)
            except (DriftgateError, TimeoutError):
                log.warning("the lease of jobs could not be given back; another process takes it over in a while")
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _finished(self, seconds: float) -> None:
        if under_way := [one.task for one in self._tasks.values() if one.task is not None]:
            await asyncio.wait(under_way, timeout=seconds)

    async def _off(self, do: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(do, *arguments))

    async def _go_on(self) -> None:
        watching = asyncio.create_task(self._watch())
        while not self._stopping.is_set():
            try:
                await self._turn()
            except Deposed:
                self._depose()
            except Exception as problem:  # whatever it is, the next turn is not to be lost with this one
                if str(problem) != self._trouble:
                    log.exception("jobs could not be looked after; it is tried again and again")
                self._trouble = str(problem)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(_TURN, self.lease.seconds / 4))
        watching.cancel()

    def _is_time(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if what in self._last and now - self._last[what] < every:
            return False
        self._last[what] = now
        return True

    async def _turn(self) -> None:
        if self._is_time("beat", self.lease.seconds / 4):
            if not await self._off(self.lease.acquire):
                self._depose()
                return
            self._renewed, self._trouble = time.monotonic(), ""
            if not self.leading:
                log.info("this process does the jobs now")
                self.leading = True
                # Who led before may live and not know yet that it leads no longer: it finds out with its next beat,
                # and ends what it has under way.
                self._settled = self._renewed + (self.lease.seconds / 3 if self.lease.taken_over else 0.0)
                self._last = {"beat": self._renewed}
        if not self.leading:
            return
        now = self.now()
        if self._is_time("schedule", _SCHEDULE_EVERY):
            await self._off(self.board.fire, now)
        if time.monotonic() < self._settled:
            return
        if self._is_time("recovery", _UPKEEP_EVERY):
            await self._off(self.board.recover, list(self._tasks))
        await self._begin(now)
        await self._look_after(now)
        if self._is_time("upkeep", _UPKEEP_EVERY):
            await self._off(self.upkeep)
        if self._is_time("prune", _PRUNE_EVERY):
            await self._off(self.board.prune, now)

    async def _begin(self, now: datetime) -> None:
        names = [one.job.name for one in self._tasks.values()]
        for job in await self._off(self.board.begin, names, self.at_once - len(names), now):
            one = _Task(job)
            self._tasks[job.id] = one
            one.task = asyncio.create_task(self._do(one, self.board.kinds[job.name]), name=job.id)
            one.task.add_done_callback(lambda _, id=job.id: self._tasks.pop(id, None))  # type: ignore[misc]

    async def _look_after(self, now: datetime) -> None:
        if not self._tasks or not self._is_time("look", _LOOK_EVERY):
            return
        for id, who in (await self._off(self.board.seen, list(self._tasks), now)).items():
            if id in self._tasks:
                self._tasks[id].stop_for("cancelled", who)
        if self._is_time("output", _OUTPUT_EVERY):
            for id, one in list(self._tasks.items()):
                await self._off(lambda id=id, one=one: self.board.keep_output(id, one.output()))

    async def _do(self, one: _Task, kind: JobKind) -> None:
        job = one.job
        log.info("job %s begins", job.id)
        try:
            with self.span(job.name, job.due_at) as told:
                ending = await self._run(one, kind)
                if ending is not None and ending.exit_code is not None:
                    told(ending.exit_code)
        except Exception as problem:
            log.exception("job %s failed", job.id)
            ending = Ending("failed", None, f"{type(problem).__name__}: {problem}")
        while one.stop != "lost":
            try:
                await self._off(self._keep, one, ending)
                return
            except Deposed:
                break
            except DriftgateError:
                if self._stopping.is_set():
                    log.exception("how job %s ended could not be kept; whoever leads next begins it again", job.id)
                    return
                log.exception("how job %s ended could not be kept; it is tried again", job.id)
                await asyncio.sleep(_RETRY_SECONDS)
        log.warning("job %s is another process's by now", job.id)

    async def _run(self, one: _Task, kind: JobKind) -> Ending | None:
        """How it ended; None where it did not, and another process is to go on with it."""
        program = [*self.program, *kind.command, "--workspace", str(self.folder)]
        one.process = process = await start(program, os.environ)
        if one.stop:
            process.kill()
        late = asyncio.get_running_loop().call_later(kind.max_seconds, one.stop_for, "late")
        try:
            code = await process.wait()
        finally:
            late.cancel()
        if code in RESULTS:  # its work was done, whatever was asked of it meanwhile
            return Ending("done", code, "")
        match one.stop:
            case "cancelled":
                return Ending("cancelled", code, f"cancelled by {one.who}")
            case "late":
                return Ending("failed", code, f"it was stopped after {kind.max_seconds / 3600:g} hours")
            case "handed over" | "lost":
                return None
            case _ if code < 0:
                return Ending("failed", code, f"signal {-code} ended its process")
            case _:
                return Ending("failed", code, (await self._off(one.output)).last_line[:300])

    def _keep(self, one: _Task, ending: Ending | None) -> None:
        if ending is None:
            self.board.hand_over(one.job, one.output())
            return
        job = self.board.end(one.job.id, ending, one.output())
        log.info("job %s ended: %s", job.id, job.result)

    def _depose(self) -> None:
        """Another process leads: what is under way here is that one's to do."""
        if self.leading:
            log.warning("another process does the jobs now")
        self.leading = False
        self._kill("lost")

    def _kill(self, why: str) -> None:
        for one in self._tasks.values():
            one.stop = one.stop or why
            if one.process is not None:
                one.process.kill()

    async def _watch(self) -> None:
        """End what is under way where it cannot be told any more whether this process leads: another may do it too.

        A write may wait for a long one of somebody else on SQLite, and is no reason: who leads is read then.
        """
        while True:
            await asyncio.sleep(self.lease.seconds / 4)
            if self.leading and time.monotonic() - self._renewed > self.lease.seconds:
                try:
                    mine = await asyncio.wait_for(asyncio.to_thread(self.lease.is_mine), self.lease.seconds / 3)
                except (DriftgateError, TimeoutError):
                    mine = False
                if not mine:
                    self._depose()
