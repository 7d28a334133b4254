"""What holds for every source: it is found by name, its settings are checked, collecting again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from logs_endpoint import LogsEndpoint
from pydantic import ValidationError

from driftgate.ledger import Ledger
from driftgate.monitor.telemetry import Intake, ModelCall, Store, frame
from driftgate.monitor.telemetry.sources import SOURCES, Collected, SourceConfig, parse_config

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, dict[str, Any]]]:
    """For each source, settings with which it finds one call."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"time": "2026-03-01T09:00:00Z"}\n')
    row = {"TimeGenerated": "2026-03-01T09:00:00Z", "OperationId": "1" * 32, "Id": "1" * 16, "DurationMs": 1.0}
    row |= {"Success": True, "ItemCount": 1, "Properties": '{"gen_ai.operation.name": "chat"}'}
    service = LogsEndpoint(spans=[row])
    service.start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{service.address}/token")  # DefaultAzureCredential finds an identity here
    monkeypatch.setenv("IDENTITY_HEADER", "of-the-test")
    yield {
        "otlp": {},
        "files": {"folder": str(tmp_path / "in")},
        "log_analytics": {"workspace_id": "w", "endpoint": service.address, "enforce_https": False, "since": START},
    }
    service.stop()


def test_the_sources_are_found() -> None:
    assert {"otlp", "files", "log_analytics"} <= set(SOURCES.names())


@pytest.mark.parametrize("name", ["otlp", "files", "log_analytics"])
def test_collecting_again_changes_nothing(
    name: str,
    settings: dict[str, dict[str, Any]],
    tmp_path: Path,
    ledger: Ledger,
    make_call: Callable[..., ModelCall],
) -> None:
    config = parse_config({"source": name, **settings[name]})
    assert isinstance(config, SourceConfig)
    with Store(tmp_path / "telemetry") as store:
        if name == "otlp":
            store.append([make_call(0)])
        for _ in range(2):
            collected = SOURCES.get(name).collect(config, store, ledger, Intake(), NOW)
            assert isinstance(collected, Collected)
            assert START < collected.until <= NOW
            assert len(frame(store.folder, START, NOW)) == 1


@pytest.mark.parametrize("name", ["otlp", "files", "log_analytics"])
def test_an_unknown_setting_is_refused(name: str, settings: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        parse_config({"source": name, **settings[name], "surprise": 1})
