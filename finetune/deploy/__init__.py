"""A trained model into production: blue/green on managed online endpoints, deployments of Azure OpenAI models."""

from finetune._azure import AzureMLWorkspace
from finetune.deploy._config import RolloutConfig
from finetune.deploy._endpoint import Deployment, EndpointState, OnlineEndpoint
from finetune.deploy._model import DeployedModel
from finetune.deploy._openai import OpenAIAccount, deployed
from finetune.deploy._rollout import Check, Gate, Rollout, RolloutState, Verdict, shares_with

__all__ = [
    "AzureMLWorkspace",
    "Check",
    "DeployedModel",
    "Deployment",
    "EndpointState",
    "Gate",
    "OnlineEndpoint",
    "OpenAIAccount",
    "Rollout",
    "RolloutConfig",
    "RolloutState",
    "Verdict",
    "deployed",
    "shares_with",
]
