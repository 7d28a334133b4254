"""Repeats of a recorded model that is unsteady: each request is answered by one of three recorded models, at random."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.ledger import ScoreRow, find_run, open_ledger

from .conftest import Endpoint, driftgate, replay

MIXED = ("phi-3-5-moe-instruct", "gpt-35-turbo-230613", "llama-3-1-8b-instruct")
SAMPLES, REPEATS = 200, 5


@contextlib.contextmanager
def unsteady(endpoint: Endpoint, seed: int) -> Iterator[Endpoint]:
    """A server that hands each request on to the endpoint, for one of three models."""
    rng, lock = random.Random(seed), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                body["model"] = rng.choice(MIXED)
            asked = urllib.request.Request(f"{endpoint.address}{self.path}", json.dumps(body).encode())
            with urllib.request.urlopen(asked, timeout=60) as reply:
                said = reply.read()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Endpoint(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()


def scores(folder: Path) -> CellScores:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        (scored,) = score_run(ledger, find_run(ledger, "latest").id, store=False)
        scored.frame  # noqa: B018 - read while the ledger is open
        return scored
    finally:
        ledger.close()


def width(row: ScoreRow | None) -> float:
    assert row is not None and row.low is not None and row.high is not None
    return row.high - row.low


def test_five_repeats_narrow_the_interval_of_an_unsteady_model(
    make_workspace: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found: dict[tuple[str, int], CellScores] = {}
    with replay() as endpoint, unsteady(endpoint, seed=11) as mixed:
        for who, at in (("steady", endpoint), ("unsteady", mixed)):
            for repeats in (1, REPEATS):
                folder = make_workspace(f"{who}{repeats}", at, ["click"], in_flight=16)
                space = json.loads((folder / "driftgate.yaml").read_text("utf-8"))
                space["models"]["phi"]["parameters"] = {"temperature": 0.7}
                space["suites"]["all"] |= {"models": ["phi"], "limit": SAMPLES, "repeats": repeats, "max_failed": 1}
                (folder / "driftgate.yaml").write_text(json.dumps(space), "utf-8")
                before = endpoint.stats()["requests"]
                assert driftgate("bench", folder=folder).wait() == 0
                # A run of many asks each model once beforehand.
                assert endpoint.stats()["requests"] - before in (SAMPLES * repeats, SAMPLES * repeats + 1)
                found[who, repeats] = scores(folder)
    widths = {key: width(one.get("accuracy")) for key, one in found.items()}
    with capsys.disabled():
        for key, one in found.items():
            print(f"\n{key}: {one.get('accuracy')}, width {100 * widths[key]:.1f} points; {one.repeated}")
    # Most of what is uncertain is which questions were drawn, and no repeat tells of others.
    assert widths["unsteady", REPEATS] < 0.95 * widths["unsteady", 1]
    assert widths["steady", REPEATS] == pytest.approx(widths["steady", 1], rel=0.05)
    steady, shaken = (found[who, REPEATS].get("unsteady") for who in ("steady", "unsteady"))
    assert steady is not None and shaken is not None and shaken.value is not None
    assert steady.value == 0.0 and shaken.value > 0.3
