"""A workspace whose suite jobs of a loopback Azure Machine Learning ask, and what is seen of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from azure_services import SUBSCRIPTION, Cloud
from command_line import Cli, Done
from loopback_net import Status

from driftgate.ledger import latest_runs, open_ledger

QUESTIONS = 24
NOT_THERE = Status(404, {"error": {"code": "ResourceNotFound", "message": "there is no such job"}})
KEY = "k3y-0f-the-tested-model"
AZUREML = {
    "workspace": {"subscription": SUBSCRIPTION, "resource_group": "rg", "workspace": "ws"},
    "compute": "cpu-cluster",
    "image": "mcr.microsoft.com/azureml/base:20260901.v1",
    "shards": 2,
    "variables": ["TESTED_URL"],
}


def on_azureml(cli: Cli, folder: Path, *more: object) -> Done:
    return cli("bench", "--on", "azureml", *more, "-w", folder)


def forget_ledger(folder: Path) -> None:
    for path in (folder / ".driftgate").glob("ledger.db*"):
        path.unlink()


def carried(cloud: Cloud) -> dict[str, bytes]:
    """What of the workspace went up, by its path there; all jobs share one archive."""
    (archive,) = {content for path, content in cloud.azure.blobs.items() if path.endswith("bench.zip")}
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name.partition("/")[0] for name in opened.namelist()} >= {"driftgate", "tree", "job.json"}
        return {name: opened.read(name) for name in opened.namelist() if name.startswith(("tree/", "job.json"))}


def put(cloud: Cloud) -> list[str]:
    """Names of the jobs that were put, in order."""
    return [one.path.rsplit("/", 1)[1] for one in cloud.net.sent("PUT", "/jobs/")]


def status_of(cli: Cli, folder: Path) -> str:
    """How the newest run stands, and why."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    run = latest_runs(ledger, 1)[0]
    ledger.close()
    return f"{run.status}: {run.reason}"
