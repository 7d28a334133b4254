"""A workspace after two weeks, and a browser's requests to its pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_world import make_world
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

import driftgate
from driftgate.api.facade import Workspace
from driftgate.ledger import latest_runs
from driftgate.monitor.exposure import Limits
from driftgate.service import Identity, Scope
from driftgate.service._head import HeadAsGet
from driftgate.service._scrubbed import WithoutSecrets
from driftgate.service.access import Guard
from driftgate.service.console import Console, router

Client = Callable[..., TestClient]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def own(world: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it, which a test changes."""
    shutil.copytree(world, tmp_path / "own")
    with driftgate.open(tmp_path / "own") as opened:
        yield opened


@pytest.fixture(scope="session")
def workspace(world: Path) -> Iterator[Workspace]:
    with driftgate.open(world) as opened:
        yield opened


def application(workspace: Workspace, *scopes: Scope, read_only: bool = False) -> FastAPI:
    """The pages alone, for somebody who has signed in and may do just that."""

    class SignedIn(Guard):
        async def identify(self, request: Request) -> Identity:
            return Identity("lead", frozenset(scopes), "session", "the lead's session")

    guard = SignedIn(workspace.ledger, "an-operator-token-of-the-tests", Limits(requests_per_second=1e6, burst=10**6))
    app = FastAPI()
    app.state.csrf_key = guard.csrf_key
    app.include_router(router(Console(workspace, read_only=read_only), guard.access))
    app.add_middleware(WithoutSecrets)
    app.add_middleware(HeadAsGet)
    return app


@pytest.fixture(scope="session")
def served(workspace: Workspace) -> FastAPI:
    return application(workspace, "read", "operate")


@pytest.fixture
def client(served: FastAPI) -> TestClient:
    """A browser without cookies, of somebody who may look at everything and change something."""
    return TestClient(served, follow_redirects=False)


@pytest.fixture(scope="session")
def nights(workspace: Workspace) -> list[str]:
    """The complete runs, the newest first."""
    return [run.id for run in latest_runs(workspace.ledger, 20, status="complete")]


@pytest.fixture(scope="session")
def running(workspace: Workspace) -> str:
    return latest_runs(workspace.ledger, 1, status="running")[0].id


@pytest.fixture(scope="session")
def addresses(workspace: Workspace, nights: list[str], running: str) -> dict[str, str]:
    """An address of every page, by its name."""
    from driftgate.finetune.remediation import remediations

    ledger = workspace.ledger
    job, _ = workspace.run_job("nightly", who="lead")
    found = {
        "overview": "/",
        "runs": "/runs",
        "run": f"/runs/{nights[0]}",
        "sample": f"/runs/{nights[0]}/0/3",
        "suite": "/suites/nightly",
        "compare": f"/compare?a={nights[1]}/0&b={nights[0]}/0",
        "gate": f"/gates/{nights[0]}",
        "monitors": "/monitors",
        "monitor": "/monitors/assistant",
        "finding": "/findings/latest",
        "calls": "/findings/latest/calls",
        "champions": "/champions",
        "remediations": "/remediations",
        "remediation": f"/remediations/{remediations(ledger)[0].id}",
        "datasets": "/datasets",
        "dataset": "/datasets/exam?look=closer",
        "incidents": "/incidents",
        "incident": f"/incidents/{workspace.incident('latest').id}",
        "jobs": "/jobs",
        "job": f"/jobs/{job.id}",
        "reviews": "/review",
        "review": f"/review/{nights[0]}/0",
    }
    return found
