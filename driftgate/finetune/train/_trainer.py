"""What a trainer is: it takes a job, works on it for minutes or hours, here or elsewhere, and hands over a model."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelConfig
from driftgate.flows.registry import Registry

Handle = Mapping[str, Any]
"""What a submitted job is found again by: JSON-serialisable, without secrets, kept in the ledger."""

_NAME = re.compile(r"[a-z][a-z0-9-]{2,62}")


class Recipe(BaseModel):
    """How a LoRA adapter is trained; the same for the trainer on this machine and for the script on Azure ML."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    rank: int = Field(16, ge=1, le=256)
    """Rank of the two matrices; 4 learned too little of the tasks it was measured on."""
    alpha: int = Field(32, ge=1)
    """The update is scaled by alpha / rank."""
    learning_rate: float = Field(1e-3, gt=0, lt=1)
    """Highest learning rate of AdamW."""
    method: Literal["sft", "dpo"] = "sft"
    """``sft`` teaches the items' targets; ``dpo`` teaches to prefer each target to the ``rejected`` answer beside it
    (direct preference optimisation, Rafailov et al. 2023, arXiv:2305.18290)."""
    beta: float = Field(0.1, gt=0)
    """For ``dpo``: how firmly the model is held to what it was when training began."""
    steps: int = Field(100, ge=1)
    """Optimiser steps at most."""
    epochs: float | None = Field(None, gt=0)
    """Passes over the items; where it is set, it decides the number of steps, and ``steps`` does not."""
    batch: int = Field(8, ge=1)
    """Items that go through the model at once."""
    accumulate: int = Field(1, ge=1)
    """Batches whose gradients are summed before the optimiser takes its step."""
    warm_up: int = Field(10, ge=0)
    """Steps over which the learning rate rises from 0."""
    decay: float = Field(0.25, ge=0, le=1)
    """Share of the steps, at the end, over which the learning rate falls to 0; 1 falls from the start."""
    settled: float = Field(0.0, ge=0)
    """Once the mean loss of ten steps is below this, the learning rate falls to 0 and training ends; 0 takes every
    step. Learning is a late jump, so there is no stopping on a plateau."""
    cool_down: int = Field(20, ge=1)
    """Steps over which the learning rate falls once the loss is ``settled``."""
    evaluate_every: int = Field(0, ge=0)
    """Steps between two measurements on the validation items; the adapter that was best at one of them is the result.
    0: they are measured once, at the end, and the last adapter is the result."""
    patience: int = Field(0, ge=0)
    """Measurements without a better one after which training ends; 0 takes every step."""
    longest: int = Field(1024, ge=16)
    """Tokens of a prompt with its answer, at most; a longer one is refused, never cut."""
    end_of_text: bool = False
    """Also train the token that ends the answer: for answers read as text, not for letters read by log-probability."""
    packed: bool = False
    """Lay the items of a batch one behind the other into rows of ``longest`` tokens, instead of padding each: worth it
    on a graphics card with items of many lengths. Not for ``dpo``."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; ``auto`` takes a graphics card where there is one. What was taken is printed and kept."""
    four_bit: bool = False
    """Hold the base model in four bits (QLoRA; Dettmers et al. 2023, arXiv:2305.14314): needs a graphics card and the
    package ``bitsandbytes``, and is refused before the first step where either is missing."""
    threads: int = Field(1, ge=1)
    """Processor threads; worth more than one only where nothing else computes."""
    checkpoint_every: int = Field(10, ge=1)
    """Steps between two checkpoints: what a kill can cost."""

    @model_validator(mode="after")
    def _in_order(self) -> Recipe:
        if self.epochs is None and self.warm_up >= self.steps:
            raise ValueError(f"warm_up ({self.warm_up}) must be below steps ({self.steps})")
        if self.patience and not self.evaluate_every:
            raise ValueError(f"patience ({self.patience}) counts measurements: say evaluate_every")
        if self.method == "dpo" and self.packed:
            raise ValueError("packed is for sft: dpo compares answers in pairs")
        return self

    def over(self, items: int) -> Recipe:
        """The recipe for so many items: ``epochs`` as a number of steps, and a warm-up that is shorter.

        Examples
        --------
        >>> Recipe(epochs=3, batch=8, accumulate=2).over(100).steps
        19
        """
        if self.epochs is None:
            return self
        steps = max(1, math.ceil(self.epochs * items / (self.batch * self.accumulate)))
        return self.model_copy(update={"steps": steps, "epochs": None, "warm_up": min(self.warm_up, steps // 2)})

    def learning_rate_at(self, step: int, settled_at: int | None = None) -> float:
        """Learning rate of a step, counted from 0: up in a line, level, down in a line; 0 once training is over.

        Source: the "trapezoidal" or warm-up, stable, decay schedule, whose decay may begin at any step; Hägele et al.
        2024, arXiv:2405.18392.

        Parameters
        ----------
        settled_at : int, optional
            Steps that were taken when the loss was found to be ``settled``.

        Examples
        --------
        >>> recipe = Recipe(learning_rate=0.001, steps=100, warm_up=10, decay=0.25)
        >>> [round(recipe.learning_rate_at(step), 6) for step in (0, 9, 50, 75, 99)]
        [0.0001, 0.001, 0.001, 0.001, 4e-05]
        >>> [round(recipe.learning_rate_at(step, settled_at=40), 6) for step in (39, 40, 50, 59, 60)]
        [0.001, 0.001, 0.0005, 5e-05, 0.0]
        """
        rise = (step + 1) / self.warm_up if self.warm_up else 1.0
        fall = (self.steps - step) / (self.decay * self.steps) if self.decay else 1.0
        cool = 1.0 if settled_at is None else (settled_at + self.cool_down - step) / self.cool_down
        return self.learning_rate * max(0.0, min(1.0, rise, fall, cool))


@dataclass(frozen=True)
class TrainingJob:
    """What a trainer is asked to do."""

    name: str
    """Explicit and unique: submitting the same job under the same name twice starts it once."""
    base_model: Mapping[str, Any]
    """A model as it stands in the workspace file; with ``adapter``, training goes on from that adapter."""
    items: Path
    """Training items, JSON Lines; see :func:`driftgate.finetune.train.read_items`."""
    workspace: Path
    """Folder that paths in ``base_model``, and in the model that results, are relative to."""
    folder: Path
    """The job's own folder, for the trainer's files and what it brings back."""
    validation: Path | None = None
    """Items the result is measured on after training, and never trained on."""
    recipe: Recipe = field(default_factory=Recipe)
    """How to train."""
    seed: int = 0
    """Decides the adapter's first values and the order of the items."""

    def __post_init__(self) -> None:
        """Hold names to what every service takes."""
        if not _NAME.fullmatch(self.name):
            raise DriftgateError(
                f"a training job cannot be called '{self.name}'",
                "use 3 to 63 lower-case letters, digits and hyphens, beginning with a letter",
            )


@dataclass(frozen=True)
class Status:
    """Where a job stands."""

    state: Literal["running", "succeeded", "failed"]
    """``running`` includes waiting in a queue."""
    detail: str = ""
    """In words: the step, the queue, or why it failed."""
    progress: float | None = None
    """Share done, 0 to 1, where it is known."""


@dataclass(frozen=True)
class TrainedModel:
    """What a finished job hands over."""

    kind: str
    """The trainer that made it."""
    model: Mapping[str, Any]
    """A model for the workspace file, ready to be benchmarked."""
    artefact: str
    """The adapter's path, or the service's id of the model or registered version."""
    metrics: Mapping[str, float]
    """What was measured while training: losses, seconds, memory."""
    lineage: Mapping[str, Any] = field(default_factory=dict)
    """Hashes of the base, the items and the result, the recipe and the seed."""


class JobGone(DriftgateError):
    """The service does not know the job any more: somebody deleted it."""


class Trainer(Protocol):
    """Takes jobs that outlive the process that submitted them.

    Each call returns within seconds and may block: from an event loop, call it through ``asyncio.to_thread``.
    """

    def submit(self, job: TrainingJob) -> Handle:
        """Start a job, or find the one of that name: killed before the handle was kept, a caller submits again.

        Raises
        ------
        DriftgateError
            The job cannot be started, or another job, with other items or another recipe, has its name.
        """

    def poll(self, handle: Handle) -> Status:
        """Look how the job stands; work that was cut off and can go on is set going again.

        Raises
        ------
        JobGone
            It was deleted.
        DriftgateError
            The job is not known, or its service does not answer.
        """

    def result(self, handle: Handle) -> TrainedModel:
        """Hand over the model of a job that succeeded; may be called any number of times.

        Raises
        ------
        DriftgateError
            The job has not succeeded.
        """


@dataclass(frozen=True)
class TrainingEvent:
    """Something a job's service tells of it."""

    at: datetime
    level: str
    """``info``, ``warn`` or ``error``."""
    message: str


@dataclass(frozen=True)
class TrainingCheckpoint:
    """A state of the model on the way, which the service keeps."""

    step: int
    model: str
    """The service's name of it, by which it can be deployed; empty where it cannot be."""
    metrics: Mapping[str, float]


class Controlled(Protocol):
    """A trainer whose jobs can be looked into and stopped. Each method may be repeated, and does no more then."""

    def events(self, handle: Handle) -> list[TrainingEvent]:
        """What happened to the job, the oldest first."""

    def checkpoints(self, handle: Handle) -> list[TrainingCheckpoint]:
        """The states that are kept, the oldest first."""

    def cancel(self, handle: Handle) -> None:
        """Stop the job for good, and what it costs.

        Raises
        ------
        DriftgateError
            The service refused.
        """

    def pause(self, handle: Handle) -> None:
        """Stop the job, so that it can go on.

        Raises
        ------
        DriftgateError
            The service refused, or has no such thing.
        """

    def go_on(self, handle: Handle) -> None:
        """Let a paused job go on.

        Raises
        ------
        DriftgateError
            The service refused, or has no such thing.
        """


@dataclass(frozen=True)
class Estimate:
    """What a job is expected to take, from what the workspace states; None where that is not known, never 0."""

    hours: float | None
    """Hours of computing, over all machines."""
    cost: float | None
    """In the workspace's currency."""
    basis: str
    """In words: what it was worked out from, or what is to be stated so that it can be."""

    @property
    def told(self) -> str:
        """The estimate in a line.

        Examples
        --------
        >>> Estimate(2.5, 12.5, "36,000 samples at 4 a second").told
        'about 2.5 hours, cost 12.5 (36,000 samples at 4 a second)'
        >>> Estimate(None, None, "state epochs").told
        'hours and cost are not known: state epochs'
        """
        known = [f"about {self.hours:.3g} hours"] if self.hours is not None else []
        known += [f"cost {self.cost:.3g}"] if self.cost is not None else []
        return f"{', '.join(known)} ({self.basis})" if known else f"hours and cost are not known: {self.basis}"


class TrainerConfig(BaseModel):
    """A trainer's part of the workspace file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    trainer: str
    """Who trains: ``local``, ``azure_ml``, ``azure_openai`` or a plugin's name."""
    recipe: Recipe = Recipe()
    """How to train, where the trainer trains a LoRA adapter."""


@dataclass(frozen=True)
class TrainerKind:
    """A way to train."""

    config: type[TrainerConfig]
    """The pydantic model of the trainer's part of the workspace file."""
    open: Callable[[Any, Path], Trainer]
    """Make the trainer from its configuration and the workspace folder; must not reach out yet."""
    check: Callable[[Any, str, ModelConfig, Path], None] | None = None
    """Refuse what a job would be refused for once there are items: given the trainer's configuration, name and
    configuration of the base model and the workspace folder. It must not reach out; None: nothing is known beforehand.
    """
    estimate: Callable[[Any, int, int | None], Estimate] | None = None
    """Hours and cost before anything is paid, from the configuration, the number of items and of their characters
    (None before there are any); None where nobody is paid."""


TRAINERS: Registry[TrainerKind] = Registry("trainer", "driftgate.finetune.train", "KIND")


def parse_trainer(value: Mapping[str, Any]) -> TrainerConfig:
    """Validate a trainer's part of the workspace file against that trainer's configuration.

    Raises
    ------
    DriftgateError
        No trainer has that name.
    pydantic.ValidationError
        A key is unknown, missing or of the wrong type.

    Examples
    --------
    >>> parse_trainer({"trainer": "local"}).recipe.rank
    16
    """
    return TRAINERS.get(str(value.get("trainer", ""))).config.model_validate(value)
