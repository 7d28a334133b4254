"""``driftgate view``: one person, one machine, nothing changed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from fastapi.testclient import TestClient

from driftgate.api.facade import Workspace
from driftgate.service.console import make_view


def test_the_address_lets_one_browser_in_and_no_other(workspace: Workspace) -> None:
    app, entrance = make_view(workspace, 8765)
    at = "http://127.0.0.1:8765"
    first = TestClient(app, base_url=at, follow_redirects=False)
    assert first.get("/").status_code == 401
    assert first.get("/enter?token=wrong").status_code == 403
    assert first.get(entrance).headers["location"] == "/"
    assert first.get("/").status_code == first.get("/runs.json").status_code == 200
    second = TestClient(app, base_url=at, follow_redirects=False)
    assert second.get(entrance).status_code == 403 and second.get("/runs").status_code == 401
    assert first.get("/runs", headers={"Host": "evil.example:8765"}).status_code == 421
    assert first.get("/runs", headers={"Host": "127.0.0.1:1"}).status_code == 421
    assert first.post("/actions/job/run", data={"name": "nightly"}).status_code in (404, 405)
    assert 'method="post"' not in first.get("/jobs").text and "read-only" in first.get("/jobs").text


def test_the_command_serves_until_it_is_interrupted(world: Path) -> None:
    command = [sys.executable, "-P", "-m", "driftgate", "view", "-w", str(world)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        told = process.stdout.readline() + process.stdout.readline()
        address = re.findall(r"http://127\.0\.0\.1:\d+/enter\S+", told)[0]
        with httpx.Client(follow_redirects=True, timeout=20) as browser:
            for _ in range(100):
                try:
                    page = browser.get(address)
                    break
                except httpx.ConnectError:
                    continue
            assert page.status_code == 200 and "support-desk" in page.text
        process.send_signal(signal.SIGINT)
        assert process.wait(15) in (0, 130)
    finally:
        process.kill()
        process.wait()
