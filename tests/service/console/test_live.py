"""A run under way is followed while another process writes it."""

from __future__ import annotations

import json
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from console_world import _records, questions

from driftgate.api.facade import Workspace
from driftgate.flows.scrubbing import keep_secret
from driftgate.ledger import cells_of, finish_run, latest_runs, open_ledger, progress_of, record

from .conftest import application


@pytest.fixture
def served(own: Workspace) -> Iterator[tuple[str, Path]]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        settings = uvicorn.Config(application(own, "read"), log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", own.files.folder
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def test_a_run_is_followed_to_its_end_without_a_secret(served: tuple[str, Path]) -> None:
    base, folder = served
    ledger = open_ledger(".driftgate/ledger.db", folder)  # as another process has it
    run = latest_runs(ledger, 1, status="running")[0]
    cell = cells_of(ledger, run.id)[0]
    told: list[dict[str, object]] = []
    began = time.monotonic()
    with httpx.stream("GET", f"{base}/runs/{run.id}/live", timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if not line.startswith("data: ") or line == "data: {}":
                continue
            told.append(json.loads(line[6:]))
            assert "Zx81kQ0p" not in line
            if len(told) == 1:
                rest = _records(ledger, cell.id, questions()[25:], 0.7, random.Random(1), datetime.now(UTC))
                failed = {"outcome": "failed", "answer": None, "correct": None, "nodes": (), "evaluations": ()}
                rest[0] = replace(rest[0], error="the key Zx81kQ0pLm37vTgh is wrong", **failed)
                record(ledger, rest)
                keep_secret("Zx81kQ0pLm37vTgh")  # known only now, and the ledger has it
            elif len(told) == 2:
                finish_run(ledger, run.id)
    ledger.close()
    assert told[0]["done"] == "25" and told[0]["wanted"] == "60"
    assert told[-1]["status"] == "complete" and told[-1]["done"] == "60"
    assert "known" in str(told[0]["cost"])  # of some samples nobody knows what they cost
    assert time.monotonic() - began < 10


def test_a_run_that_gives_nothing_is_said_to_be_stalled(workspace: Workspace) -> None:
    ledger = workspace.ledger
    run = latest_runs(ledger, 1, status="running")[0]
    told = progress_of(ledger, run.id)
    last = told.last or told.began  # the workspace is shared: the file's other tests may take minutes
    fresh = progress_of(ledger, run.id, last + timedelta(seconds=10))
    later = progress_of(ledger, run.id, last + timedelta(minutes=10))
    assert not fresh.stalled and later.stalled
    assert fresh.rate and later.rate is None and later.seconds_left is None
    assert re.match(r"q\d+", fresh.errors[0].sample)
