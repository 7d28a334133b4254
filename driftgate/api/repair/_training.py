"""The step that trains the candidate, here or elsewhere; and the end of a training that nobody wants any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from driftgate.api.repair._asking import require_proof
from driftgate.api.repair._context import Context, clean_items, recipe_of
from driftgate.api.repair._spending import TRAINING
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.remediation import Abandoned, Material, Progress, Remediation, Spent, Trained, set_spent
from driftgate.finetune.train import TRAINERS, Handle, JobGone, Trainer, TrainingJob
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import add_trained_model

_POLL_SECONDS = 2.0
_HOUR = 3600.0


class Submitted(BaseModel):
    """What is known of a training job before it has ended."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    key: str = ""
    """Its name, noted before it is submitted: under this its trainer finds it where the handle was not kept."""
    at: datetime | None = None
    """When it was about to be submitted for the first time."""
    handle: Mapping[str, Any] | None = None
    """What it is found again by."""


@runtime_checkable
class Cancels(Protocol):
    """A trainer that can end a job."""

    def cancel(self, handle: Handle) -> None:
        """End a job; one that has ended already is left as it is."""


@runtime_checkable
class Discards(Protocol):
    """A trainer that deploys what it trained, and can delete that deployment."""

    def discard(self, handle: Handle) -> str:
        """Delete it, and say so; empty where there is none."""


@dataclass(frozen=True)
class TrainingStep:
    """Trains; a job that was submitted is found again by its handle, or by its name where that was not kept."""

    context: Context

    async def __call__(self, progress: Progress) -> Trained:
        """Submit once, and wait.

        Raises
        ------
        Abandoned
            The job failed, was cancelled or is gone, or takes longer than the budget allows.
        """
        context, recipe = self.context, self.context.recipe
        trainer = TRAINERS.get(recipe.trainer.trainer).open(recipe.trainer, context.workspace.folder)
        name = context.candidate(progress.remediation)
        job = TrainingJob(
            name=name,
            base_model=context.workspace.config.models[recipe.base_model].model_dump(mode="json", exclude_unset=True),
            items=clean_items(context.workspace, context.ledger, progress.remediation, progress.found.get(Material)),
            workspace=context.workspace.folder,
            folder=context.folder(progress.remediation) / "training",
            recipe=recipe.trainer.recipe,
            seed=recipe.seed,
        )
        known = progress.noted(Submitted)
        began = known.at or datetime.now(UTC)
        if not known.key:
            require_proof(context, progress)  # what was made may have taken the calls
            progress.note({"key": name, "at": began.isoformat()}, f"submitting training job {name}")
        handle = known.handle or await self._submitted(trainer, job, progress)
        while True:
            try:
                status = await asyncio.to_thread(trainer.poll, handle)
            except JobGone as problem:
                raise Abandoned(f"the training job is gone: {problem}") from problem
            hours = self._count(progress, began)
            if status.state != "running":
                break
            if recipe.budget.gpu_hours is not None and hours > recipe.budget.gpu_hours:
                raise Abandoned(f"the budget of {recipe.budget.gpu_hours:g} hours of training is used up")
            await asyncio.sleep(_POLL_SECONDS)
        if status.state == "failed":
            raise Abandoned(f"training failed: {status.detail}")
        trained = await asyncio.to_thread(trainer.result, handle)
        add_trained_model(context.ledger, name, trained.model, trained.lineage)
        artefact = _inside(context.workspace, trained.artefact)
        return Trained(model=name, artefact=artefact, metrics=dict(trained.metrics))

    async def _submitted(self, trainer: Trainer, job: TrainingJob, progress: Progress) -> Handle:
        """Submit a job and note its handle, whatever else is called off meanwhile: what is paid is known."""
        submitting = asyncio.ensure_future(asyncio.to_thread(trainer.submit, job))
        try:
            handle = await asyncio.shield(submitting)
        except asyncio.CancelledError:
            progress.note({"handle": dict(await submitting)})
            raise
        progress.note({"handle": dict(handle)})
        return handle

    def _count(self, progress: Progress, began: datetime) -> float:
        machines = getattr(self.context.recipe.trainer, "instance_count", 1)
        hours = max(0.0, (datetime.now(UTC) - began).total_seconds()) / _HOUR * machines
        set_spent(progress.ledger, progress.remediation.id, TRAINING, Spent(hours=hours))
        return hours


async def cancel_training(workspace: OpenWorkspace, progress: Progress) -> None:
    """End the training of a remediation that has ended, or delete what its trainer deployed, where its trainer can.

    A service that does not answer does not keep the remediation open: what could not be cancelled or deleted is said.
    """
    known = progress.noted(Submitted)
    if not known.key or "ended" in progress.notes:
        return
    told = []
    if not progress.found.has(Trained):
        cancelled = await asyncio.to_thread(_cancelled, workspace, progress.remediation, known)
        told.append(f"training job {known.key} {cancelled}")
    if discarded := await asyncio.to_thread(_discarded, workspace, progress.remediation, known):
        told.append(f"of what was trained, {discarded}")
    if told:
        progress.note({"ended": True}, "; ".join(told))


def _discarded(workspace: OpenWorkspace, remediation: Remediation, known: Submitted) -> str:
    if known.handle is None:
        return ""
    try:
        recipe = recipe_of(workspace, remediation)
        trainer = TRAINERS.get(recipe.trainer.trainer).open(recipe.trainer, workspace.folder)
        return trainer.discard(known.handle) if isinstance(trainer, Discards) else ""
    except (DriftgateError, JobGone) as problem:
        return f"a deployment may be left to pay, so look at its service: {problem}"


def _cancelled(workspace: OpenWorkspace, remediation: Remediation, known: Submitted) -> str:
    look = "may be under way, so look at its service"
    if known.handle is None:
        return f"{look}: whether it was submitted is not known"
    try:
        recipe = recipe_of(workspace, remediation)
        trainer = TRAINERS.get(recipe.trainer.trainer).open(recipe.trainer, workspace.folder)
        if not isinstance(trainer, Cancels):
            return f"{look}: its trainer cannot cancel one"
        trainer.cancel(known.handle)
    except JobGone:
        return "is gone"
    except DriftgateError as problem:
        return f"{look}: it could not be cancelled: {problem}"
    return "was cancelled"


def _inside(workspace: OpenWorkspace, artefact: str) -> str:
    """A file of the workspace as it is called there; whatever else as it is."""
    try:
        path = Path(artefact)
        return path.relative_to(workspace.folder).as_posix() if path.is_absolute() else artefact
    except ValueError:
        return artefact
