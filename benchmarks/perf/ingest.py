"""Time the ingest of spans: how many a second are acknowledged, each on the disk.

The receiver runs under uvicorn in a process of its own, on one core; clients in this process send OTLP/protobuf bodies
over keep-alive connections. The yardstick, in the same run on the same disk: the same bodies, each parsed and, as they
are, written to one file and fsync'd, one after the other, by a process that does nothing else. Seconds by the clock say
something only on a machine that has nothing else to do; CPU seconds of the receiver say something on any.
Run it from the project's root:

    python -m benchmarks.perf.ingest
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from driftgate.monitor.telemetry import Store, decode, frame, router, to_arrow

CONTENT_TYPE = "application/x-protobuf"
BEGIN = 1_772_323_200_000_000_000  # 2026-03-01, ns
PERIOD = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Load:
    """What the clients send."""

    requests: int
    spans: int
    """A request."""
    clients: int


def made_up_body(first: int, count: int, rng: np.random.Generator) -> bytes:
    """An export request of ``count`` model calls, one second apart, with content of about 200 characters."""
    spans: list[Any] = []
    for number in range(first, first + count):
        question = f"Is {rng.integers(10**6)} a prime number? Think step by step and then answer [Yes] or [No]. " * 2
        told: dict[str, str | int] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "azure.ai.openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.input_tokens": int(rng.integers(50, 500)),
            "gen_ai.usage.output_tokens": int(rng.integers(1, 100)),
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
            "driftgate.slice": f"slice {rng.integers(4)}",
        }
        start = BEGIN + number % 86_400 * 10**9
        spans.append(
            {
                "trace_id": (number + 1).to_bytes(16, "big"),
                "span_id": (number + 1).to_bytes(8, "big"),
                "start_time_unix_nano": start,
                "end_time_unix_nano": start + int(rng.lognormal(0, 1) * 1e9),
                "attributes": [
                    {"key": key, "value": {"int_value": value} if isinstance(value, int) else {"string_value": value}}
                    for key, value in told.items()
                ],
            }
        )
    resource: Any = {"scope_spans": [{"spans": spans}]}
    body: bytes = ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()
    return body


def bare_seconds(bodies: Sequence[bytes], folder: Path) -> tuple[float, float]:
    """Seconds it takes to parse, write and fsync each body, by the clock and of the CPU."""
    with (folder / "bare").open("wb", buffering=0) as file:
        started, used = time.perf_counter(), time.process_time()
        for body in bodies:
            ExportTraceServiceRequest.FromString(body)
            file.write(body)
            os.fsync(file.fileno())
        return time.perf_counter() - started, time.process_time() - used


def cpu_seconds(process: int) -> float:
    """CPU seconds that a process has used; NaN where the system has no ``/proc``."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(folder: Path, port: int) -> None:
    """Run the receiver until it is killed; every caller is let in."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()
    app.include_router(router(Store(folder), lambda: None))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


async def send(bodies: Sequence[bytes], url: str, clients: int, receiver: int) -> tuple[float, float, list[float]]:
    """Send every body; return the seconds in all, the CPU seconds of the receiver, and the seconds of each request."""
    waiting = iter(bodies)
    latencies: list[float] = []

    async def client(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            started = time.perf_counter()
            async with session.post(url, data=body, headers={"content-type": CONTENT_TYPE}) as reply:
                if reply.status != 200:
                    raise SystemExit(f"the receiver answered {reply.status}: {await reply.text()}")
            latencies.append(time.perf_counter() - started)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=clients)) as session:
        await _until_up(session, url)
        started, used = time.perf_counter(), cpu_seconds(receiver)
        await asyncio.gather(*(client(session) for _ in range(clients)))
        return time.perf_counter() - started, cpu_seconds(receiver) - used, latencies


async def _until_up(session: aiohttp.ClientSession, url: str) -> None:
    for _ in range(600):
        try:
            async with session.post(url, data=b"", headers={"content-type": CONTENT_TYPE}) as reply:
                if reply.status == 200:
                    return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.1)
    raise SystemExit("the receiver did not come up within a minute")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def measure(load: Load, seed: int) -> None:
    """Print the figures of a load, and what reading it back takes."""
    rng = np.random.default_rng(seed)
    bodies = [made_up_body(n * load.spans, load.spans, rng) for n in range(load.requests)]
    total = load.requests * load.spans
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder, port = Path(name), free_port()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder / "store", port))
        process.start()
        try:
            url = f"http://127.0.0.1:{port}/v1/traces"
            assert process.pid is not None
            seconds, used, latencies = asyncio.run(send(bodies, url, load.clients, process.pid))
        finally:
            process.kill()
            process.join()
        bare, bare_used = bare_seconds(bodies, folder)
        started = time.process_time()
        calls = [decode(body, CONTENT_TYPE).calls for body in bodies]
        decoding = time.process_time() - started
        started = time.process_time()
        for each in calls:
            to_arrow(each)
        columns = time.process_time() - started
        with Store(folder / "store") as store:
            started = time.perf_counter()
            store.compact()
            compacting = time.perf_counter() - started
            size = sum(file.stat().st_size for file in store.folder.rglob("*.parquet"))
        started = time.perf_counter()
        kept = int(frame(folder / "store", *PERIOD)["weight"].sum())
        reading = time.perf_counter() - started
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    bytes_a_span = sum(map(len, bodies)) / total
    print(
        f"{load.requests} requests of {load.spans} spans, {load.clients} clients, {bytes_a_span:.0f} bytes a span\n"
        f"  acknowledged   {total / seconds:10,.0f} spans/s {load.requests / seconds:8,.0f} requests/s, "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; {kept:,} of {total:,} kept after kill -9\n"
        f"  durable        {total / used:10,.0f} spans a CPU second of the receiver, "
        f"{used / bare_used:.0f} times the CPU seconds of the yardstick ({total / bare_used:,.0f} spans a CPU second)\n"
        f"  parse + fsync  {total / bare:10,.0f} spans/s {load.requests / bare:8,.0f} requests/s (yardstick); "
        f"acknowledged / yardstick {bare / seconds:.2f}\n"
        f"  decode         {total / decoding:10,.0f} spans/s, columns {total / columns:,.0f} spans/s (CPU seconds)\n"
        f"  compaction {compacting:.2f} s ({size / total:.0f} bytes a span), "
        f"frame() {reading:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the ingest of spans against a bare write and fsync.")
    parser.add_argument("--spans", type=int, default=100_000, help="spans of the run with full batches")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    measure(Load(max(given.spans // 512, 1), 512, 8), given.seed)  # 512: what the SDK's batch processor sends
    measure(Load(max(given.spans // 50, 1), 1, 64), given.seed)


if __name__ == "__main__":
    main()
