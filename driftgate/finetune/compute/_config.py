"""What a workspace says of benchmarks that jobs of Azure Machine Learning ask."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from driftgate.finetune._azure import AzureMLWorkspace
from driftgate.finetune._azure_jobs import pinned_image
from driftgate.flows.amounts import Amount
from driftgate.flows.path_settings import READ

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""Name of a variable of the environment."""


class AzureMLBench(BaseModel):
    """Command jobs of Azure Machine Learning, of which each asks a share of a run: ``driftgate bench --on azureml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    workspace: AzureMLWorkspace
    """The workspace that the jobs run in."""
    compute: str = ""
    """Compute cluster; empty for serverless compute, which ``instance_type`` then names."""
    instance_type: str = ""
    """Virtual machine size of serverless compute, for example ``Standard_DS3_v2``."""
    shards: int = Field(4, ge=1, le=64)
    """Jobs, of one machine each, where ``--shards`` does not say."""
    max_hours: Amount | None = None
    """After so many hours the service ends a job; unset: never."""
    image: Annotated[str, AfterValidator(pinned_image)]
    """Base image with its tag or digest, for example ``mcr.microsoft.com/azureml/NAME:TAG``."""
    extras: list[Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]] = []
    """Extras of driftgate that the suite needs, such as ``promptflow`` or ``judges``. They and driftgate's own
    requirements are pinned to what is installed here."""
    requirements: Annotated[str, READ] = ""
    """File of further pinned requirements, ``NAME==VERSION`` on each line: what the workspace's own code imports."""
    files: list[str] = []
    """Files and folders of the workspace that the jobs take along beside the suite's flow, data and code: what own code
    reads by itself."""
    variables: list[Variable] = []
    """Variables of the environment whose values go along, for whoever may look at the jobs to read: addresses, never
    keys. All others that the suite refers to must be set on the compute."""
    experiment: str = Field("driftgate", min_length=1)
    """Experiment that the jobs are listed under."""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.compute and not self.instance_type:
            raise ValueError("neither a compute nor the instance_type of serverless compute is named")
        return self
