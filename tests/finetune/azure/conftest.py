"""Azure on loopback: the real clients, the real addresses, nothing beyond this machine."""

from __future__ import annotations

import time

import pytest
from azure_services import SUBSCRIPTION

from driftgate.finetune._azure import AzureMLWorkspace


@pytest.fixture
def address() -> AzureMLWorkspace:
    """The workspace that is served."""
    return AzureMLWorkspace(subscription=SUBSCRIPTION, resource_group="rg", workspace="ws")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clients' pauses be short: the storage client's first is 15 s."""
    sleep = time.sleep
    monkeypatch.setattr("time.sleep", lambda seconds: sleep(min(seconds, 0.02)))
