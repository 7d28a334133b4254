"""A trained model into production: blue/green on managed online endpoints, deployments of Azure OpenAI models."""

from finetune._azure import AzureMLWorkspace
from finetune.deploy._endpoint import Deployment, EndpointState, OnlineEndpoint
from finetune.deploy._openai import OpenAIAccount, deployed
from finetune.deploy._rollout import Check, Gate, Rollout, RolloutState, Verdict, shares_with

__all__ = [
    "AzureMLWorkspace",
    "Check",
    "Deployment",
    "EndpointState",
    "Gate",
    "OnlineEndpoint",
    "OpenAIAccount",
    "Rollout",
    "RolloutState",
    "Verdict",
    "deployed",
    "shares_with",
]
