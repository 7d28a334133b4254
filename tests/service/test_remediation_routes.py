"""Remediations by HTTP: only who may, in their own name, agrees to what they were shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from chat_endpoint import ChatEndpoint
from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from repairs import change, installed, make_workspace, opened, right, wrong

import driftgate
from driftgate.api.facade import Workspace
from driftgate.ledger import audit_of
from driftgate.service import Identity, Scope
from driftgate.service._auth import OPERATOR, person
from driftgate.service.console import Console, router
from driftgate.service.remediations import remediation_routes


def access(scope: Scope) -> Callable[..., Identity]:
    """Whoever names scopes in a header has them."""

    def identify(request: Request) -> Identity:
        scopes = frozenset(request.headers.get("scopes", "").split())
        if scope not in scopes:
            raise HTTPException(403, "not with these scopes")
        return Identity(request.headers.get("who", "kim"), scopes)

    return identify


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace whose remediation is open."""
    trained = ChatEndpoint()
    trained.start()
    endpoint.default, trained.default = wrong, right
    with installed(tmp_path / "site", monkeypatch) as trainer:
        place = make_workspace(tmp_path / "workspace", endpoint, trained, trainer)
        change(place, ("recipes", "mend", "approval"), True)
        opened(place)
        yield place
    trained.stop()


@pytest.fixture
def ws(folder: Path) -> Iterator[Workspace]:
    with driftgate.open(folder) as found:
        yield found


@pytest.fixture
def client(ws: Workspace) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(remediation_routes(ws, access))
    with TestClient(app, headers={"scopes": "read operate"}) as found:
        yield found


def one(client: TestClient) -> str:
    return str(client.get("/api/remediations").json()[0]["id"])


def test_who_may_only_read_decides_nothing(client: TestClient) -> None:
    here = f"/api/remediations/{one(client)}"
    bodies = {"approve": {"what": "x"}, "reject": {"reason": "x"}, "abandon": {"reason": "x"}}
    places = {f"{here}/{name}": body for name, body in bodies.items()}
    places |= {"/api/remediations/stop": {"reason": "x"}, "/api/remediations/resume": {}}
    for scopes in ("read", "ingest", ""):
        for place, body in places.items():
            assert client.post(place, json=body, headers={"scopes": scopes}).status_code == 403, place
    assert client.get(here, headers={"scopes": "operate"}).status_code == 403
    assert client.get("/api/remediations/nothing").status_code == 404


@pytest.mark.core
def test_an_approval_is_of_what_was_shown_by_somebody_who_is_named(client: TestClient, ws: Workspace) -> None:
    here = f"/api/remediations/{one(client)}"
    early = client.post(f"{here}/approve", json={"what": "x"})
    assert early.status_code == 409 and "does not wait for an approval" in early.text
    ws.mend()
    shown = client.get(here).json()
    what = shown["proposal"]["what"]
    assert shown["proposal"]["items"] == 38 and len(shown["proposal"]["sample"]) == 5
    assert {score["verdict"] for score in shown["proposal"]["scores"]} >= {"pass"}
    nobody = client.post(f"{here}/approve", json={"what": what}, headers={"who": OPERATOR})
    assert nobody.status_code == 409 and "nobody is named" in nobody.text
    assert person(Identity(OPERATOR, frozenset()), "lee") == "lee (operator token)"
    other = what.replace(what.split(".")[1], "0" * 64)
    stale = client.post(f"{here}/approve", json={"what": other})
    assert stale.status_code == 409 and "the data has changed since it was shown" in stale.text
    file = ws.files.folder / "hold_out.jsonl"
    rows = file.read_text(encoding="utf-8")
    file.write_text(rows.replace('"answer": "A"', '"answer": "B"', 1), encoding="utf-8")
    moved = client.post(f"{here}/approve", json={"what": what})
    assert moved.status_code == 409 and "dataset 'hold_out': rows 1 changed" in moved.text
    file.write_text(rows, encoding="utf-8")
    assert client.post(f"{here}/approve", json={"what": what}).json()["who"] == "kim"
    assert client.get(here).json()["proposal"] is None  # it waits for nobody any more
    again = client.post(f"{here}/approve", json={"what": what}, headers={"who": "lee"})
    assert again.status_code == 409 and "does not wait for an approval: kim gave it at" in again.text
    assert [(row.who, row.action) for row in audit_of(ws.ledger, action="remediation")] == [
        ("kim", "remediation.approve")
    ]
    ws.mend()
    assert client.get(here).json()["state"] == "promoted"
    assert client.post(f"{here}/approve", json={"what": what}).status_code == 409
    assert client.post(f"{here}/abandon", json={"reason": "late"}).status_code == 409


def test_reject_abandon_and_the_switch(client: TestClient, ws: Workspace, folder: Path) -> None:
    here = f"/api/remediations/{one(client)}"
    assert client.post("/api/remediations/stop", json={"reason": "the bill"}).json()["who"] == "kim"
    assert "the bill" in client.get(here).json()["switched_off"]
    assert client.post("/api/remediations/resume", json={}).json() == {"resumed": True, "stopped": False}
    early = client.post(f"{here}/reject", json={"reason": "no"})
    assert early.status_code == 409
    assert client.post(f"{here}/abandon", json={"reason": ""}).status_code == 422
    assert client.post(f"{here}/abandon", json={"reason": "not needed"}).json()["state"] == "abandoned"
    assert yaml.safe_load((folder / "driftgate.yaml").read_text())["champions"] == {"assistant": "live"}


def test_the_console_too_refuses_a_proof_of_other_rows(ws: Workspace) -> None:
    name = ws.mend()[0].id
    app = FastAPI()
    app.include_router(router(Console(ws), lambda scope: lambda: Identity("lead", frozenset({"read", "operate"}))))
    browser = TestClient(app, follow_redirects=False)
    proposal = ws.remediation(name).proposal
    assert proposal is not None
    told = {"id": name, "back": "/", "what": proposal.what}
    file = ws.files.folder / "hold_out.jsonl"
    rows = file.read_text(encoding="utf-8")
    file.write_text(rows.replace('"answer": "A"', '"answer": "B"', 1), encoding="utf-8")
    refused = browser.post("/actions/remediation/approve", data=told)
    assert refused.status_code == 409 and "rows 1 changed" in refused.text
    assert "rows 1 changed" in browser.get(f"/remediations/{name}").text
    file.write_text(rows, encoding="utf-8")
    assert browser.post("/actions/remediation/approve", data=told).status_code == 303
