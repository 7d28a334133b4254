"""How long the service's event loop stands still while it looks after jobs: ``python -m benchmarks.perf.jobs_loop``.

A hundred schedules in a hundred time zones, of which all were last due a year ago, are computed again and again, and
sixty short jobs are done, four at a time. Beside it the same of a loop that does nothing: what the machine itself does.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from driftgate.api.jobs import JobKind, Schedule, ask_for, list_jobs
from driftgate.api.jobs._tables import schedules
from driftgate.ledger import Lease, open_ledger
from driftgate.service.jobs import Board, Runner

CRONS = ("0 3 29 2 *", "30 2 * * 0", "0 0 1 1 *", "*/10 2 13 * 5", "15 4 31 12 *")


async def longest(seconds: float) -> float:
    """The longest that the loop stood still, in seconds."""
    found, end = 0.0, time.perf_counter() + seconds
    while (before := time.perf_counter()) < end:
        await asyncio.sleep(0.005)
        found = max(found, time.perf_counter() - before - 0.005)
    return found


async def measure(folder: Path, seconds: float) -> None:
    """Measure both."""
    print(f"a loop that does nothing stands still for at most {await longest(seconds) * 1000:.0f} ms")
    zones = sorted(zoneinfo.available_timezones())[:: len(zoneinfo.available_timezones()) // 100][:100]
    kinds = {
        f"job{n}": JobKind(f"job{n}", ("pass",), Schedule(CRONS[n % len(CRONS)], zone, "skip"), 60.0)
        for n, zone in enumerate(zones)
    }
    ledger = open_ledger("ledger.db", folder)
    board = Board(Lease(ledger, "jobs"), kinds)
    assert board.lease.acquire()
    board.fire(datetime.now(UTC))
    with ledger.write() as connection:
        connection.execute(update(schedules).values(since=datetime.now(UTC) - timedelta(days=366)))
    board.lease.release()
    for n in range(60):
        ask_for(ledger, f"job{n}", "perf")
    runner = Runner(board, folder, program=(sys.executable, "-c"))
    runner.start()
    found = await longest(seconds)
    await runner.stop()
    done = len(list_jobs(ledger, 1000, states=["done", "failed"]))
    missed = len(list_jobs(ledger, 1000, states=["missed"]))
    print(f"with {done} jobs done and {missed} schedules of a year let go: at most {found * 1000:.0f} ms")
    ledger.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(measure(Path(made), parser.parse_args().seconds))
