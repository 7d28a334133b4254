"""Acceptance runs against the replay endpoint with real questions and recorded answers; ``make acceptance``."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
DRIFTGATE = [sys.executable, "-m", "driftgate"]
MODELS = {"phi": "phi-3-5-moe-instruct", "gpt35": "gpt-35-turbo-230613"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is an acceptance run, and needs the shared data."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.acceptance)
            item.add_marker(pytest.mark.timeout(1800))
            if not (SHARED / "data").is_dir():
                item.add_marker(pytest.mark.skip(reason="the recorded data (../shared/data) is not beside the project"))


@dataclass(frozen=True)
class Endpoint:
    """A running replay endpoint."""

    address: str

    def stats(self) -> dict[str, Any]:
        """What it served so far."""
        with urllib.request.urlopen(f"{self.address}/stats", timeout=10) as reply:
            return dict(json.load(reply))


@contextlib.contextmanager
def replay(*options: str) -> Iterator[Endpoint]:
    """Start the replay endpoint on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = SHARED / "tools" / "replay_endpoint.py"
    server = subprocess.Popen([sys.executable, str(script), "--port", str(port), *options])
    endpoint = Endpoint(f"http://127.0.0.1:{port}")
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                endpoint.stats()
                break
            time.sleep(0.25)
        yield endpoint
    finally:
        server.kill()
        server.wait(10)


@pytest.fixture
def make_workspace(tmp_path: Path) -> Callable[..., Path]:
    """Write a workspace whose models are served by an endpoint."""

    def make(name: str, endpoint: Endpoint, datasets: list[str], *, in_flight: int = 64, timeout: float = 60) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        models = {
            "phi": {"provider": "openai", "endpoint": f"{endpoint.address}/v1", "model": MODELS["phi"]},
            "gpt35": {
                "provider": "azure_openai",
                "endpoint": endpoint.address,
                "deployment": MODELS["gpt35"],
                "api_key": "${env:REPLAY_KEY}",
            },
        }
        for model in models.values():
            model |= {"in_flight": in_flight, "timeout": timeout, "attempts": 12}  # type: ignore[operator]
        data = {d: {"kind": d, "path": str(SHARED / "data" / d)} for d in datasets}
        suite = {"models": list(models), "datasets": datasets, "variants": ["zero_shot"]}
        workspace = {"version": 1, "models": models, "datasets": data, "suites": {"all": suite}}
        workspace["allowed_roots"] = [str(SHARED)]
        (folder / "driftgate.yaml").write_text(json.dumps(workspace), encoding="utf-8")
        return folder

    return make


def driftgate(*arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start the command in a workspace."""
    environment = os.environ | {"REPLAY_KEY": "not-a-secret"}
    return subprocess.Popen([*DRIFTGATE, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
