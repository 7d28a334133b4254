"""A trained model into production: blue/green on managed online endpoints, deployments of Azure OpenAI models."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.finetune._azure import AzureMLWorkspace
    from driftgate.finetune.deploy._config import RolloutConfig
    from driftgate.finetune.deploy._endpoint import Condition, Deployment, EndpointGone, EndpointState, OnlineEndpoint
    from driftgate.finetune.deploy._judged import Judged, gravest
    from driftgate.finetune.deploy._model import DeployedModel
    from driftgate.finetune.deploy._move import TrafficMove, read_move
    from driftgate.finetune.deploy._openai import OpenAIAccount, delete_deployment, deployed, read_deployment
    from driftgate.finetune.deploy._rollout import (
        Ask,
        Check,
        Gate,
        Retired,
        Rollout,
        RolloutState,
        shares_with,
        take_back,
    )
    from driftgate.finetune.deploy._swap import Swap, SwapConfig, SwapFailed, SwapMove
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Ask",
    "AzureMLWorkspace",
    "Check",
    "Condition",
    "DeployedModel",
    "Deployment",
    "EndpointGone",
    "EndpointState",
    "Gate",
    "Judged",
    "OnlineEndpoint",
    "OpenAIAccount",
    "Retired",
    "Rollout",
    "RolloutConfig",
    "RolloutState",
    "Swap",
    "SwapConfig",
    "SwapFailed",
    "SwapMove",
    "TrafficMove",
    "delete_deployment",
    "deployed",
    "gravest",
    "read_deployment",
    "read_move",
    "shares_with",
    "take_back",
]
