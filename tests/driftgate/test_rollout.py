"""A proven candidate is brought to its endpoint share by share before the champion moves, through the real client."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from azure_services import SUBSCRIPTION, Cloud
from chat_endpoint import Answer, ChatEndpoint

from benchmarks.ledger import add_trained_model, champion_of, install_champion, latest_runs, open_ledger
from driftgate.workspace import open_workspace
from finetune.remediation import events_of, open_remediation, remediations
from finetune.remediation._store import add_event

ROLLOUT = {
    "workspace": {"subscription": SUBSCRIPTION, "resource_group": "rg", "workspace": "ws"},
    "endpoint": "support",
    "environment": "serve:1",
    "instance_type": "Standard_DS3_v2",
    "soak_minutes": 0,
    "samples": 12,
}


def letter(prompt: str) -> str:
    return "ABCD"[int(re.findall(r"\[(\d+)\]", prompt)[-1]) % 4]


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace with a candidate that was trained and proved, and an endpoint it is to be brought to."""
    endpoint.default = lambda prompt: Answer(letter(prompt))
    rows = [
        {"id": str(n), "question": f"[{n}] 무엇인가?", "choices": ["가", "나", "다", "라"], "answer": "ABCD"[n % 4]}
        for n in range(30)
    ]
    (tmp_path / "proof.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "x", "attempts": 1}
    config = {
        "version": 1,
        "models": {"live": model, "candidate": model},
        "datasets": {"proof": {"kind": "jsonl", "path": "proof.jsonl"}},
        "suites": {"proof": {"models": ["candidate"], "datasets": ["proof"]}},
        "champions": {"assistant": "live"},
        "gates": {"promotion": {"rules": [{"metric": "accuracy", "min": 0.5}]}},
        "recipes": {
            "mend": {
                "champion": "assistant",
                "synthesis": {"sources": [{"kind": "questions", "path": "material.jsonl"}]},
                "base_model": "live",
                "trainer": {
                    "trainer": "azure_ml",
                    "workspace": ROLLOUT["workspace"],
                    "compute": "cpu",
                    "image": "mcr.microsoft.com/azureml/base:20260901.v1",
                },
                "proof": ["proof"],
                "gate": "promotion",
                "approval": False,
                "rollout": ROLLOUT,
            }
        },
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return tmp_path


@pytest.fixture
def proved(cli, folder: Path, cloud: Cloud) -> Callable[[], tuple[str, str, str | None]]:
    """A remediation that stands before its rollout; returns how it stands: state, last message, champion."""
    cloud.azure.add_endpoint({"blue": 100})
    assert cli("bench", "proof", "-w", folder).code == 0
    assert cli("gate", "--gate", "promotion", "-w", folder).code == 0
    workspace = open_workspace(folder)
    ledger = open_ledger(workspace.ledger, folder)
    install_champion(ledger, "assistant", "live", "test")
    add_trained_model(ledger, "candidate", workspace.config.models["live"].model_dump(mode="json"), {})
    found, _ = open_remediation(ledger, "assistant", "recipe mend", "live", {"recipe": "mend"})
    run = latest_runs(ledger, 1)[0].id
    details = {"train": {"model": "candidate", "artefact": "candidate:1"}, "evaluate": {"run": run}}
    for step in ("synthesise", "train", "evaluate", "judge", "approve"):
        add_event(ledger, found.id, step, "finished", details.get(step, {}))
    ledger.close()

    def state() -> tuple[str, str, str | None]:
        ledger = open_ledger(workspace.ledger, folder)
        newest = remediations(ledger)[0]
        known = newest.state, events_of(ledger, newest.id)[-1].message, champion_of(ledger, "assistant")
        ledger.close()
        return known

    return state


def deployment(cloud: Cloud) -> str:
    """Path of the candidate's deployment."""
    path = next(path for path in cloud.azure.resources if "/deployments/d-" in path)
    return path[path.index("onlineendpoints/") :]


def traffic(cloud: Cloud) -> dict[str, int]:
    return dict(cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"])


def test_the_champion_moves_once_the_candidate_has_all_the_traffic(cli, folder, cloud, proved) -> None:
    cloud.azure.answer = letter
    assert cli("mend", "-w", folder).code == 0
    state, message, champion = proved()
    assert (state, champion) == ("open", "live")
    assert "creating" in message
    assert traffic(cloud) == {"blue": 100}
    cloud.azure.set_status(deployment(cloud), "Succeeded")
    assert cli("mend", "-w", folder).code == 0
    assert proved()[::2] == ("promoted", "candidate")
    assert list(traffic(cloud).values()) == [100]
    puts = [put for put in cloud.net.sent("PUT", "onlineEndpoints/support") if "/deployments/" not in put.path]
    assert [put.json["properties"]["traffic"].get("blue", 0) for put in puts] == [90, 50, 0]


def test_no_traffic_moves_for_a_candidate_that_cannot_be_promoted(cli, folder, cloud, proved) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["gates"]["promotion"]["rules"].append({"metric": "share.failed", "max": 0.5})
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert cli("mend", "-w", folder).code == 0
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "the rules of gate 'promotion' have changed" in message
    assert traffic(cloud) == {"blue": 100}
    assert not [path for path in cloud.azure.resources if "/deployments/d-" in path]


def test_a_deployment_that_answers_otherwise_than_the_proof_never_sees_a_user(cli, folder, cloud, proved) -> None:
    cloud.azure.answer = lambda prompt: "D"
    cli("mend", "-w", folder)
    cloud.azure.set_status(deployment(cloud), "Succeeded")
    cli("mend", "-w", folder)
    state, message, champion = proved()
    assert (state, champion) == ("rejected", "live")
    assert "rolled back" in message
    assert traffic(cloud) == {"blue": 100}


def test_a_share_is_watched_for_as_long_as_the_recipe_asks(cli, folder, cloud, proved, monkeypatch) -> None:
    file = folder / "driftgate.yaml"
    file.write_text(file.read_text().replace("soak_minutes: 0", "soak_minutes: 30"), encoding="utf-8")
    cloud.azure.answer = letter
    cli("mend", "-w", folder)
    cloud.azure.set_status(deployment(cloud), "Succeeded")
    cli("mend", "-w", folder)
    assert "live at 10 %" in proved()[1]
    asked = len(cloud.net.sent("POST", "/score"))

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[override]
            return datetime.now(UTC) + timedelta(minutes=31)

    monkeypatch.setattr("driftgate.rollout.datetime", Later)
    cli("mend", "-w", folder)
    assert "live at 50 %" in proved()[1]
    assert len(cloud.net.sent("POST", "/score")) == asked, "the questions are asked once"


def test_only_a_registered_model_can_be_rolled_out(cli, folder) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text())
    config["recipes"]["mend"]["trainer"] = {"trainer": "local"}
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    done = cli("mend", "-w", folder)
    assert done.code == 2
    assert "expected the trainer azure_ml" in done.err
