"""Looking into the training job of a remediation, and stopping it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from driftgate.api.repair import recipe_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.remediation import events_of, find_remediation
from driftgate.finetune.train import TRAINERS, Controlled, Handle, Status, Trainer, TrainingCheckpoint, TrainingEvent
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger

Order = Literal["cancel", "pause", "resume"]
"""What a training job can be told to do."""


@dataclass(frozen=True)
class TrainingView:
    """How the training job of a remediation stands."""

    remediation: str
    job: str
    status: Status
    estimate: str
    """Hours and cost, as they were worked out before it was submitted; empty where nobody is paid."""
    events: Sequence[TrainingEvent]
    checkpoints: Sequence[TrainingCheckpoint]


def look_at_training(workspace: OpenWorkspace, ledger: Ledger, name: str) -> TrainingView:
    """Ask whoever trains.

    Raises
    ------
    DriftgateError
        The remediation has begun no training, or who trains does not answer.
    """
    remediation, trainer, handle = _job(workspace, ledger, name)
    controls = cast(Controlled, trainer)
    status = trainer.poll(handle)
    events, checkpoints = controls.events(handle), controls.checkpoints(handle)
    estimate = str(handle.get("estimate", ""))
    return TrainingView(remediation, str(handle["name"]), status, estimate, events, checkpoints)


def order_training(workspace: OpenWorkspace, ledger: Ledger, name: str, order: Order) -> TrainingView:
    """Cancel, pause or resume the training job of a remediation; a cancelled one ends the remediation when it goes on.

    Raises
    ------
    DriftgateError
        See :func:`look_at_training`; or who trains has no such thing.
    """
    _, trainer, handle = _job(workspace, ledger, name)
    controls = cast(Controlled, trainer)
    {"cancel": controls.cancel, "pause": controls.pause, "resume": controls.go_on}[order](handle)
    return look_at_training(workspace, ledger, name)


def _job(workspace: OpenWorkspace, ledger: Ledger, name: str) -> tuple[str, Trainer, Handle]:
    one = find_remediation(ledger, name)
    handles = [e.detail["handle"] for e in events_of(ledger, one.id) if e.step == "train" and e.detail.get("handle")]
    if not handles:
        raise DriftgateError(
            f"remediation {one.id} has begun no training that is known here",
            f"see how far it is: driftgate remediation show {one.id}",
        )
    config = recipe_of(workspace, one).trainer
    trainer = TRAINERS.get(config.trainer).open(config, workspace.folder)
    if not hasattr(trainer, "cancel"):
        raise DriftgateError(f"the trainer '{config.trainer}' cannot be asked this", "ask its service")
    return one.id, trainer, handles[-1]
