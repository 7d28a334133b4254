"""A service, and those who knock at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from identity_provider import CLIENT, SECRET, IdentityProvider

from driftgate.api.workspace import open_workspace
from driftgate.ledger import Ledger, open_ledger
from driftgate.service._make import make_service

TOKEN = "an-operator-token-of-the-tests"
Serve = Callable[..., TestClient]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Ledger]:
    """The ledger of the service."""
    ledger = open_ledger(".driftgate/ledger.db", tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def serve(tmp_path: Path, kept: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """``serve(public_url=...)``: a client of a service with these settings."""
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    monkeypatch.setenv("TEST_SECRET", SECRET)
    clients: list[TestClient] = []

    def begin(*, notifications: dict[str, Any] | None = None, **service: Any) -> TestClient:
        config = {"version": 1, "service": {"token": "${env:TEST_TOKEN}", **service}}
        config |= {"notifications": notifications} if notifications else {}
        (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        app = make_service(open_workspace(tmp_path), kept)
        client = TestClient(app, base_url=service.get("public_url", "http://testserver"), follow_redirects=False)
        clients.append(client)
        return client.__enter__()

    yield begin
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture(scope="session")
def _issuing() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def provider(_issuing: IdentityProvider) -> IdentityProvider:
    """An identity provider, as it was at first."""
    _issuing.keys = {"first": next(iter(_issuing.keys.values()))}
    _issuing.published, _issuing.change = ["first"], {}
    _issuing.person = {"sub": "s-1", "oid": "6f1c", "name": "김민지", "roles": ["Reader"]}
    _issuing.asked.clear()
    return _issuing


ROLES = {"Reader": ["read"], "Operator": ["read", "operate"], "Sender": ["ingest"]}


def tokens_of(provider: IdentityProvider) -> dict[str, Any]:
    return {"issuer": provider.issuer, "audience": "api://driftgate", "roles": ROLES}


def sign_in_of(provider: IdentityProvider) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": "${env:TEST_SECRET}",
        "roles": ROLES,
    }


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
