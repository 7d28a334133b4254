"""kill -9 during ingest and compaction: what was acknowledged is there, once, with what was told of it apart."""

from __future__ import annotations

import itertools
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import otlp_bodies as otlp
import pytest
import requests

from driftgate.monitor.telemetry import Store, frame

TOKEN = {"authorization": "Bearer of-the-test", "content-type": otlp.JSON}
LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
BATCH = 10
PART = re.compile(r"calls-(\d{8})-(\d{8})\.parquet")


@dataclass
class Acknowledged:
    """Numbers of spans, and of spans with a log record of their answer, that a receiver said it had."""

    spans: set[int] = field(default_factory=set)
    logs: set[int] = field(default_factory=set)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self, numbers: range, *, of_logs: bool) -> None:
        with self.guard:
            (self.logs if of_logs else self.spans).update(numbers)


def ingest_until_killed(
    folder: Path, told: Path, first: int, had: Acknowledged, enough: int, delay: Callable[[], float]
) -> None:
    """Send spans from ``first`` on, and log records of them, from four clients, and kill the receiver in the middle."""
    before = len(had.spans)
    program = Path(__file__).with_name("receiver_process.py")
    process = subprocess.Popen([sys.executable, program, folder, told, "0.05"], cwd=ROOT)

    def feed(start: int) -> None:
        session = requests.Session()
        session.headers.update(TOKEN)
        url = f"http://127.0.0.1:{told.read_text()}/v1/"
        for number in itertools.count(start, BATCH):
            numbers = range(number, number + BATCH)
            logs = otlp.logs_body(*(otlp.log(n, "gen_ai.choice", {"message": {"content": "A" * 9}}) for n in numbers))
            spans = otlp.body(*(otlp.span(n, CHAT) for n in numbers))
            try:
                for path, body in (("logs", logs), ("traces", spans)):
                    if session.post(url + path, body, timeout=60).ok:
                        had.take(numbers, of_logs=path == "logs")
                    session.post(url + path, body, timeout=60)  # again, as after a lost reply
            except requests.RequestException:
                return

    try:
        while not told.exists():
            assert process.poll() is None
            time.sleep(0.02)
        clients = [threading.Thread(target=feed, args=(first + 10_000 * client,)) for client in range(4)]
        for client in clients:
            client.start()
        until = time.monotonic() + 120
        while len(had.spans) - before < enough:
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.01)
        time.sleep(delay())
    finally:
        process.kill()
        process.wait()
    for client in clients:
        client.join()


def within_compaction(folder: Path) -> bool:
    """Whether a kill left a compaction half done: a file half written, or one that is there beside what it is of."""
    if list(folder.glob("*/*.unfinished")):
        return True
    segments = {int(path.stem) for path in (folder / "spool").glob("*.spool")}
    for day in folder.glob("????-??-??"):
        spans = [(int(one), int(two)) for one, two in PART.findall("\n".join(path.name for path in day.iterdir()))]
        if segments & {one for one, _ in spans}:
            return True
        if any(a != b and a[0] <= b[0] and b[1] <= a[1] for a, b in itertools.permutations(spans, 2)):
            return True
    return False


def survive(tmp_path: Path, kills: int, enough: int) -> int:
    """Kill a receiver again and again, check what is left, and return how many kills fell into a compaction."""
    folder, had, rng = tmp_path / "telemetry", Acknowledged(), random.Random(kills)
    halfway = 0

    def at_any_moment() -> float:
        return rng.uniform(0, 0.1)

    def while_a_part_is_written() -> float:
        until = time.monotonic() + 5
        while time.monotonic() < until and not any(folder.glob("*/*.unfinished")):
            pass
        return 0.0

    for kill in range(kills):
        told, moment = tmp_path / f"port {kill}", while_a_part_is_written if kill % 2 else at_any_moment
        ingest_until_killed(folder, told, 1 + 100_000 * kill, had, enough, moment)
        halfway += within_compaction(folder)
    for compacted in (False, True):
        if compacted:
            with Store(folder) as store:
                store.compact()
        table = frame(folder, LONG_AGO, FAR_AHEAD, columns=("span_id", "output_chars"))
        found = [int(span, 16) for span in table["span_id"]]
        assert len(found) == len(set(found))
        assert had.spans <= set(found)
        answered = {n for n, chars in zip(found, table["output_chars"], strict=True) if chars == 9}
        assert had.logs & had.spans <= answered
    return halfway


@pytest.mark.timeout(900)
def test_five_kills_lose_nothing_acknowledged_and_double_nothing(tmp_path: Path) -> None:
    survive(tmp_path, 5, 40)  # where they fall is chance; of fifty some fall into a compaction


@pytest.mark.acceptance
@pytest.mark.timeout(1800)
def test_fifty_kills_lose_nothing_acknowledged_and_double_nothing(tmp_path: Path) -> None:
    assert survive(tmp_path, 50, 200) > 0, "no kill fell into a compaction"
