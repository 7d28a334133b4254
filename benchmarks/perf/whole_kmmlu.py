"""All of KMMLU through the shipped flow: how long each part takes, and how much memory grows with the samples.

Run from the project's root, beside ``../shared``::

    python -m benchmarks.perf.whole_kmmlu [--engine native] [--in-flight 64]

The endpoint is the replay endpoint at 0 ms, which has answered every prompt once before. Each number of samples runs
in a process of its own that holds all of KMMLU (as a workspace does that draws samples from it), so the difference
of their peaks is what a run itself keeps for each sample.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.perf.throughput import ROOT, kmmlu, replay_endpoint, through_driftgate
from driftgate.benchmarks.datasets import Dataset
from driftgate.benchmarks.report import write_report
from driftgate.benchmarks.scores import score_run
from driftgate.ledger import find_run

FEW = 5_000
Result = TypeVar("Result")


class Clock:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, part: str, work: Callable[[], Result]) -> Result:
        """Do ``work`` and keep how long it took."""
        began = time.perf_counter()
        result = work()
        self.seconds[part] = time.perf_counter() - began
        return result


def peak() -> float:
    """The most memory this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(base: str, samples: int | None, in_flight: int, engine: str) -> dict[str, object]:
    """Run, score and report so many samples in this process; returns seconds by part and peaks in MiB."""
    clock = Clock()
    whole = clock.time("load the dataset", kmmlu)
    dataset = Dataset(whole.name, whole.samples[:samples])
    loaded = peak()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        run_it = through_driftgate(base, dataset, in_flight, engine, path)
        ledger, run = clock.time("plan and run", lambda: asyncio.run(run_it))
        ran = peak()
        size = sum(file.stat().st_size for file in path.glob("ledger.db*"))
        scored = clock.time("score", lambda: score_run(ledger, run.id))
        clock.time("report", lambda: write_report(ledger, find_run(ledger, run.id), scored, [], path / "reports"))
        ledger.close()
    answered = scored[0].outcomes
    return {
        "samples": len(dataset.samples),
        "outcomes": {name: n for name, n in answered.items() if n},
        "seconds": clock.seconds,
        "loaded": loaded,
        "ran": ran,
        "reported": peak(),
        "bytes": size / len(dataset.samples),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="native")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    parser.add_argument("--samples", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.base:
        print(json.dumps(one(options.base, options.samples, options.in_flight, options.engine)))
        return
    with replay_endpoint(0) as base:
        command = [sys.executable, "-m", "benchmarks.perf.whole_kmmlu", "--base", base, "--engine", options.engine]
        command += ["--in-flight", str(options.in_flight)]
        found = []
        for samples in (10**9, FEW, 10**9):  # the first so that the endpoint has looked up every question
            done = subprocess.run([*command, "--samples", str(samples)], capture_output=True, text=True, cwd=ROOT)
            if done.returncode:
                raise SystemExit(done.stderr)
            found.append(json.loads(done.stdout.splitlines()[-1]))
    first, few, every = found
    print(f"all of KMMLU, {every['samples']} questions, engine {options.engine}, {options.in_flight} in flight, 0 ms")
    for part, seconds in every["seconds"].items():
        print(f"  {part:<20}{seconds:8.1f} s")
    print(f"  plan and run {first['seconds']['plan and run']:15.1f} s where the endpoint has to look up every question")
    print(f"  outcomes: {every['outcomes']}")
    print(f"  ledger: {every['bytes']:,.0f} bytes a sample")
    print("peak memory in MiB, all of KMMLU loaded")
    for row in (few, every):
        print(
            f"  {row['samples']:6,d} samples: {row['loaded']:6.0f} loaded {row['ran']:6.0f} after the run"
            f" {row['reported']:6.0f} after the report"
        )
    growth = 1024 * (every["ran"] - few["ran"]) / (every["samples"] - few["samples"])
    print(f"  a run keeps {growth:.2f} KiB a sample")


if __name__ == "__main__":
    main()
