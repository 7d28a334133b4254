"""A trained model into production: blue/green on managed online endpoints, deployments of Azure OpenAI models."""

from finetune._azure import AzureMLWorkspace
from finetune.deploy._config import RolloutConfig
from finetune.deploy._endpoint import Deployment, EndpointState, OnlineEndpoint
from finetune.deploy._judged import Judged, gravest
from finetune.deploy._model import DeployedModel
from finetune.deploy._openai import OpenAIAccount, deployed
from finetune.deploy._rollout import Ask, Check, Gate, Rollout, RolloutState, shares_with, take_back

__all__ = [
    "Ask",
    "AzureMLWorkspace",
    "Check",
    "DeployedModel",
    "Deployment",
    "EndpointState",
    "Gate",
    "Judged",
    "OnlineEndpoint",
    "OpenAIAccount",
    "Rollout",
    "RolloutConfig",
    "RolloutState",
    "deployed",
    "gravest",
    "shares_with",
    "take_back",
]
