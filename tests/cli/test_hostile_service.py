"""``driftgate bench`` against hostile services, each in a process of its own whose largest memory is printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile_endpoint import GIB, HostileEndpoint

import driftgate

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
SAMPLES = 12
MEASURED = """
import atexit, pathlib, runpy, sys
kept = pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: kept.write_text(pathlib.Path("/proc/self/status").read_text()))
runpy.run_module("driftgate", run_name="__main__", alter_sys=True)
"""
"""The command, which writes down at its end how much memory it ever held. What ``wait4`` says would include this
process, of which it is a copy at its begin."""
ROOM_MB = 170
"""What hostile replies may take beside what a run takes anyway: eight in flight of 8 MB each, and as much to read."""


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileEndpoint]:
    served = HostileEndpoint(size=3 * GIB // 2)
    served.start()
    yield served
    served.stop()


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    code: int
    out: str
    peak_mb: float
    seconds: float
    outcomes: dict[str, int]
    spent: float


def bench(folder: Path, hostile: HostileEndpoint, kind: str, **suite: Any) -> Ended:
    model = {
        "provider": "openai",
        "endpoint": hostile.url(kind),
        "model": "gpt-test",
        "in_flight": 8,
        "timeout": 3.0 if "drip" in kind else 60.0,
        "attempts": 6 if kind == "good-or-deep" else 2,
        "prices": {"input": 15.0, "output": 15.0},
    }
    config = {
        "version": 1,
        "models": {"tested": model},
        "datasets": {"own": {"kind": "csv", "path": "own.csv", "columns": {"choices": ["A", "B", "C", "D"]}}},
        "suites": {"small": {"models": ["tested"], "datasets": ["own"], "variants": ["terse"], **suite}},
    }
    folder.mkdir()
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config), "utf-8")
    rows = [f"q{n},문제 {n}번은?,가{n},나{n},다{n},라{n},A" for n in range(SAMPLES)]
    (folder / "own.csv").write_text("\n".join(["id,question,A,B,C,D,answer", *rows]) + "\n", "utf-8")
    command = [sys.executable, "-c", MEASURED, str(folder / "status"), "bench", "small", "--workspace", str(folder)]
    began = time.monotonic()
    with (folder / "out").open("w+b") as out:
        done = subprocess.run(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "COLUMNS": "300"}, check=False
        )
    seconds = time.monotonic() - began
    with driftgate.open(folder) as workspace:
        (run,) = workspace.runs(1)
        frame = run.samples()
    text = (folder / "out").read_text("utf-8")
    assert "Traceback" not in text, text
    outcomes = {str(name): int(count) for name, count in frame["outcome"].value_counts().items()}
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text("utf-8"))
    return Ended(done.returncode, text, int(peak) / 1024, seconds, outcomes, float(frame["cost"].sum()))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, hostile: HostileEndpoint) -> Ended:
    """The same run against a service that answers."""
    return bench(tmp_path_factory.mktemp("usual") / "space", hostile, "good")


@pytest.mark.parametrize(
    ("kind", "code", "words", "outcomes"),
    [
        ("redirect", 2, "model 'tested' is redirected from 127.0.0.1 to evil.example", {}),
        (
            "long",
            4,
            "the reply is longer than 8 MB, and was not read to its end (it says it has 1,611 MB)",
            {"failed": 12},
        ),
        ("chunked", 4, "the reply is longer than 8 MB, and was not read to its end", {"failed": 12}),
        ("sse", 4, "the reply is longer than 8 MB, and was not read to its end", {"failed": 12}),
        ("gzip", 4, "the reply is longer than 8 MB, and was not read to its end", {"failed": 12}),
        ("long-error", 4, "given up after 2 attempts: tested: HTTP 500", {"failed": 12}),
        ("deep", 4, "the reply is not a chat completion (it is nested more than 100 deep)", {"failed": 12}),
        ("deeper", 4, "the reply is not a chat completion (it is nested more than 100 deep)", {"failed": 12}),
        ("1e400", 0, "", {"answered": 12}),
        ("negative", 0, "", {"answered": 12}),
        ("drip", 4, "given up after 2 attempts: no reply within 3.0 s", {"failed": 12}),
        ("good-or-long", 4, "the reply is longer than 8 MB", {"answered": 8, "failed": 4}),
        ("good-or-deep", 0, "", {"answered": 12}),
    ],
)
def test_a_run_against_a_hostile_service(
    tmp_path: Path,
    hostile: HostileEndpoint,
    usual: Ended,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    code: int,
    words: str,
    outcomes: dict[str, int],
) -> None:
    ended = bench(tmp_path / "space", hostile, kind)
    sentence = next((line.strip() for line in ended.out.splitlines() if words and words in line), "")
    with capsys.disabled():
        told = json.dumps(ended.outcomes)
        print(
            f"\n{kind}: {ended.peak_mb:.0f} MB at most ({usual.peak_mb:.0f} MB of a service that answers), "
            f"{ended.seconds:.1f} s, exit {ended.code}, {told}, cost {ended.spent:g}\n    {sentence[:240]}"
        )
    assert ended.code == code and (sentence or not words), ended.out
    assert ended.outcomes == outcomes or not outcomes
    assert ended.spent >= 0
    assert ended.peak_mb < usual.peak_mb + ROOM_MB
    assert ended.seconds < 60


def test_negative_usage_does_not_defeat_a_limit_on_cost(tmp_path: Path, hostile: HostileEndpoint, capsys: Any) -> None:
    before = hostile.asked["negative"]
    ended = bench(tmp_path / "space", hostile, "negative", max_cost=0.5)
    (sentence,) = [line for line in ended.out.splitlines() if "cannot be kept" in line][:1]
    with capsys.disabled():
        asked = hostile.asked["negative"] - before
        print(f"\nnegative, max_cost 0.5: exit {ended.code}, {asked} asked\n    {sentence[:240]}")
    assert ended.code == 2 and asked <= 8 < SAMPLES
