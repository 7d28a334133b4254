"""Trainers: from training items to a model that is served and benchmarked like any other.

A trainer is a module of this package whose ``KIND`` is a :class:`TrainerKind`, or an entry point of the group
``driftgate.finetune.train``.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.finetune.train._files import sha256_of
    from driftgate.finetune.train._items import TrainingItem, read_items, write_items
    from driftgate.finetune.train._trainer import (
        TRAINERS,
        Controlled,
        Estimate,
        Handle,
        JobGone,
        Recipe,
        Status,
        TrainedModel,
        Trainer,
        TrainerConfig,
        TrainerKind,
        TrainingCheckpoint,
        TrainingEvent,
        TrainingJob,
        parse_trainer,
    )
    from driftgate.finetune.train._wait import train_and_wait
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "TRAINERS",
    "Controlled",
    "Estimate",
    "Handle",
    "JobGone",
    "Recipe",
    "Status",
    "TrainedModel",
    "Trainer",
    "TrainerConfig",
    "TrainerKind",
    "TrainingCheckpoint",
    "TrainingEvent",
    "TrainingItem",
    "TrainingJob",
    "parse_trainer",
    "read_items",
    "sha256_of",
    "train_and_wait",
    "write_items",
]
