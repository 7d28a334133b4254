"""What a recipe says of the way into production."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from driftgate.finetune._azure import AzureMLWorkspace
from driftgate.finetune.deploy._endpoint import Deployment
from driftgate.finetune.deploy._rollout import MOST_MIRRORED
from driftgate.flows.amounts import Amount
from driftgate.flows.path_settings import READ
from driftgate.flows.text import on_disk


class RolloutConfig(BaseModel):
    """A managed online endpoint that the candidate is brought to, share by share, before the champion moves."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    workspace: AzureMLWorkspace
    """The workspace of the endpoint."""
    endpoint: str
    """The endpoint; it speaks OpenAI's chat completions."""
    environment: str = Field(pattern=r"^[^:/]+:[^:/]+$")
    """Registered environment that serves the model, ``name:version``."""
    instance_type: str
    """Virtual machine size, for example ``Standard_NC4as_T4_v3``."""
    instance_count: int = Field(1, ge=1)
    """Machines."""
    code: Annotated[Path | None, READ] = None
    """Folder of the scoring script, relative to the workspace; leave out where the environment serves by itself."""
    scoring_script: str = "score.py"
    """Name of the scoring script in ``code``."""
    shares: tuple[int, ...] = (10, 50, 100)
    """Per cent of the live requests, rising to 100."""
    mirror: int = Field(0, ge=0, le=MOST_MIRRORED)
    """Per cent of the live requests to mirror before the first live one; 0 leaves this step out."""
    soak_minutes: float = Field(60.0, ge=0)
    """How long each share is watched at least before it is judged. An alert of a monitor that watches the champion's
    place, about something it did not say before the rollout, restores the traffic at once."""
    samples: int = Field(40, ge=1)
    """Questions of the first dataset of the proof that are asked of the deployment before it sees a user."""
    agreement: float = Field(0.93, gt=0, le=1)
    """Share of them that it must answer as the candidate did in its proof; and, at every share of the traffic, of the
    canaries of each monitor that watches the champion's place, as the deployment did before it had any. Of a model that
    samples it is the share of what it answers alike when nothing changed."""
    margin: float = Field(0.02, ge=0, lt=1)
    """Where such a monitor reads telemetry: by how much the share of calls that fail, are refused or could not be made
    sense of may rise. A share of the traffic is passed once it is shown to have risen by less."""
    patience_hours: Amount = 168.0
    """How long a step may stay undecided, for want of calls or because nothing could be measured, before the traffic
    is restored."""

    settle_hours: Amount = 6.0
    """How long the creation of the deployment, or another change of it or of the endpoint, may take, and how long the
    deployment may fail to answer canaries while it has traffic: then the traffic is restored."""
    keep_refused: bool = False
    """Whether the deployment of a candidate that did not become champion stays, and is paid for. Otherwise it is
    deleted once it has no traffic."""

    def deployment(self, name: str, model: str, folder: Path) -> Deployment:
        """The candidate's deployment; ``model`` is the registered ``name:version``, ``folder`` the workspace."""
        names = ("environment", "instance_type", "instance_count", "scoring_script")
        code = on_disk(folder / self.code) if self.code is not None else None
        return Deployment(name=name, model=model, code=code, **{key: getattr(self, key) for key in names})
