"""Two services on one ledger and one telemetry folder."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from driftgate.api.workspace import open_workspace
from driftgate.ledger import open_ledger
from driftgate.monitor.telemetry import frame
from driftgate.service._make import make_service

TOKEN = "a-token-of-enough-letters"


def spans(numbers: range) -> dict[str, Any]:
    now = time.time_ns()
    told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai"}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
    made = [
        {
            "traceId": f"{number + 1:032x}",
            "spanId": f"{number + 1:016x}",
            "name": "chat m",
            "kind": 3,
            "startTimeUnixNano": str(now - 10**9),
            "endTimeUnixNano": str(now),
            "attributes": attributes,
        }
        for number in numbers
    ]
    return {"resourceSpans": [{"scopeSpans": [{"spans": made}]}]}


def test_a_look_sees_all_that_either_received_and_one_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    config = {"version": 1, "service": {"token": "${env:TEST_TOKEN}", "telemetry": "shared"}}
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    workspace, ledger = open_workspace(tmp_path), open_ledger("ledger.db", tmp_path)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        TestClient(make_service(workspace, ledger), headers=headers) as one,
        TestClient(make_service(workspace, ledger), headers=headers) as two,
    ):
        assert one.post("/v1/traces", json=spans(range(0, 30))).status_code == 200
        assert two.post("/v1/traces", json=spans(range(20, 50))).status_code == 200  # ten are sent again, to the other
        for _ in range(50):
            leading = [client.get("/health").json()["leading"] for client in (one, two)]
            if any(leading):
                break
            time.sleep(0.1)
        assert sorted(leading) == [False, True]
        now = datetime.now(UTC)
        assert len(frame(workspace.telemetry, now - timedelta(hours=1), now)) == 50
    assert len(frame(workspace.telemetry, now - timedelta(hours=1), now)) == 50
    ledger.close()
