"""What a workspace says of the repair of a champion."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from driftgate.benchmarks.use import UseConfig
from driftgate.finetune.assurance import PrivacyLimits
from driftgate.finetune.deploy import RolloutConfig
from driftgate.finetune.remediation import BudgetConfig
from driftgate.finetune.synthesis import LEAST_ITEMS as LEAST_ITEMS  # a repair with fewer is rejected
from driftgate.finetune.synthesis import SynthesisConfig
from driftgate.finetune.train import TrainerConfig, parse_trainer
from driftgate.flows.errors import DriftgateError


def _trainer(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    try:
        return parse_trainer(value)
    except DriftgateError as problem:
        raise ValueError(str(problem)) from problem


class RecipeConfig(UseConfig):
    """How a champion that got worse is replaced by a better one."""

    champion: str
    """The slot whose champion is repaired."""
    synthesis: SynthesisConfig
    """What the training items are made from. What is too like an item of any dataset of the workspace is refused."""
    base_model: str
    """The model of the workspace that is trained."""
    trainer: Annotated[TrainerConfig, BeforeValidator(_trainer)]
    """Who trains, and how."""
    flow: str = "multiple_choice"
    """The flow the trained model will be asked through."""
    retriever: str | None = None
    """Name of a retriever of the workspace, for flows that search documents."""
    variant: str = ""
    """The flow's variant; empty for its default."""
    proof: list[str] = Field(min_length=1)
    """Datasets the candidate and the champion are compared on: the slice that fell, the rest, a sealed hold-out."""
    gate: str
    """The gate that decides; its rules may speak of ``champion``."""
    privacy: PrivacyLimits | None = None
    """Limits of the training items' privacy: nothing is trained on that did not pass them. Without it none is asked
    for."""
    approval: bool = True
    """A person must agree before the champion moves (``driftgate remediation approve``)."""
    rollout: RolloutConfig | None = None
    """The endpoint the candidate is brought to before the champion moves; only what ``azure_ml`` trained can be."""
    budget: BudgetConfig = BudgetConfig()
    """What a repair may take, and how soon the next one may follow."""
    seed: int = 0
    """Decides how training begins; the synthesis has a seed of its own."""

    @model_validator(mode="after")
    def _registered(self) -> Self:
        if self.rollout is not None and self.trainer.trainer != "azure_ml":
            raise ValueError(
                f"a rollout brings a registered model to an endpoint, and the trainer '{self.trainer.trainer}' "
                "registers none; expected the trainer azure_ml"
            )
        return self
