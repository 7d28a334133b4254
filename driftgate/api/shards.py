"""A run divided over processes: each asks its share into the one ledger, and the run is ended by who divided it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from driftgate.api import session
from driftgate.api._waiting import wait_for
from driftgate.api.bench import Begun
from driftgate.api.prices import kept_prices, with_prices
from driftgate.benchmarks.progress import Unseen
from driftgate.benchmarks.runner import add_cells, run_share
from driftgate.benchmarks.shards import Share
from driftgate.benchmarks.suite import JUDGES, MODELS
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, set_status

MOST = 64
"""Processes, at most."""
_LEFT = 3
"""Exit code of a share whose run is no more."""
_PATIENCE = 30.0
"""Seconds that the processes are given to end when the run is stopped."""


@dataclass(frozen=True)
class _Ended:
    """How the process of a share ended."""

    share: Share
    code: int
    said: dict[str, Any]
    """The cost, or the problem and its remedy; empty where it could say nothing."""

    @property
    def problem(self) -> str:
        """Why it did not do its share; empty where it did."""
        if self.code == 0 and "spent" in self.said:
            return ""
        if self.said.get("message"):
            return str(self.said["message"])
        how = f"killed by signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        return f"the process of shard {self.share.place} of {self.share.of} ended before its share was done ({how})"


def check_shards(begun: Begun, shards: int) -> None:
    """Refuse what cannot be divided.

    Raises
    ------
    DriftgateError
        There are too many processes, or the run waits for batches or may be stopped by its gate.
    """
    if not 1 <= shards <= MOST:
        raise DriftgateError(f"a run cannot be divided over {shards} processes", f"name 1 to {MOST}")
    if shards > 1 and begun.planned.suite.delivery == "batch":
        raise DriftgateError("a run that is delivered in batches is not divided", "leave out --shards")
    if shards > 1 and session.looks_of(begun.run) is not None:
        raise DriftgateError("a run that its gate may stop is not divided", "leave out --shards or --sequential")


def ask_in_shards(
    folder: Path,
    ledger: Ledger,
    begun: Begun,
    shards: int,
    *,
    retry_failed: bool = False,
    cache: bool | None = None,
    tell: Callable[[str], None] = lambda words: None,
) -> Begun:
    """Have processes ask the run's samples; what is left to do is to aggregate and end it.

    Returns
    -------
    Begun
        The run with what is left of its limits.

    Raises
    ------
    DriftgateError
        A process ended before its share was done; the ledger is intact and the run can be resumed.
    """
    try:
        check_shards(begun, shards)
    except DriftgateError as problem:
        set_status(ledger, begun.run.id, "stopped", problem.message)
        raise
    begin = time.monotonic()
    set_status(ledger, begun.run.id, "running")
    add_cells(ledger, begun.run, begun.planned.cells)
    flags = [
        *(["--retry-failed"] if retry_failed else []),
        *([] if cache is None else ["--cache" if cache else "--no-cache"]),
    ]
    command = [sys.executable, "-P", "-m", "driftgate", "bench", "--run", begun.run.id, "-w", str(folder), *flags]
    shares = [Share(place, shards) for place in range(1, shards + 1)]
    started = [(share, _start([*command, "--shard", f"{share.place}/{share.of}"])) for share in shares]
    try:
        ended = [_wait(share, process, tell) for share, process in started]
    except BaseException:
        _stop([process for _, process in started])
        set_status(ledger, begun.run.id, "interrupted", "stopped by the user")
        raise
    undone = [one for one in ended if one.problem]
    if undone:
        set_status(ledger, begun.run.id, "stopped", undone[0].problem)
        remedies = dict.fromkeys(str(one.said.get("remedy") or "") for one in undone)
        problems = "; ".join(dict.fromkeys(one.problem for one in undone))
        how = "; ".join(filter(None, remedies))
        go_on = f"go on with: {begun.resume} --shards {shards}"
        raise DriftgateError(problems, f"{how}, then {go_on}" if how else go_on)
    spent, minutes = sum(float(one.said["spent"]) for one in ended), (time.monotonic() - begin) / 60
    return with_left(begun, spent, minutes)


def with_left(begun: Begun, spent: float, minutes: float) -> Begun:
    """A run with what is left of its suite's limits after others asked its samples."""
    suite = begun.planned.suite
    left = {
        "max_cost": None if suite.max_cost is None else max(suite.max_cost - spent, 0.0),
        "max_minutes": None if suite.max_minutes is None else max(suite.max_minutes - minutes, 1e-3),
    }
    return replace(begun, planned=replace(begun.planned, suite=suite.model_copy(update=left)))


def ask_share(ledger: Ledger, begun: Begun, share: str, *, retry_failed: bool = False) -> int:
    """Ask one share, say on standard output what it cost or why it was not done, and return the exit code.

    It stops when standard input ends: then who divided the run is no more.
    """
    try:
        spent = wait_for(_while_asked_for(_asked(ledger, begun, Share.parse(share), retry_failed=retry_failed)))
    except asyncio.CancelledError:
        return _LEFT
    except DriftgateError as problem:
        print(json.dumps({"message": problem.message, "remedy": problem.remedy}))
        return 2
    print(json.dumps({"spent": spent}))
    return 0


async def _asked(ledger: Ledger, begun: Begun, share: Share, *, retry_failed: bool) -> float:
    """As :func:`session.work`, of a share; what it cost."""
    run, planned = begun.run, begun.planned
    try:
        cells = with_prices(planned.cells, kept_prices(run, MODELS), kept_prices(run, JUDGES))
        budget = await run_share(
            ledger, run, planned.suite, cells, begun.models, Unseen(), share, retry_failed=retry_failed
        )
    finally:
        await session.close(ledger, planned, begun.models)
    return budget.spent


async def _while_asked_for(work: Awaitable[float]) -> float:
    """Do the work until standard input ends.

    No signal would do: what a shell starts in the background ignores an interrupt, and so do its processes.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def watch(stream: IO[str] | None) -> None:
        with suppress(OSError, ValueError):
            while stream is not None and stream.read(1):
                pass
        with suppress(RuntimeError):  # the loop is closed: the work is done
            loop.call_soon_threadsafe(task.cancel)

    threading.Thread(target=watch, args=(sys.stdin,), daemon=True).start()
    return await work


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def _wait(share: Share, process: subprocess.Popen[str], tell: Callable[[str], None]) -> _Ended:
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    code = process.wait()
    said: dict[str, Any] = {}
    with suppress(ValueError, IndexError):
        said = json.loads(lines[-1])
    ended = _Ended(share, code, said)
    tell(f"shard {share.place} of {share.of}: {ended.problem or 'done'}")
    return ended


def _stop(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
    until = time.monotonic() + _PATIENCE
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
