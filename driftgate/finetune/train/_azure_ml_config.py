"""What a workspace says of training as a job of Azure Machine Learning, and what such a job takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from driftgate.finetune._azure import AzureMLWorkspace
from driftgate.finetune._azure_jobs import pinned_image
from driftgate.finetune.train._trainer import Estimate, TrainerConfig
from driftgate.flows.amounts import Amount
from driftgate.flows.path_settings import READ


class AzureMLTraining(TrainerConfig):
    """A command job of Azure Machine Learning."""

    workspace: AzureMLWorkspace
    """The workspace that the job runs in."""
    compute: str = ""
    """Compute cluster or instance; empty for serverless compute, which ``instance_type`` then names."""
    instance_type: str = ""
    """Virtual machine size, for example ``Standard_NC24ads_A100_v4``: of serverless compute, and for the estimate of
    what a job takes."""
    instance_count: int = Field(1, ge=1, le=1)
    """Machines; the training program uses the cards of one."""
    price_per_hour: float | None = Field(None, ge=0)
    """What one machine takes for an hour, in the workspace's currency; unset: cost is not known."""
    samples_per_second: float | None = Field(None, gt=0)
    """What an earlier job of this recipe on such a machine measured (its metric of that name); unset: hours are not
    known beforehand."""
    max_hours: Amount | None = None
    """After so many hours the service ends the job; unset: never."""
    image: Annotated[str, AfterValidator(pinned_image)]
    """Base image with its tag or digest, for example ``mcr.microsoft.com/azureml/NAME:TAG``."""
    requirements: Annotated[Path, READ] = Path("finetune/requirements.txt")
    """Pinned requirements of training, relative to the workspace folder; where it has no such file, those that ship."""
    experiment: str = Field("driftgate", min_length=1)
    """Experiment that the jobs are listed under."""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.compute and not self.instance_type:
            raise ValueError("neither a compute nor the instance_type of serverless compute is named")
        return self


def estimate(config: AzureMLTraining, items: int, characters: int | None) -> Estimate:
    """Hours and cost of a job from what an earlier one measured."""
    if config.samples_per_second is None:
        return Estimate(None, None, "state samples_per_second, as an earlier job measured it, and hours are known")
    recipe = config.recipe.over(items)
    samples = recipe.steps * recipe.batch * recipe.accumulate
    hours = samples / config.samples_per_second / 3600 * config.instance_count
    told = f"{samples:,} samples at {config.samples_per_second:g} a second, without the start of a machine"
    if config.price_per_hour is None:
        return Estimate(hours, None, f"{told}; state price_per_hour, and the cost is known")
    return Estimate(hours, hours * config.price_per_hour, f"{told}, at {config.price_per_hour:g} an hour")


def metered(config: AzureMLTraining, metrics: Mapping[str, float]) -> dict[str, float]:
    """Hours of the training program, and what they cost; the start of its machine is not among them."""
    seconds = metrics.get("program_seconds")
    if seconds is None:
        return {}
    hours = seconds / 3600 * config.instance_count
    return {"hours": hours} | ({"cost": hours * config.price_per_hour} if config.price_per_hour is not None else {})
