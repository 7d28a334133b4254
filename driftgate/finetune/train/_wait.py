"""Train and wait, where a person or a demonstration wants the model now."""

from __future__ import annotations

import time
from collections.abc import Callable

from driftgate.finetune.train._trainer import TrainedModel, Trainer, TrainingJob
from driftgate.flows.errors import DriftgateError


def train_and_wait(
    trainer: Trainer, job: TrainingJob, say: Callable[[str], None], seconds: float = 5.0
) -> TrainedModel:
    """Submit a job, or find it, and wait for its model.

    Parameters
    ----------
    say : callable
        Told in words where the job stands, whenever that changes.
    seconds : float
        Time between two looks at the job.

    Raises
    ------
    DriftgateError
        The job cannot be started, or it failed.
    """
    handle = trainer.submit(job)
    said = ""
    while (status := trainer.poll(handle)).state == "running":
        if status.detail != said:
            said = status.detail
            say(said)
        time.sleep(seconds)
    if status.state == "failed":
        raise DriftgateError(f"job '{job.name}' failed: {status.detail}", f"see {job.folder}")
    return trainer.result(handle)
