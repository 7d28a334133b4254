"""Fixtures that more than one package's tests use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "support"))  # modules the tests share; not a package of the project

from azure_services import Azure, Cloud
from chat_endpoint import ChatEndpoint
from loopback_net import LoopbackNet
from slow_tests import mark_slow

from driftgate.flows.network import Network, enter

pytest_plugins = ("ledger_fixtures",)

# How long an example takes says something of the machine, nothing of the code.
settings.register_profile("driftgate", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=500)  # HYPOTHESIS_PROFILE=thorough make unit
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "driftgate"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_slow(items)


@pytest.fixture(autouse=True)
def plain_network() -> None:
    """No test keeps to the network of a workspace that another one opened."""
    enter(Network())


@pytest.fixture(autouse=True)
def same_folder() -> Iterator[None]:
    """No test leaves the process in another working folder."""
    before = Path.cwd()
    yield
    assert Path.cwd() == before


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    """A chat endpoint on the loopback interface, to be told what to do."""
    served = ChatEndpoint()
    served.start()
    yield served
    served.stop()


@pytest.fixture
def judge_endpoint() -> Iterator[ChatEndpoint]:
    """A second endpoint, which plays the judge."""
    served = ChatEndpoint()
    served.start()
    yield served
    served.stop()


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
