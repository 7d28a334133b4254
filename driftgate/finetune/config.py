"""What a workspace says of the repair of a champion."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from driftgate.benchmarks.use import UseConfig
from driftgate.finetune.assurance import PrivacyLimits
from driftgate.finetune.choice import ChoiceConfig
from driftgate.finetune.deploy import RolloutConfig, SwapConfig
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


class FurtherAttempt(BaseModel):
    """What is done otherwise after the gate rejected a candidate; what is not named stays."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    shares: list[float] = []
    """The share of each source of the synthesis, in their order: more of the old task where a candidate forgot it."""
    count: int | None = Field(None, ge=1, le=100_000)
    """Items wanted."""
    recipe: dict[str, Any] = {}
    """Settings of the trainer's recipe, for example ``learning_rate``."""
    trainer: dict[str, Any] = {}
    """Other settings of the trainer, for example ``epochs`` of a service that trains by passes."""
    seed: int | None = None
    """Decides how training begins; unset: the recipe's own and the number of the attempt."""


class ReplacementConfig(BaseModel):
    """How a champion is replaced whose deployment ends: as by a repair, with the models of the recipe's choice."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    days: int = Field(90, ge=60, le=730)
    """It is opened by ``driftgate nightly`` from so many days before the deployment ends, at least 60."""
    gate: str | None = None
    """The gate that decides; unset: the recipe's own. A successor has to be no worse, a repair has to be better."""


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
    choice: ChoiceConfig | None = None
    """What is tried before training, by the same proof and gate; where something of it passes, it is proposed and
    nothing is trained. Without it training is the only repair."""
    replacement: ReplacementConfig | None = None
    """Whether a champion whose deployment ends is replaced in time (``retires`` of the model, or what its service
    says). Unset: it is only said."""
    privacy: PrivacyLimits | None = None
    """Limits of the training items' privacy: nothing is trained on that did not pass them. Without it none is asked
    for."""
    approval: bool = True
    """A person must agree before the champion moves (``driftgate remediation approve``)."""
    rollout: RolloutConfig | None = None
    """The endpoint the candidate is brought to before the champion moves; only what ``azure_ml`` trained can be."""
    swap: SwapConfig | None = None
    """The Azure OpenAI or Foundry deployment that the application asks, and whose model is exchanged for the candidate
    just before the champion moves; only for what ``azure_openai`` trained. Such deployments have no traffic split: all
    requests meet the new model at once."""
    budget: BudgetConfig = BudgetConfig()
    """What a repair may take, and how soon the next one may follow."""
    seed: int = 0
    """Decides how training begins; the synthesis has a seed of its own."""
    further_attempts: list[FurtherAttempt] = []
    """What is done otherwise when the gate rejects a candidate, one attempt after the other. All are judged on the same
    proof, so the chance that a bad one passes grows with their number: divide the gate's ``alpha`` by it."""

    def replacing(self) -> RecipeConfig:
        """The recipe as it replaces a champion whose deployment ends: by other models, as its prompts end with it."""
        gate = self.replacement.gate if self.replacement is not None else None
        models = self.choice.models if self.choice is not None else []
        choice = ChoiceConfig(models=models) if models else None
        return self.model_copy(update={"gate": gate or self.gate, "choice": choice})

    def attempt(self, number: int) -> RecipeConfig:
        """The recipe of an attempt, counted from 1; the first is the recipe as it stands.

        Raises
        ------
        DriftgateError
            There are not so many.
        """
        if number == 1:
            return self
        if not 1 < number <= 1 + len(self.further_attempts):
            raise DriftgateError(
                f"attempt {number} is asked for and the recipe has {1 + len(self.further_attempts)}",
                "name what is to be done otherwise in its further_attempts",
            )
        other = self.further_attempts[number - 2]
        sources = [
            source.model_copy(update={"share": share})
            for source, share in zip(self.synthesis.sources, other.shares or self._shares, strict=True)
        ]
        synthesis = {"sources": sources} | ({"count": other.count} if other.count else {})
        set_there = self.trainer.model_dump(exclude_unset=True)
        trainer = {**set_there, **other.trainer, "recipe": {**set_there.get("recipe", {}), **other.recipe}}
        return self.model_copy(
            update={
                "synthesis": self.synthesis.model_copy(update=synthesis),
                "trainer": parse_trainer(trainer),
                "seed": self.seed + number - 1 if other.seed is None else other.seed,
            }
        )

    @property
    def _shares(self) -> list[float]:
        return [source.share for source in self.synthesis.sources]

    @model_validator(mode="after")
    def _attempts_can_be_made(self) -> Self:
        for number, other in enumerate(self.further_attempts, start=2):
            if other.shares and (len(other.shares) != len(self._shares) or min(other.shares) <= 0):
                raise ValueError(
                    f"further attempt {number - 1} has the shares {other.shares}; "
                    f"expected {len(self._shares)} above 0, one for each source"
                )
            self.attempt(number)
        return self

    @model_validator(mode="after")
    def _registered(self) -> Self:
        if self.rollout is not None and self.trainer.trainer == "azure_openai":
            raise ValueError(
                "a rollout raises shares of an endpoint's traffic, and a deployment of Azure OpenAI or Foundry has "
                "none; expected swap: with the deployment whose model is exchanged"
            )
        if self.swap is not None and self.trainer.trainer != "azure_openai":
            raise ValueError(
                f"a swap exchanges the model of an Azure OpenAI or Foundry deployment, which '{self.trainer.trainer}' "
                "trains none for; expected the trainer azure_openai"
            )
        if self.rollout is not None and self.trainer.trainer != "azure_ml":
            raise ValueError(
                f"a rollout brings a registered model to an endpoint, and the trainer '{self.trainer.trainer}' "
                "registers none; expected the trainer azure_ml"
            )
        return self
