"""What a rollout did to an endpoint, kept so that it can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from driftgate.finetune._azure import AzureMLWorkspace
from driftgate.finetune.deploy._endpoint import OnlineEndpoint
from driftgate.finetune.deploy._rollout import Retired, retire, take_back
from driftgate.finetune.deploy._swap import SwapMove


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

    @property
    def given(self) -> str:
        """What was done, in words."""
        return f"the traffic of endpoint {self.endpoint} to {self.deployment}"

    @property
    def as_before(self) -> str:
        """How it was before, in words."""
        shares = ", ".join(f"{name} {share} %" for name, share in self.before.items())
        return f"endpoint {self.endpoint} sends its traffic to {shares}"

    @property
    def left(self) -> str:
        """What is there still once it is undone, in words."""
        return f"deployment {self.deployment} of endpoint {self.endpoint} stays, and is paid for until you delete it"

    async def retire(self) -> Retired:
        """Delete the deployments that served before and serve nothing now: nobody goes back to them then.

        Raises
        ------
        DriftgateError
            See :func:`driftgate.finetune.deploy._rollout.retire`.
        """
        return await retire(OnlineEndpoint(self.workspace, self.endpoint), self.deployment, self.before)

    async def undo(self) -> Mapping[str, int]:
        """Give the traffic back to those who had it, and return it as it is then; repeating it does no more.

        Raises
        ------
        DriftgateError
            See :func:`take_back`.
        """
        return await take_back(OnlineEndpoint(self.workspace, self.endpoint), self.deployment, self.before)


def read_move(kept: Mapping[str, Any]) -> TrafficMove | SwapMove:
    """What a rollout did, as it is kept with the promotion.

    Examples
    --------
    >>> address = {"subscription": "s", "resource_group": "g"}
    >>> kept = {"workspace": address | {"workspace": "w"}, "endpoint": "e", "deployment": "d", "before": {"blue": 100}}
    >>> read_move(kept).as_before
    'endpoint e sends its traffic to blue 100 %'
    """
    return SwapMove.model_validate(kept) if "account" in kept else TrafficMove.model_validate(kept)
