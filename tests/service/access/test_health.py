"""Health that anybody may ask for, and metrics for who may read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import driftgate
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, create_key

from .conftest import TOKEN, Serve, bearer


def test_ready_means_that_ledger_and_telemetry_can_be_written_to(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftgate.service.access._health._FRESH_SECONDS", 0.0)
    client = serve()
    assert client.get("/livez").json() == client.get("/readyz").json() == {"status": "ok"}
    shutil.rmtree(tmp_path / ".driftgate/telemetry")
    (tmp_path / ".driftgate/telemetry").write_text("a file")
    gone = client.get("/readyz")
    assert (gone.status_code, gone.json()) == (503, {"status": "not ready"})
    assert client.get("/livez").status_code == 200
    (tmp_path / ".driftgate/telemetry").unlink()
    (tmp_path / ".driftgate/telemetry/spool").mkdir(parents=True)
    assert client.get("/readyz").status_code == 200


def test_a_ledger_that_cannot_be_used_is_no_defect_and_says_nothing_private(
    serve: Serve, kept: Ledger, tmp_path: Path
) -> None:
    client = serve()
    key = create_key(kept, "app", ["ingest", "read"], by="me").secret
    (tmp_path / ".driftgate").rename(tmp_path / "elsewhere")
    kept.close()  # only now: a connection that was opened in between would go on with the file where it is
    assert client.get("/readyz").status_code == 503
    for reply in (
        client.get("/health", headers=bearer(key)),
        client.get("/api/runs", headers=bearer(TOKEN)),
        client.post("/v1/traces", content=b"{}", headers=bearer(key) | {"content-type": "application/json"}),
    ):
        assert reply.status_code == 503 and reply.headers["retry-after"]  # exporters send it again
        assert str(tmp_path) not in reply.text
    (tmp_path / "elsewhere").rename(tmp_path / ".driftgate")


def test_metrics_count_by_route_and_name_nothing_private(serve: Serve) -> None:
    client = serve()
    for run in ("one", "two"):
        client.get(f"/api/runs/{run}-private", headers=bearer(TOKEN))
    client.get("/nowhere-private")
    client.request("BREW", "/livez")
    said = {"key": "gen_ai.something.new", "value": {"stringValue": "x"}}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [said]}]}]}]}
    client.post("/v1/traces", json=body, headers=bearer(TOKEN))
    shown = client.get("/metrics", headers=bearer(TOKEN))
    assert shown.headers["content-type"].startswith("text/plain")
    lines = set(shown.text.splitlines())
    assert 'driftgate_http_requests_total{method="GET",route="/api/runs/{run_id}",status="404"} 2.0' in lines
    assert 'driftgate_http_requests_total{method="GET",route="none",status="404"} 1.0' in lines
    assert 'driftgate_telemetry_not_kept_total{reason="unknown"} 1.0' in lines
    assert 'driftgate_incidents{severity="critical",state="open"} 0.0' in lines
    assert "private" not in shown.text and "BREW" not in shown.text


def test_what_nobody_expected_has_the_headers_of_every_reply(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve()
    monkeypatch.setattr("driftgate.service._app.latest_runs", lambda *_: 1 / 0)
    careless = TestClient(client.app, raise_server_exceptions=False)
    failed = careless.get("/api/runs", headers=bearer(TOKEN))
    assert failed.status_code == 500 and "ZeroDivision" not in failed.text
    assert failed.headers["x-content-type-options"] == "nosniff" and failed.headers["content-security-policy"]


def test_metrics_tell_of_channels(serve: Serve, kept: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "a-secret-that-both-have")
    hook = {"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": "${env:HOOK_SECRET}"}
    client = serve(notifications={"channels": {"hook": hook}})
    lines = set(client.get("/metrics", headers=bearer(TOKEN)).text.splitlines())
    assert 'driftgate_channel_failing{channel="hook"} 0.0' in lines
    with driftgate.open(tmp_path) as ws, pytest.raises(DriftgateError):
        ws.tell_test("hook")
    lines = set(client.get("/metrics", headers=bearer(TOKEN)).text.splitlines())
    assert 'driftgate_channel_failing{channel="hook"} 1.0' in lines
    assert 'driftgate_notifications{channel="hook",state="given up"} 1.0' in lines
    (told,) = client.get("/api/channels", headers=bearer(TOKEN)).json()
    assert told["channel"] == "hook" and told["trouble"].startswith("fails, 0 messages wait: ")
