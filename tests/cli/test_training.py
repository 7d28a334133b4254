"""A repair's training job is looked into and stopped from the command line, by whoever trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from azure_services import OPENAI_HOST, SUBSCRIPTION, Cloud

import driftgate
from driftgate.finetune.remediation import open_remediation
from driftgate.finetune.remediation._store import add_event
from driftgate.finetune.train import TRAINERS, TrainingItem, TrainingJob, parse_trainer, write_items
from driftgate.ledger import open_ledger

TRAINER = {
    "trainer": "azure_openai",
    "endpoint": f"https://{OPENAI_HOST}",
    "base": "gpt-oss-20b",
    "account": {"subscription": SUBSCRIPTION, "resource_group": "rg", "account": "openai"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a recipe whose trainer is a service."""
    base = {"provider": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "m"}
    recipe = {
        "champion": "assistant",
        "synthesis": {"sources": [{"kind": "questions", "path": "q.jsonl"}]},
        "base_model": "live",
        "trainer": TRAINER,
        "proof": ["own"],
        "gate": "promotion",
    }
    config = {
        "version": 1,
        "models": {"live": base},
        "datasets": {"own": {"kind": "jsonl", "path": "own.jsonl"}},
        "champions": {"assistant": "live"},
        "gates": {"promotion": {"rules": [{"metric": "accuracy", "min": 0.5}]}},
        "recipes": {"mend": recipe},
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return tmp_path


def _remediation(folder: Path, *, submitted: bool) -> str:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    one, _ = open_remediation(ledger, "assistant", "recipe mend", "live", {"recipe": "mend"})
    if submitted:
        write_items(folder / "items.jsonl", [TrainingItem(f"# user:\n문의 {n}", "물류팀") for n in range(12)])
        job = TrainingJob("assistant-r1", {"provider": "openai"}, folder / "items.jsonl", folder, folder / "job")
        handle = TRAINERS.get("azure_openai").open(parse_trainer(TRAINER), folder).submit(job)
        add_event(ledger, one.id, "train", "noted", {"handle": dict(handle)})
    ledger.close()
    return one.id


def test_a_job_is_shown_paused_resumed_and_cancelled(cli, cloud: Cloud, folder: Path) -> None:
    name = _remediation(folder, submitted=True)
    (job,) = cloud.azure.fine_tuning_jobs
    job["status"] = "running"
    event = {"id": "e1", "object": "fine_tuning.job.event", "level": "info", "created_at": 1, "message": "step 1 of 9"}
    cloud.azure.job_events.append(event)
    shown = cli("training", "show", name, "-w", folder)
    assert shown.code == 0, shown.err
    assert "job assistant-r1" in shown.out and "running" in shown.out and "info step 1 of 9" in shown.out
    assert "estimated: hours and cost are not known" in shown.out
    assert "running: paused" in cli("training", "pause", name, "-w", folder).out
    assert "running: running" in cli("training", "resume", name, "-w", folder).out
    assert "failed: cancelled" in cli("training", "cancel", name, "-w", folder).out
    with driftgate.open(folder) as ws:
        assert ws.training(name).status.state == "failed"


def test_a_repair_without_a_job_says_so(cli, folder: Path) -> None:
    done = cli("training", "show", _remediation(folder, submitted=False), "-w", folder)
    assert done.code == 2 and "has begun no training" in done.err
