"""A cluster, and a workspace whose suite its jobs are to ask."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from azure_cluster import Cluster
from azure_services import Cloud
from chat_endpoint import ChatEndpoint
from command_line import Make
from ledger_rows import reply
from on_azureml import AZUREML, KEY, QUESTIONS

from driftgate.api.cluster import _asking


@pytest.fixture
def cluster(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """Machines on which the key of the tested model is set."""
    made = Cluster(cloud.azure, tmp_path_factory.mktemp("cluster"), {"TESTED_KEY": KEY})
    monkeypatch.setattr(_asking, "PAUSE", 0.05)
    yield made
    made.close()


@pytest.fixture
def folder(make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with more than its suite needs: another dataset, a ledger, a file of secrets."""
    monkeypatch.setenv("TESTED_URL", f"{endpoint.url}/v1")
    monkeypatch.setenv("TESTED_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {
            "timeout": 60.0,
            "endpoint": "${env:TESTED_URL}",
            "api_key": "${env:TESTED_KEY}",
        }
        config["datasets"]["proof"] = {**config["datasets"]["own"], "path": "data/proof.csv"}
        config["azureml"] = AZUREML

    space = make(QUESTIONS, change)
    (space / "data/proof.csv").write_text((space / "data/own.csv").read_text("utf-8"), "utf-8")
    (space / ".env").write_text(f"TESTED_KEY={KEY}\n", "utf-8")
    endpoint.default = reply
    return space


@pytest.fixture
def start() -> Iterator[Any]:
    """``start("bench", ...)`` begins a command as a process of its own."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "driftgate", *map(str, arguments)]
        heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # who runs the tests may ignore it
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        begun.append(subprocess.Popen(command, text=True, preexec_fn=heeds, **pipes))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()
