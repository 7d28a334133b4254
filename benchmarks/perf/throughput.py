"""How many samples a second go through a flow, next to a bare loop that only asks the endpoint.

Run from the project's root, beside ``../shared``::

    python -m benchmarks.perf.throughput [--questions 4000] [--in-flight 64] [--engine promptflow]

It starts the replay endpoint on a loopback port, asks KMMLU questions through the shipped ``multiple_choice`` flow
(three nodes, three evaluators, ledger on) and through a bare aiohttp loop with the same bodies, at 0 and 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from benchmarks.datasets import Dataset, load_dataset, parse_config
from benchmarks.ledger import open_ledger, start_run
from benchmarks.runner import CellProgress, run_suite
from benchmarks.suite import SuiteConfig, describe_plan, plan_cells
from flows.definition import load_flow
from flows.models import PROVIDERS
from flows.models import parse_config as parse_model

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


async def bare_loop(base: str, prompts: list[str], in_flight: int) -> None:
    """Ask every prompt and read every reply, nothing else."""
    queue = iter(prompts)

    async def work(session: aiohttp.ClientSession) -> None:
        for prompt in queue:
            body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "temperature": 0}
            async with session.post(f"{base}/v1/chat/completions", json=body) as response:
                await response.json()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(in_flight)))


async def through_driftgate(base: str, dataset: Dataset, in_flight: int, engine: str, folder: Path) -> None:
    """Run a suite of one cell with a fresh ledger."""
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
        ledger.close()


def measure(name: str, work: object, n: int) -> float:
    """Run ``work`` on an event loop and print its rate; returns samples a second."""
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(work)  # type: ignore[arg-type]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {name:<28}{n / wall:8.0f} samples/s {1000 * cpu / n:7.2f} CPU ms/sample {rss:7.0f} MB peak", flush=True)
    return n / wall


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=4000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--engine", default="promptflow")
    parser.add_argument("--latency-ms", type=float, action="append", help="by default 0 and 50")
    options = parser.parse_args()
    if not (SHARED / "data" / "kmmlu").is_dir():
        raise SystemExit(f"needs the recorded data in {SHARED.name}/data beside the project")
    config = parse_config({"kind": "kmmlu", "path": str(SHARED / "data" / "kmmlu")})
    whole = load_dataset("kmmlu", config, ROOT)
    dataset = Dataset("kmmlu", whole.samples[: options.questions])
    n = len(dataset.samples)
    prompts = [s.data["question"] + "\n" + "\n".join(s.data["choices"]) for s in dataset.samples]
    for latency in options.latency_ms or [0.0, 50.0]:
        with replay_endpoint(latency) as base:
            print(f"{n} questions, {options.in_flight} in flight, {latency:g} ms", flush=True)
            asyncio.run(bare_loop(base, prompts, options.in_flight))  # the endpoint finds each question once
            bare = measure("bare aiohttp loop", bare_loop(base, prompts, options.in_flight), n)
            for first in (True, False):  # the second time, as for the bare loop
                with tempfile.TemporaryDirectory() as folder:
                    work = through_driftgate(base, dataset, options.in_flight, options.engine, Path(folder))
                    if first:
                        asyncio.run(work)
                    else:
                        ours = measure(f"driftgate, {options.engine}", work, n)
            print(f"  ratio to the bare loop      {ours / bare:8.2f}")
            if latency:
                print(f"  ratio to the latency bound  {ours / (options.in_flight / latency * 1000):8.2f}")


if __name__ == "__main__":
    main()
