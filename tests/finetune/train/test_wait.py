"""Waiting for a trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from driftgate.finetune.train import Status, TrainedModel, TrainingJob, train_and_wait
from driftgate.flows.errors import DriftgateError

DONE = TrainedModel("scripted", {"provider": "local"}, "adapter", {})


@dataclass
class Scripted:
    """A trainer whose job goes through the given states."""

    states: list[Status]
    submitted: list[str] = field(default_factory=list)

    def submit(self, job: TrainingJob) -> Mapping[str, Any]:
        self.submitted.append(job.name)
        return {"name": job.name}

    def poll(self, handle: Mapping[str, Any]) -> Status:
        return self.states.pop(0)

    def result(self, handle: Mapping[str, Any]) -> TrainedModel:
        return DONE


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    return TrainingJob("a-job", {}, tmp_path / "items.jsonl", tmp_path, tmp_path)


def test_it_says_what_changes_and_hands_over_the_model(job: TrainingJob) -> None:
    said: list[str] = []
    steps = ["queued", "step 1", "step 1", "step 2"]
    trainer = Scripted([*(Status("running", step) for step in steps), Status("succeeded")])
    assert train_and_wait(trainer, job, said.append, seconds=0) is DONE
    assert said == ["queued", "step 1", "step 2"] and trainer.submitted == ["a-job"]


def test_a_job_that_failed_says_why_and_where(job: TrainingJob) -> None:
    with pytest.raises(DriftgateError, match=r"a-job.*no memory") as caught:
        train_and_wait(Scripted([Status("failed", "no memory")]), job, print, seconds=0)
    assert str(job.folder) in caught.value.remedy
