"""Runs that jobs of Azure Machine Learning work on, through its own client: the ledger is that of one process."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_cluster import Cluster
from azure_services import SUBSCRIPTION, Cloud
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make
from ledger_rows import reply, rows_of

from driftgate.api.cluster import _asking

QUESTIONS = 24
KEY = "k3y-0f-the-tested-model"
AZUREML = {
    "workspace": {"subscription": SUBSCRIPTION, "resource_group": "rg", "workspace": "ws"},
    "compute": "cpu-cluster",
    "image": "mcr.microsoft.com/azureml/base:20260901.v1",
    "shards": 2,
    "variables": ["TESTED_URL"],
}


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


def on_azureml(cli: Cli, folder: Path, *more: object) -> Any:
    return cli("bench", "--on", "azureml", *more, "-w", folder)


def forget_ledger(folder: Path) -> None:
    for path in (folder / ".driftgate").glob("ledger.db*"):
        path.unlink()


def carried(cloud: Cloud) -> dict[str, bytes]:
    """What of the workspace went up, by its path there; all jobs share one archive."""
    (archive,) = [content for path, content in cloud.azure.blobs.items() if path.endswith("bench.zip")]
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name.partition("/")[0] for name in opened.namelist()} >= {"driftgate", "tree", "job.json"}
        return {name: opened.read(name) for name in opened.namelist() if name.startswith(("tree/", "job.json"))}


@pytest.mark.core
def test_jobs_leave_the_ledger_of_one_process_row_for_row(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    assert cli("bench", "-w", folder).code == 0
    whole = rows_of(folder)
    assert len(endpoint.requests) == QUESTIONS
    endpoint.forget()
    forget_ledger(folder)

    done = on_azureml(cli, folder)
    assert done.code == 0, done.err + str(cluster.logs)
    assert len(cluster.starts) == 2 and "shard 2 of 2: done" in done.out and "TESTED_KEY" in done.out
    divided = rows_of(folder)
    assert divided.keys() == whole.keys()
    for table, rows in whole.items():
        assert divided[table] == rows, table
    assert len(endpoint.requests) == QUESTIONS

    files = carried(cloud)
    assert sorted(files) == ["job.json", "tree/workspace/data/own.csv", "tree/workspace/driftgate.yaml"]
    assert set(yaml.safe_load(files["tree/workspace/driftgate.yaml"])) == {"version", "models", "datasets", "suites"}
    assert not any(KEY.encode() in content for content in files.values())
    for put in cloud.net.requests:
        assert KEY.encode() not in put.body
