"""What a rollout did to an endpoint, kept so that it can be undone."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from driftgate.finetune._azure import AzureMLWorkspace
from driftgate.finetune.deploy._endpoint import OnlineEndpoint
from driftgate.finetune.deploy._rollout import take_back


class TrafficMove(BaseModel):
    """All the traffic of an endpoint, given to a deployment."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    workspace: AzureMLWorkspace
    """The workspace of the endpoint."""
    endpoint: str
    """The endpoint."""
    deployment: str
    """Who got the traffic."""
    before: Mapping[str, int]
    """Who had it, in per cent."""

    async def undo(self) -> Mapping[str, int]:
        """Give the traffic back to those who had it, and return it as it is then; repeating it does no more.

        Raises
        ------
        DriftgateError
            See :func:`take_back`.
        """
        return await take_back(OnlineEndpoint(self.workspace, self.endpoint), self.deployment, self.before)
