"""Jobs as processes: how they end, are stopped, handed over and taken over."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from driftgate.api.jobs import LEAD, JobKind, ask_for, cancel, find_job, job_history
from driftgate.ledger import Lease, Ledger, open_ledger
from driftgate.service.jobs import Board, Runner

PROGRAM = (sys.executable, str(Path(__file__).parents[2] / "support" / "job_program.py"))
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger("ledger.db", tmp_path)


def kinds(*each: str) -> dict[str, JobKind]:
    """``NAME WHAT MORE…``: a job by that name whose program is told the rest."""
    made = [JobKind(one.split()[0], tuple(one.split()), None, 60.0) for one in each]
    return {one.name: one for one in made}


@asynccontextmanager
async def running(ledger: Ledger, folder: Path, named: dict[str, JobKind]) -> AsyncIterator[Runner]:
    runner = Runner(Board(Lease(ledger, LEAD, seconds=2.0), named), folder, program=PROGRAM)
    runner.start()
    try:
        yield runner
    finally:
        await runner.stop()


async def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    for _ in range(int(seconds * 20)):
        if await asyncio.to_thread(true):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to it")


def lines(folder: Path, word: str) -> int:
    file = folder / "log.txt"
    return file.read_text("utf-8").count(word) if file.exists() else 0


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


async def test_how_each_ends_and_what_it_printed_without_secrets(ledger: Ledger, tmp_path: Path) -> None:
    named = kinds("good 0", "bad 1", "broken 2", "blind 4", "killed sleep60")
    async with running(ledger, tmp_path, named) as runner:
        runner.at_once = 9
        asked = {name: ask_for(ledger, name, "kim")[0] for name in named}
        await until(lambda: lines(tmp_path, "begin killed") == 1)
        os.killpg(runner._tasks[asked["killed"].id].process.process.pid, signal.SIGKILL)  # type: ignore[union-attr]
        await until(lambda: all(find_job(ledger, job.id).ended for job in asked.values()))
    ended = {name: find_job(ledger, job.id) for name, job in asked.items()}
    assert {name: (job.state, job.exit_code, job.result) for name, job in ended.items()} == {
        "good": ("done", 0, "good"),
        "bad": ("done", 1, "bad"),
        "broken": ("failed", 2, "error"),
        "blind": ("done", 4, "unmeasurable"),
        "killed": ("failed", -9, "error"),
    }
    assert ended["killed"].reason == "signal 9 ended its process"
    found = job_history(ledger, asked["broken"].id)
    assert "broken works\nkey=(secret) of <EMAIL_ADDRESS> red" in found.output
    assert found.job.reason == "key=(secret) of <EMAIL_ADDRESS> red"


async def test_cancelled_and_late_ones_are_stopped_with_all_they_started(ledger: Ledger, tmp_path: Path) -> None:
    named = kinds("long sleep60 child", "late sleep60")
    named["late"] = JobKind("late", ("late", "sleep60"), None, 0.5)
    async with running(ledger, tmp_path, named):
        long, late = ask_for(ledger, "long", "kim")[0], ask_for(ledger, "late", "kim")[0]
        await until(lambda: (tmp_path / "child.txt").exists() and lines(tmp_path, "begin long") == 1)
        await until(lambda: (tmp_path / "child.txt").read_text() != "")
        child = int((tmp_path / "child.txt").read_text())
        assert lives(child)
        cancel(ledger, long.id, "lee")
        await until(lambda: find_job(ledger, long.id).ended and find_job(ledger, late.id).ended)
        await until(lambda: not lives(child))
    assert (find_job(ledger, long.id).state, find_job(ledger, long.id).reason) == ("cancelled", "cancelled by lee")
    assert (find_job(ledger, late.id).state, find_job(ledger, late.id).exit_code) == ("failed", -15)
    assert "it was stopped after" in find_job(ledger, late.id).reason


async def test_the_end_of_the_service_finishes_what_is_short_and_hands_over_the_rest(
    ledger: Ledger, tmp_path: Path
) -> None:
    named = kinds("short sleep1", "long sleep60", "deaf sleep60 deaf")
    async with running(ledger, tmp_path, named):
        asked = {name: ask_for(ledger, name, "kim")[0].id for name in named}
        await until(lambda: lines(tmp_path, "begin") == 3)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    states = {name: find_job(ledger, id).state for name, id in asked.items()}
    assert states == {"short": "done", "long": "waiting", "deaf": "waiting"}
    assert lines(tmp_path, "end") == 1
    next_one = Lease(ledger, LEAD, seconds=60)
    assert next_one.acquire()  # at once


async def test_the_event_loop_goes_on_while_jobs_are_looked_after(ledger: Ledger, tmp_path: Path) -> None:
    longest = 0.0

    async def measure() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - before)

    async with running(ledger, tmp_path, kinds("one sleep1", "two 0")):
        measuring = asyncio.create_task(measure())
        with ledger.write() as connection:  # somebody writes for long: nothing can be written about jobs
            connection.exec_driver_sql("CREATE TABLE held (x INTEGER)")
            await asyncio.sleep(1.5)
        ask_for(ledger, "one", "kim")
        await until(lambda: lines(tmp_path, "end") == 1)
        measuring.cancel()
    assert longest < 1.0  # busy machines; benchmarks/perf measures it


SERVE = """
import asyncio, sys
from pathlib import Path
from driftgate.api.jobs import JobKind
from driftgate.ledger import open_ledger
from driftgate.ledger import Lease
from driftgate.api.jobs import LEAD
from driftgate.service.jobs import Board, Runner

async def main():
    folder = Path(sys.argv[1])
    kind = JobKind("work", ("work", sys.argv[2]), None, 60.0)
    runner = Runner(Board(Lease(open_ledger("ledger.db", folder), LEAD, seconds=1.0), {"work": kind}), folder,
                    program=sys.argv[3:])
    runner.start()
    await asyncio.sleep(60)

asyncio.run(main())
"""


def serve(folder: Path, what: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SERVE, str(folder), what, *PROGRAM], start_new_session=True)


@pytest.mark.core
async def test_a_killed_leaders_job_dies_with_it_and_is_done_by_the_next(ledger: Ledger, tmp_path: Path) -> None:
    job, _ = ask_for(ledger, "work", "kim")
    leader = serve(tmp_path, "sleep60")
    try:
        await until(lambda: lines(tmp_path, "begin") == 1)
        follower = serve(tmp_path, "sleep0")
        try:
            await asyncio.sleep(1.0)
            os.killpg(leader.pid, signal.SIGKILL)
            await until(lambda: find_job(ledger, job.id).ended)
        finally:
            follower.kill()
    finally:
        leader.kill()
    found = job_history(ledger, job.id)
    assert (found.job.state, found.job.attempts) == ("done", 2)
    assert [event.what for event in found.events] == ["asked", "begun", "lost", "begun", "ended"]
    assert (lines(tmp_path, "begin"), lines(tmp_path, "end")) == (2, 1)  # the first never came to its end


async def test_who_is_silent_for_too_long_and_wakes_ends_what_it_has_under_way(ledger: Ledger, tmp_path: Path) -> None:
    job, _ = ask_for(ledger, "work", "kim")
    leader = serve(tmp_path, "sleep20")
    try:
        await until(lambda: lines(tmp_path, "begin") == 1)
        os.kill(leader.pid, signal.SIGSTOP)
        successor = Lease(ledger, LEAD, seconds=0.7)
        await until(lambda: successor.acquire())
        board = Board(successor, kinds("work sleep20"))
        assert [one.id for one in board.recover(())] == [job.id]
        os.kill(leader.pid, signal.SIGCONT)
        (begun,) = board.begin((), 1, job.due_at)
        for _ in range(10):
            await asyncio.sleep(0.3)
            assert successor.acquire()
    finally:
        leader.kill()
    now = find_job(ledger, job.id)
    assert (now.state, now.holder, now.fence) == ("running", successor.holder, begun.fence)
    assert lines(tmp_path, "end") == 0
