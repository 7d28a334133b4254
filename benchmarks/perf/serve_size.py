"""How large ``driftgate serve`` is: memory at rest and after calls came in, processor time and disk for them.

The command itself in a process of its own, with SQLite and a workspace that has nothing to do; this process sends it
OTLP/protobuf bodies of calls with content, one after the other. Read from ``/proc``, so on Linux only. Run it from the
project's root:

    python -m benchmarks.perf.serve_size --calls 20000
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.perf import ingest
from driftgate.monitor.telemetry import Store

TOKEN = "benchmark-token-0123456789"
A_REQUEST = 500
"""Calls a request."""


@dataclass(frozen=True)
class Size:
    """What a process takes."""

    megabytes: float
    """Of memory that is in use."""
    seconds: float
    """Of a processor's time, since it began."""

    @classmethod
    def of(cls, pid: int) -> Size:
        """Of a process, its children aside."""
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return cls(int(resident.split()[1]) / 1024, sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, default=20_000)
    calls = parser.parse_args().calls // A_REQUEST * A_REQUEST
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        (workspace / "driftgate.yaml").write_text(f"version: 1\nservice:\n  port: {port}\n", encoding="utf-8")
        command = [sys.executable, "-m", "driftgate", "serve", "-w", folder]
        with (
            (workspace / "log").open("w") as log,
            subprocess.Popen(command, env=os.environ | {"DRIFTGATE_TOKEN": TOKEN}, stdout=log, stderr=log) as process,
        ):
            try:
                _wait(port)
                time.sleep(3)
                before = Size.of(process.pid)
                began = time.monotonic()
                _send(port, calls)
                took = time.monotonic() - began
                after = Size.of(process.pid)
            finally:
                process.terminate()
        with Store(workspace / ".driftgate/telemetry") as store:
            kept = store.compact().calls
        stored = sum(file.stat().st_size for file in workspace.rglob("*.parquet"))
    assert kept == calls, f"{kept:,} of {calls:,} calls were kept"
    print(f"at rest {before.megabytes:.0f} MB, ready after {before.seconds:.1f} s of a processor")
    print(f"after {calls:,} calls {after.megabytes:.0f} MB")
    processor = 1000 * (after.seconds - before.seconds) / calls
    print(f"1,000 calls: {processor:.2f} s of a processor, {1000 * took / calls:.2f} s by the clock")
    print(f"a million calls: {stored / calls / 1000:.2f} GB")


def _wait(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the service did not begin to listen within 120 s")


def _send(port: int, calls: int) -> None:
    ingest.BEGIN = time.time_ns() - 86_400 * 10**9  # calls of long ago are refused
    random = np.random.default_rng(0)
    headers = {"Content-Type": ingest.CONTENT_TYPE, "Authorization": f"Bearer {TOKEN}"}
    for first in range(0, calls, A_REQUEST):
        body = ingest.made_up_body(first, A_REQUEST, random)
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/traces", body, headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            assert reply.status == 200


if __name__ == "__main__":
    main()
