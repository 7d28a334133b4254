"""A workspace whose model is watched, and what its application's telemetry holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import yaml
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Status, Step

from driftgate.monitor.telemetry import ModelCall, Store

CANARIES = 40
TOKEN = "a-token-of-enough-letters"
UNAVAILABLE, REFUSED = Status(500, {}), Status(400, {"error": {"message": "no"}})
DOWN = {
    "401": Status(401, {"error": {"message": "bad key"}}),
    "404": Status(404, {"error": {"message": "no such deployment"}}),
    "500": UNAVAILABLE,
    "400": REFUSED,
    "filtered": Status(400, AZURE_FILTERED),
    "not JSON": Status(200, b"<html>"),
}


def watched(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace with a monitor of forty canaries and one that looks at traffic too."""
    lines = [
        {"id": f"c{n}", "question": f"문제 {n}번은?", "choices": ["가", "나", "다", "라"], "answer": "A"}
        for n in range(CANARIES)
    ]
    (tmp_path / "canaries.jsonl").write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
    canaries = {"dataset": "canaries", "variant": "terse"}
    workspace = {
        "version": 1,
        "models": {"live": model},
        "datasets": {"canaries": {"kind": "jsonl", "path": "canaries.jsonl"}},
        "champions": {"assistant": "live"},
        "monitors": {
            "watch": {"champion": "assistant", "canaries": canaries, "reference_looks": 2},
            "both": {
                "champion": "assistant",
                "canaries": canaries,
                "reference_looks": 2,
                "traffic": {"request_model": "gpt-live"},
            },
        },
        "nightly": {"monitors": ["watch"]},
        "service": {"token": "${env:TEST_TOKEN}"},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(workspace, allow_unicode=True), encoding="utf-8")
    return tmp_path


def change(folder: Path, edit: Callable[[dict], object]) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text("utf-8"))
    edit(config)
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def number(prompt: str) -> int:
    return int(prompt.split("번")[0].split()[-1])


def instead(step: Step, count: int) -> Callable[[str], Step]:
    """``step`` for so many of the canaries, and the right answer for the others."""
    return lambda prompt: step if number(prompt) < count else Answer("A")


def settle(cli, folder: Path, monitor: str = "watch") -> None:
    """Two reference looks and a quiet one."""
    for _ in range(2):
        assert "reference look" in cli("monitor", "check", monitor, "-w", folder).out
    assert "look 1 at live: quiet" in cli("monitor", "check", monitor, "-w", folder).out


def calls(folder: Path, count: int, ago: timedelta, **fields: object) -> None:
    """Model calls of an application, from ``ago`` before now on, as they lie in the telemetry store."""
    begun = datetime.now(UTC) - ago
    with Store(folder / ".driftgate/telemetry") as store:
        store.append(
            [
                ModelCall(
                    **{
                        "time": begun + timedelta(seconds=n),
                        "trace_id": uuid4().hex,
                        "span_id": uuid4().hex[:16],
                        "provider": "openai",
                        "request_model": "gpt-live",
                        "response_model": "gpt-live-1",
                        "latency": 1.0 + n % 11 / 100,
                        "output_tokens": 20 + n % 5,
                        **fields,
                    }
                )
                for n in range(count)
            ]
        )


def with_recipe(folder: Path) -> None:
    recipe = {
        "champion": "assistant",
        "synthesis": {"sources": [{"kind": "questions", "path": "canaries.jsonl"}]},
        "base_model": "live",
        "trainer": {"trainer": "local"},
        "proof": ["canaries"],
        "gate": "promotion",
    }
    rules = [{"metric": "accuracy", "better_than": "champion", "dataset": "canaries"}]

    def edit(config: dict) -> None:
        config["recipes"] = {"mend": recipe}
        config["gates"] = {"promotion": {"rules": rules}}
        config["monitors"]["both"]["recipe"] = "mend"

    change(folder, edit)
