"""A job that somebody deleted is told from a service that does not answer, through the real clients."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure_services import OPENAI_HOST, SUBSCRIPTION, Cloud
from loopback_net import Status

from driftgate.finetune.train import TRAINERS, JobGone, Trainer, parse_trainer
from driftgate.flows.errors import DriftgateError

OPENAI = {
    "trainer": "azure_openai",
    "endpoint": f"https://{OPENAI_HOST}",
    "base": "gpt-oss-20b",
    "account": {"subscription": SUBSCRIPTION, "resource_group": "rg", "account": "openai"},
}
ML = {
    "trainer": "azure_ml",
    "workspace": {"subscription": SUBSCRIPTION, "resource_group": "rg", "workspace": "ws"},
    "compute": "gpu-cluster",
    "image": "mcr.microsoft.com/azureml/base:20260901.v1",
}


def opened(config: dict[str, object], folder: Path) -> Trainer:
    return TRAINERS.get(str(config["trainer"])).open(parse_trainer(config), folder)


@pytest.mark.parametrize("config", [ML, OPENAI], ids=["azure_ml", "azure_openai"])
def test_a_deleted_job_is_gone(cloud: Cloud, tmp_path: Path, config: dict[str, object]) -> None:
    with pytest.raises(JobGone, match="support-r1"):
        opened(config, tmp_path).poll({"name": "support-r1", "job": "ftjob-none"})


@pytest.mark.parametrize("config", [ML, OPENAI], ids=["azure_ml", "azure_openai"])
def test_a_service_that_refuses_is_not(cloud: Cloud, tmp_path: Path, config: dict[str, object]) -> None:
    cloud.net.fail("GET", "jobs", *[Status(403, {"error": {"code": "Forbidden", "message": "no role"}})] * 8)
    with pytest.raises(DriftgateError) as raised:
        opened(config, tmp_path).poll({"name": "support-r1", "job": "ftjob-none"})
    assert not isinstance(raised.value, JobGone)
