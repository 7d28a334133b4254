"""Azure on loopback: the real clients, the real addresses, nothing beyond this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from azure_services import SUBSCRIPTION, Azure, Cloud
from loopback_net import LoopbackNet

from finetune._azure import AzureMLWorkspace


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Azure, signed in as a managed identity; at the end no request may have gone anywhere else."""
    azure = Azure()
    net = LoopbackNet(tmp_path_factory.mktemp("net"), azure.services())
    net.start()
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZUREML_DEV_URL_MFE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in azure.environment(net).items():
        monkeypatch.setenv(name, value)
    served = Cloud(azure, net)
    served.forget_clients()
    yield served
    served.forget_clients()
    net.stop()
    assert net.refused == [], f"requests to hosts beyond loopback: {net.refused}"


@pytest.fixture
def address() -> AzureMLWorkspace:
    """The workspace that is served."""
    return AzureMLWorkspace(subscription=SUBSCRIPTION, resource_group="rg", workspace="ws")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clients' pauses be short: the storage client's first is 15 s."""
    sleep = time.sleep
    monkeypatch.setattr("time.sleep", lambda seconds: sleep(min(seconds, 0.02)))
