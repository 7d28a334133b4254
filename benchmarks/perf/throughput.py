"""How many samples a second go through a flow, next to a bare loop that only asks the endpoint.

Run from the project's root, beside ``../shared``::

    python -m benchmarks.perf.throughput [--engine native --engine promptflow] [--questions 4000] [--in-flight 64]

It starts the replay endpoint on a loopback port, at 0 and at 50 ms a reply, and asks it KMMLU questions through the
shipped ``multiple_choice`` flow (three nodes, three evaluators, ledger on) and through a bare aiohttp loop, in turns:
every ratio is of neighbours in time, and the median of all pairs is printed, because the machine is shared. The
endpoint has answered every prompt once before. The rate of ours counts everything between the loaded dataset and
the last durable record: planning, a fresh ledger, its samples, the flow's compilation.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from driftgate.benchmarks.datasets import Dataset, load_dataset, parse_config
from driftgate.benchmarks.progress import CellProgress
from driftgate.benchmarks.runner import run_suite
from driftgate.benchmarks.suite import SuiteConfig, describe_plan, plan_cells
from driftgate.flows.definition import load_flow
from driftgate.flows.models import PROVIDERS
from driftgate.flows.models import parse_config as parse_model
from driftgate.ledger import Ledger, RunRow, open_ledger, start_run

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
MODEL = "phi-3-5-moe-instruct"


class Silent:
    """A display that shows nothing."""

    def begin(self, progress: CellProgress) -> None:
        """Nothing to show."""

    def advance(self, progress: CellProgress) -> None:
        """Nothing to show."""

    def end(self, progress: CellProgress) -> None:
        """Nothing to show."""


@contextlib.contextmanager
def replay_endpoint(latency_ms: float) -> Iterator[str]:
    """The replay endpoint in a process of its own; yields its base address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = SHARED / "tools" / "replay_endpoint.py"
    command = [sys.executable, str(script), "--port", str(port), "--latency-ms", str(latency_ms)]
    server = subprocess.Popen(command)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def kmmlu(questions: int | None = None) -> Dataset:
    """KMMLU, or its first questions.

    Raises
    ------
    SystemExit
        The recorded data are not there.
    """
    if not (SHARED / "data" / "kmmlu").is_dir():
        raise SystemExit(f"needs the recorded data in {SHARED.name}/data beside the project")
    config = parse_config({"kind": "kmmlu", "path": str(SHARED / "data" / "kmmlu")})
    whole = load_dataset("kmmlu", config, ROOT)
    return Dataset("kmmlu", whole.samples[:questions])


async def bare_loop(base: str, prompts: Sequence[str], in_flight: int) -> None:
    """Ask every prompt and read every reply, nothing else."""
    queue = iter(prompts)

    async def work(session: aiohttp.ClientSession) -> None:
        for prompt in queue:
            body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "temperature": 0}
            async with session.post(f"{base}/v1/chat/completions", json=body) as response:
                await response.json()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(in_flight)))


async def through_driftgate(
    base: str, dataset: Dataset, in_flight: int, engine: str, folder: Path
) -> tuple[Ledger, RunRow]:
    """Run a suite of one cell with a fresh ledger, which the caller closes."""
    config = parse_model(
        {"provider": "openai", "endpoint": f"{base}/v1", "model": MODEL, "in_flight": in_flight, "timeout": 600}
    )
    suite = SuiteConfig(models=["m"], datasets=["kmmlu"], variants=["zero_shot"], engine=engine)
    cells = plan_cells(suite, {"m": config}, {"kmmlu": dataset}, load_flow(suite.flow, folder))
    ledger = open_ledger("ledger.db", folder)
    plan, plan_hash = describe_plan("perf", suite, cells)
    run = start_run(ledger, "perf", plan, plan_hash, 0, "perf")
    model = PROVIDERS.get("openai").open("m", config, folder)
    try:
        await run_suite(ledger, run, suite, cells, {"m": model}, Silent())
    finally:
        await model.aclose()
    return ledger, run


@dataclass(frozen=True)
class Measured:
    """Samples a second, and CPU milliseconds of this process (user and system, every thread) a sample."""

    rate: float
    cpu_ms: float


def measure(work: Coroutine[Any, Any, Any], n: int) -> Measured:
    """Run ``work`` for ``n`` samples on an event loop of its own."""
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(work)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Measured(n / wall, 1000 * cpu / n)


def compare(base: str, dataset: Dataset, in_flight: int, engine: str, pairs: int, latency: float) -> None:
    """Print the medians of alternating measurements."""
    n = len(dataset.samples)
    prompts = [s.data["question"] + "\n" + "\n".join(s.data["choices"]) for s in dataset.samples]
    bare: list[Measured] = []
    ours: list[Measured] = []

    async def once(folder: Path) -> None:
        ledger, _ = await through_driftgate(base, dataset, in_flight, engine, folder)
        ledger.close()

    for turn in range(pairs + 1):
        by_loop = measure(bare_loop(base, prompts, in_flight), n)
        with tempfile.TemporaryDirectory() as folder:
            by_us = measure(once(Path(folder)), n)
        if turn:  # the first time the endpoint looks every prompt up, and this process imports and compiles
            bare.append(by_loop)
            ours.append(by_us)
    print(f"{n:,} questions, {in_flight} in flight, {latency:g} ms, engine {engine}, {pairs} pairs")
    for name, found in (("bare aiohttp loop", bare), (f"driftgate, {engine}", ours)):
        rates = sorted(m.rate for m in found)
        print(f"  {name:<24}{median(rates):7,.0f} samples/s ({rates[0]:,.0f} to {rates[-1]:,.0f})", end="")
        print(f"{median(m.cpu_ms for m in found):9.3f} CPU ms each")
    shares = [o.rate / b.rate for o, b in zip(ours, bare, strict=True)]
    print(f"  share of the bare loop's rate {median(shares):10.2f}", flush=True)
    if latency:
        bound = in_flight / latency * 1000
        print(f"  bound by the latency alone {bound:11.0f} samples/s; it takes")
        print(f"    driftgate {bound / median(m.rate for m in ours):23.2f} times as long")
        print(f"    the bare loop {bound / median(m.rate for m in bare):19.2f} times as long", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=4000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--engine", action="append", help="by default native")
    parser.add_argument("--latency-ms", type=float, action="append", help="by default 0 and 50")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    dataset = kmmlu(options.questions)
    for latency in options.latency_ms or [0.0, 50.0]:
        with replay_endpoint(latency) as base:
            for engine in options.engine or ["native"]:
                compare(base, dataset, options.in_flight, engine, options.pairs, latency)


if __name__ == "__main__":
    main()
