"""Group commit: every writer waits for its own record, and one transaction serves many."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.recorder import Recorder
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, Record, open_ledger, outcome_frame

Samples = Callable[..., list[Sample]]
Add = Callable[..., Any]
Entry = Callable[..., Record]


async def test_one_transaction_serves_all_that_wait(ledger: Ledger, samples: Samples, add: Add, entry: Entry) -> None:
    commits = 0

    def count(_: Any) -> None:
        nonlocal commits
        commits += 1

    _, cell, ids = add(ledger, samples(100))
    event.listen(ledger.engine, "commit", count)
    recorder = Recorder(ledger)
    await asyncio.gather(*(recorder.record(entry(cell, number)) for number in ids.values()))
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["answered"] * 100
    assert 1 <= commits <= 3


async def test_a_record_that_returned_is_durable(
    location: str, ledger: Ledger, tmp_path: Path, samples: Samples, add: Add, entry: Entry
) -> None:
    _, cell, ids = add(ledger, samples(5))
    recorder = Recorder(ledger)
    other = open_ledger(location, tmp_path)
    for done, number in enumerate(ids.values(), start=1):
        await recorder.record(entry(cell, number))
        assert int((outcome_frame(other, cell)["outcome"] == "answered").sum()) == done
    other.close()


async def test_a_refused_batch_is_told_to_everyone_in_it(
    ledger: Ledger, samples: Samples, add: Add, entry: Entry
) -> None:
    _, cell, ids = add(ledger, samples(3))
    recorder = Recorder(ledger)
    bad = [entry(cell, 999_999), entry(cell, ids["q0"])]
    found = await asyncio.gather(*(recorder.record(one) for one in bad), return_exceptions=True)
    assert all(isinstance(problem, DriftgateError) for problem in found)
    await recorder.record(entry(cell, ids["q1"]))  # the recorder goes on
    assert list(outcome_frame(ledger, cell)["outcome"]) == ["missing", "answered", "missing"]


async def test_a_writer_that_is_cancelled_does_not_harm_the_batch(
    ledger: Ledger, samples: Samples, add: Add, entry: Entry
) -> None:
    _, cell, ids = add(ledger, samples(4))
    recorder = Recorder(ledger)
    tasks = [asyncio.create_task(recorder.record(entry(cell, number))) for number in ids.values()]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await recorder.drain()
    assert tasks[1].cancelled()
    assert [task.exception() for n, task in enumerate(tasks) if n != 1] == [None, None, None]
    frame = outcome_frame(ledger, cell)
    assert set(frame["outcome"][[0, 2, 3]]) == {"answered"}


async def test_draining_waits_for_what_is_being_written(
    ledger: Ledger, samples: Samples, add: Add, entry: Entry
) -> None:
    _, cell, ids = add(ledger, samples(50))
    recorder = Recorder(ledger)
    await recorder.drain()
    tasks = [asyncio.create_task(recorder.record(entry(cell, number))) for number in ids.values()]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await recorder.drain()
    assert set(outcome_frame(ledger, cell)["outcome"]) == {"answered"}


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
def test_what_was_recorded_outlives_a_process_that_is_killed(
    tmp_path: Path, samples: Samples, add: Add, entry: Entry
) -> None:
    import subprocess
    import sys

    ledger = open_ledger("ledger.db", tmp_path)
    _, cell, ids = add(ledger, samples(10))
    ledger.close()
    script = (
        "import asyncio, os, signal, sys, datetime, pathlib\n"
        "from driftgate.ledger import Record, open_ledger\n"
        "from driftgate.benchmarks.recorder import Recorder\n"
        "ledger = open_ledger('ledger.db', pathlib.Path(sys.argv[1]))\n"
        "now = datetime.datetime.now(datetime.UTC)\n"
        "async def main():\n"
        "    recorder = Recorder(ledger)\n"
        "    for number in map(int, sys.argv[3:]):\n"
        "        await recorder.record(Record(int(sys.argv[2]), number, 0, 'answered', 'A', 1.0, '', '', 'stop', 1, 1,"
        " 0.0, None, 0.1, '', '', 1, False, now))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    arguments = [str(tmp_path), str(cell), *(str(number) for number in list(ids.values())[:6])]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    again = open_ledger("ledger.db", tmp_path)
    assert list(outcome_frame(again, cell)["outcome"]) == ["answered"] * 6 + ["missing"] * 4
    again.close()
