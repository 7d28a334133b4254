"""Incidents by HTTP: who may only read changes nothing, and what cannot be done is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient

from driftgate.api.handling import Handling
from driftgate.api.workspace import open_workspace
from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.incidents import IncidentsConfig, Sign, incidents, settle
from driftgate.service import Identity, Scope
from driftgate.service._asked import explain_refusals
from driftgate.service.incidents import incident_routes


def access(scope: Scope) -> Callable[..., Identity]:
    """Whoever names scopes in a header has them."""

    def identify(request: Request) -> Identity:
        scopes = frozenset(request.headers.get("scopes", "").split())
        if scope not in scopes:
            raise HTTPException(403, "not with these scopes")
        return Identity("kim", scopes)

    return identify


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    sign = Sign("watch", "service", "endpoint_down", "high", "canaries", "nothing answers", "start it")
    settle(opened, "service", [sign], datetime.now(UTC), IncidentsConfig(), over="")
    yield opened
    opened.close()


@pytest.fixture
def client(ledger: Ledger, tmp_path: Path) -> Iterator[TestClient]:
    app = FastAPI()
    explain_refusals(app)
    (tmp_path / "driftgate.yaml").write_text(
        "version: 1\nname: desk\nmodels: {m: {provider: openai, endpoint: http://127.0.0.1:9/v1, model: m}}\n"
    )
    files = open_workspace(tmp_path)
    app.include_router(incident_routes(Handling(files, ledger), access))
    with TestClient(app, headers={"scopes": "read operate"}) as opened:
        yield opened


def test_an_incident_is_listed_and_handled(client: TestClient, ledger: Ledger) -> None:
    (listed,) = client.get("/api/incidents").json()
    assert (listed["state"], listed["title"], listed["monitor"]) == ("open", "the endpoint does not answer", "watch")
    here = f"/api/incidents/{listed['id']}"
    done = client.post(f"{here}/acknowledge", json={"note": "on it"}).json()
    assert (done["state"], done["acknowledged_by"]) == ("acknowledged", "kim")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert client.post(f"{here}/silence", json={"until": until}).json()["silenced"] is True
    assert client.post(f"{here}/resolve", json={"note": "over"}).json()["resolved_by"] == "kim"
    assert client.get("/api/incidents", params={"state": ["open", "acknowledged"]}).json() == []
    assert client.post(f"{here}/reopen", json={}).json()["state"] == "open"
    told = client.get(here).json()["history"]
    assert [event["what"] for event in told] == ["opened", "acknowledged", "silenced", "resolved", "reopened"]
    assert [event["who"] for event in told][1:] == ["kim"] * 4


@pytest.mark.parametrize("what", ["acknowledge", "silence", "resolve", "reopen"])
def test_who_may_only_read_changes_nothing(client: TestClient, ledger: Ledger, what: str) -> None:
    (one,) = incidents(ledger)
    body = {"until": "2099-01-01T00:00:00Z"} if what == "silence" else {}
    for scopes in ("read", "ingest", ""):
        assert client.post(f"/api/incidents/{one.id}/{what}", json=body, headers={"scopes": scopes}).status_code == 403
    assert client.get("/api/incidents", headers={"scopes": "operate"}).status_code == 403
    assert client.get(f"/api/incidents/{one.id}", headers={"scopes": ""}).status_code == 403
    assert incidents(ledger) == [one]


def test_what_cannot_be_done_is_said(client: TestClient, ledger: Ledger) -> None:
    here = f"/api/incidents/{incidents(ledger)[0].id}"
    assert client.get("/api/incidents/nothing").status_code == 404
    assert client.post("/api/incidents/nothing/resolve", json={}).status_code == 404
    assert client.post(f"{here}/reopen", json={}).status_code == 409
    assert client.post(f"{here}/silence", json={"until": "2099-01-01T00:00:00"}).status_code == 422
    assert client.post(f"{here}/resolve", json={"note": "x" * 3000}).status_code == 422
    assert client.post(f"{here}/resolve", json={"why": "x"}).status_code == 422
    assert client.get("/api/incidents", params={"severity": "grave"}).status_code == 422
    assert client.get("/api/incidents", params={"limit": 0}).status_code == 422


def test_what_is_refused_is_told_as_everywhere(client: TestClient, ledger: Ledger) -> None:
    here = f"/api/incidents/{incidents(ledger)[0].id}"

    def said(path: str, body: object = None, **query: object) -> str:
        reply = client.post(path, json=body) if body is not None else client.get(path, params=query)
        assert 400 <= reply.status_code < 500 and len(reply.text) < 500
        return str(reply.json()["detail"])

    assert said("/api/incidents", limit=0) == "limit is '0': it should be greater than or equal to 1"
    assert said("/api/incidents", severity="grave").startswith("severity is 'grave': it should be 'low', 'medium'")
    assert said("/api/incidents", monitor="wach") == "there is no monitor 'wach'; did you mean 'watch'?"
    assert said("/api/incidents", monitr="watch") == "there is no parameter 'monitr' here: did you mean 'monitor'?"
    assert said("/api/incidents", state="opn").startswith("state.0 is 'opn': it should be 'open'")
    assert "… (100,000 characters)" in said(f"{here}/resolve", {"note": "x" * 100_000})
    assert said(f"{here}/silence", {}) == "'until' is missing"
    assert said(f"{here}/silence", {"until": "soon"}).startswith("until is 'soon': it should be a valid datetime")
    assert said(f"{here}/silence", {"until": "2099-01-01T00:00:00"}).endswith("it should have timezone info")
    assert said(f"{here}/resolve", {"why": "x"}) == "'why' is not expected here"
    assert client.post(f"{here}/resolve", content=b"{", headers={"content-type": "application/json"}).json() == {
        "detail": "the body is no JSON; send an object, such as {}"
    }
