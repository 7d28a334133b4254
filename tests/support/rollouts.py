"""A workspace whose candidate is proved and is to be brought to an endpoint, and how it then stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from azure_services import SUBSCRIPTION, Cloud
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli

from driftgate.api.workspace import open_workspace
from driftgate.finetune.remediation import ending, events_of, open_remediation, remediations
from driftgate.finetune.remediation._store import add_event
from driftgate.finetune.synthesis import Candidate, CoverageDataset, Dropped, record_dataset
from driftgate.finetune.train import TrainingItem, sha256_of, write_items
from driftgate.ledger import Ledger, add_trained_model, champion_of, install_champion, latest_runs, open_ledger

LEDGER = ".driftgate/ledger.db"
ROLLOUT = {
    "workspace": {"subscription": SUBSCRIPTION, "resource_group": "rg", "workspace": "ws"},
    "endpoint": "support",
    "environment": "serve:1",
    "instance_type": "Standard_DS3_v2",
    "soak_minutes": 0,
    "samples": 12,
}


def letter(prompt: str) -> str:
    """The right answer to a question of the workspace."""
    return "ABCD"[int(re.findall(r"\[(\d+)\]", prompt)[-1]) % 4]


def make_workspace(folder: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace with a recipe that brings what it trained to an endpoint; the models of the file answer right."""
    endpoint.default = lambda prompt: Answer(letter(prompt))
    rows = [
        {"id": str(n), "question": f"[{n}] 무엇인가?", "choices": ["가", "나", "다", "라"], "answer": "ABCD"[n % 4]}
        for n in range(30)
    ]
    (folder / "proof.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "x", "attempts": 1}
    names = ("live", "candidate", "second")
    config = {
        "version": 1,
        "models": dict.fromkeys(names, model),
        "datasets": {"proof": {"kind": "jsonl", "path": "proof.jsonl"}},
        "suites": {name: {"models": [name], "datasets": ["proof"]} for name in names},
        "champions": {"assistant": "live"},
        "monitors": {"watch": {"champion": "assistant", "canaries": {"dataset": "proof", "limit": 20}}},
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
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the workspace file."""
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(config)
    file.write_text(yaml.safe_dump(config), encoding="utf-8")


def add_material(folder: Path, ledger: Ledger, remediation: str) -> dict[str, Any]:
    """Training items of a remediation, and their lineage; what its history says of them."""
    made = [
        Candidate(f"{n}?", ("가", "나"), "A", "s", "l", "as_written", f"{n}", f"1/{n}", "0f", "ready", "1", 0)
        for n in range(20)
    ]
    dropped = tuple(Dropped(name, "1", 0, "", "") for name in ("privacy", "firewall"))
    lineage = record_dataset(ledger, CoverageDataset(tuple(made), {}, 20, dropped, 0, 0, "config", 0))
    file = folder / ".driftgate" / "remediations" / remediation / "items.jsonl"
    write_items(file, [TrainingItem(one.question, one.answer, id=one.content_hash) for one in made])
    inside = file.relative_to(folder).as_posix()
    return {"items": inside, "sha256": sha256_of(file), "count": len(made), "lineage": lineage}


def prove(cli: Cli, folder: Path, model: str = "candidate") -> str:
    """Open a remediation that stands before the rollout of a model; returns its id."""
    assert cli("bench", model, "-w", folder).code == 0
    assert cli("gate", "--gate", "promotion", "-w", folder).code == 0
    workspace = open_workspace(folder)
    ledger = open_ledger(LEDGER, folder)
    install_champion(ledger, "assistant", "live", "test")
    live = champion_of(ledger, "assistant")
    assert live is not None
    add_trained_model(ledger, model, workspace.config.models["live"].model_dump(mode="json"), {})
    found, _ = open_remediation(ledger, "assistant", "recipe mend", live, {"recipe": "mend"})
    run = latest_runs(ledger, 1)[0].id
    material = add_material(folder, ledger, found.id)
    details = {"synthesise": material, "train": {"model": model, "artefact": f"{model}:1"}, "evaluate": {"run": run}}
    for step in ("synthesise", "train", "evaluate", "judge", "approve"):
        add_event(ledger, found.id, step, "finished", details.get(step, {}))
    ledger.close()
    return found.id


def standing(folder: Path) -> tuple[str, str, str | None]:
    """How the newest remediation stands: its state, its last message; and who is champion."""
    ledger = open_ledger(LEDGER, folder)
    newest = remediations(ledger)[0]
    events = events_of(ledger, newest.id)
    last = events[-1] if newest.state == "open" else ending(events) or events[-1]
    known = newest.state, last.message, champion_of(ledger, "assistant")
    ledger.close()
    return known


def messages(folder: Path) -> list[str]:
    """What the newest remediation's history says, in order."""
    ledger = open_ledger(LEDGER, folder)
    told = [event.message for event in events_of(ledger, remediations(ledger)[0].id) if event.message]
    ledger.close()
    return told


def deployments(cloud: Cloud) -> list[str]:
    """Paths of the deployments that rollouts made, in order."""
    paths = [path for path in cloud.azure.resources if "/deployments/d-" in path]
    return [path[path.index("onlineendpoints/") :] for path in paths]


def traffic(cloud: Cloud) -> dict[str, int]:
    """The endpoint's traffic."""
    return dict(cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"])


def traffic_puts(cloud: Cloud) -> list[dict[str, int]]:
    """The traffic maps that were asked for, in order."""
    puts = [put for put in cloud.net.sent("PUT", "onlineEndpoints/support") if "/deployments/" not in put.path]
    return [put.json["properties"]["traffic"] for put in puts]


def begin(cli: Cli, folder: Path, cloud: Cloud) -> None:
    """Advance until the newest deployment answers and has what it is given of the traffic."""
    cloud.azure.answer = letter
    assert cli("remediation", "run", "-w", folder).code == 3
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    assert cli("remediation", "run", "-w", folder).code in (0, 3)
