"""Connections that only hold a place: how soon ``driftgate serve`` closes them, and whether it answers meanwhile.

    python -m benchmarks.perf.idle_connections --port 8321 --count 1500

A third of them say nothing, a third send a byte of a request's head a second, a third a byte of its body. Needs
``ulimit -n`` above the count, on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
import urllib.error
import urllib.request

KINDS = ("says nothing", "head byte by byte", "body byte by byte")
_HEAD = b"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


async def hold(port: int, kind: str, seconds: float) -> float | None:
    """How long a connection stays open; None: longer than it is waited for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    if kind == "body byte by byte":
        writer.write(_HEAD + b"Content-Length: 4000\r\n\r\n")
    head = iter(_HEAD * 20)
    try:
        while time.monotonic() - began < seconds:
            with contextlib.suppress(TimeoutError):
                if not await asyncio.wait_for(reader.read(65_536), 1.0):
                    return time.monotonic() - began
            if kind != "says nothing":
                writer.write(bytes([next(head)]) if kind == "head byte by byte" else b"a")
    except OSError:
        return time.monotonic() - began
    finally:
        writer.close()
    return None


def answers(port: int) -> float:
    """Seconds in which the service says that it lives."""
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=30) as reply:
        assert reply.status == 200
    return time.monotonic() - began


async def measure(port: int, count: int, seconds: float) -> None:
    """Hold them all, and print when they ended."""
    began = time.monotonic()
    held = [asyncio.create_task(hold(port, KINDS[n % 3], seconds)) for n in range(count)]
    slowest = 0.0
    while not all(task.done() for task in held):
        slowest = max(slowest, await asyncio.to_thread(answers, port))
        await asyncio.sleep(0.5)
    for n, kind in enumerate(KINDS):
        ended = [task.result() for task in held[n::3]]
        times = sorted(one for one in ended if one is not None)
        last = f"the last after {times[-1]:.1f} s" if times else ""
        print(f"{kind}: {len(times)} of {len(ended)} closed, {last}")
    print(f"all of them after {time.monotonic() - began:.1f} s; /livez meanwhile in {slowest * 1000:.0f} ms at most")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8321)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seconds", type=float, default=40.0, help="How long each is held at most.")
    given = parser.parse_args()
    try:
        answers(given.port)
    except OSError as problem:
        raise SystemExit(f"nothing serves on port {given.port} ({problem}); start driftgate serve first") from None
    asyncio.run(measure(given.port, given.count, given.seconds))


if __name__ == "__main__":
    main()
