"""What is live: champions, looks at their canaries, alerts, and the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from fastapi.testclient import TestClient
from promoted import put_in_place

from driftgate.api.workspace import open_workspace
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, latest_runs, open_ledger
from driftgate.monitor.watch import alerts_of, looks_of
from driftgate.service._make import make_service

TOKEN = "a-token-of-enough-letters"
QUESTIONS = 40


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace with a champion, another model of the same service, and forty canaries."""
    lines = [
        {"question": f"문제 {n}번은?", "choices": ["가", "나", "다", "라"], "answer": "A", "category": f"범주 {n % 2}"}
        for n in range(QUESTIONS)
    ]
    (tmp_path / "canaries.jsonl").write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
    workspace = {
        "version": 1,
        "models": {"live": model, "next": model},
        "datasets": {"canaries": {"kind": "jsonl", "path": "canaries.jsonl"}},
        "champions": {"assistant": "live"},
        "monitors": {
            "watch": {
                "champion": "assistant",
                "canaries": {"dataset": "canaries", "variant": "terse"},
                "reference_looks": 2,
            }
        },
        "service": {"token": "${env:TEST_TOKEN}"},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(workspace, allow_unicode=True), encoding="utf-8")
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    opened = open_ledger(".driftgate/ledger.db", folder)
    yield opened
    opened.close()


def test_a_model_that_answers_otherwise_is_noticed_and_named_by_slice(cli, folder, endpoint, ledger) -> None:
    for said in ("reference look", "reference look", "look 1 at live: quiet"):
        done = cli("monitor", "check", "watch", "-w", folder)
        assert done.code == 0, done.err
        assert said in done.out
    endpoint.default = lambda prompt: Answer("B" if int(prompt.split("번")[0].split()[-1]) % 2 else "A")
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 1
    assert "'범주 1'" in done.out
    found = [row.alert for row in alerts_of(ledger)]
    assert {alert.cause for alert in found} == {"model"}
    assert all(alert.slices == ("범주 1",) for alert in found)
    assert cli("monitor", "alerts", "-w", folder).out.count("watch") == len(found) + 1  # and what it saw last


def test_failed_calls_are_no_evidence_against_the_model_nor_for_it(cli, folder, endpoint, ledger) -> None:
    from chat_endpoint import Status

    for _ in range(2):
        assert cli("monitor", "check", "watch", "-w", folder).code == 0
    endpoint.default = lambda prompt: Status(500, {}) if "문제 3번" in prompt else Answer("A")
    assert cli("monitor", "check", "watch", "-w", folder).code == 0
    endpoint.default = lambda prompt: Status(500, {}) if "3번" in prompt else Answer("A")
    assert cli("monitor", "check", "watch", "-w", folder).code == 4  # a loss of ten points could hide in four of forty
    assert not alerts_of(ledger)


def test_a_promotion_begins_a_new_reference_and_a_rollback_another(cli, folder, ledger) -> None:
    for _ in range(3):
        cli("monitor", "check", "watch", "-w", folder)
    assert looks_of(ledger, "watch")[0].number == 1
    put_in_place(ledger, "assistant", "next", reason="it was better")
    assert "reference look at next" in cli("monitor", "check", "watch", "-w", folder).out
    shown = cli("champion", "list", "-w", folder)
    assert shown.code == 0
    assert "it was better" in " ".join(shown.out.split())
    assert "live" in cli("champion", "rollback", "assistant", "--reason", "complaints", "-w", folder).out
    assert "reference look at live" in cli("monitor", "check", "watch", "-w", folder).out
    refused = cli("champion", "rollback", "assistant", "--reason", "again", "-w", folder)
    assert refused.code == 2
    assert "no champion to go back to" in refused.err


def test_every_route_asks_for_the_token(folder, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        routes = [
            ("GET", "/"),
            ("GET", "/health"),
            ("GET", "/api/runs"),
            ("GET", "/api/runs/x"),
            ("GET", "/api/alerts"),
            ("GET", "/api/looks"),
            ("GET", "/api/jobs"),
        ]
        for method, path in [*routes, ("POST", "/v1/traces"), ("POST", "/v1/logs")]:
            assert client.request(method, path).status_code == 401, path
            wrong = client.request(method, path, headers={"Authorization": "Bearer wrong"})
            assert wrong.status_code == 401, path
        for path in ("/docs", "/openapi.json", "/redoc"):
            assert client.get(path).status_code in (401, 404)
        allowed = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/health", headers=allowed).json()["status"] == "ok"
        assert client.get("/", auth=("anyone", TOKEN)).status_code == 200


def test_what_was_received_and_not_kept_is_told(cli, folder, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    said = {"key": "gen_ai.something.new", "value": {"stringValue": "x"}}
    far = {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}
    at = {"traceId": "ab" * 16, "spanId": "cd" * 8, "startTimeUnixNano": "1000000000"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [said]}, {"attributes": [far], **at}]}]}]}
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        assert client.get("/health").json()["telemetry_not_kept"] == {}
        told = client.post("/v1/traces", json=body).json()["partialSuccess"]
        assert (told["rejectedSpans"], "receiver's clock" in told["errorMessage"]) == ("1", True)
        assert client.get("/health").json()["telemetry_not_kept"] == {"unknown": 1, "far_clock": 1}
    done = cli("monitor", "collect", "-w", folder)
    assert "in no dialect that is known" in done.out and "receiver's clock" in done.out


def test_the_service_shows_runs_and_escapes_what_it_shows(cli, folder, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    cli("monitor", "check", "watch", "-w", folder)
    newest = latest_runs(ledger, 1)[0].id
    put_in_place(ledger, "assistant", "next", reason="<script>alert(1)</script>")
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        run = next(row for row in client.get("/api/runs").json() if row["id"] == newest)
        assert (run["suite"], run["kind"]) == ("canary-watch", "canary")
        detail = client.get(f"/api/runs/{run['id']}").json()
        scores = {row["metric"]: row["value"] for row in detail["cells"][0]["scores"]}
        assert scores["accuracy"] == 1.0
        assert client.get("/api/runs/nothing").status_code == 404
        assert run["id"] in client.get("/runs").text
        page = client.get("/champions").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_the_page_says_when_the_champion_s_deployment_ends(cli, folder, endpoint, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    endpoint.listed = {"data": [{"id": "gpt-test", "shutdown_date": "2031-02-06"}]}
    assert cli("doctor", "-w", folder).code == 0
    assert cli("champion", "list", "-w", folder).code == 0
    with TestClient(make_service(open_workspace(folder), ledger)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        assert "this deployment ends on 2031-02-06" in client.get("/").text


def test_a_short_token_is_refused(folder, ledger, monkeypatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", "short")
    with pytest.raises(DriftgateError, match="at least 16"):
        make_service(open_workspace(folder), ledger)
