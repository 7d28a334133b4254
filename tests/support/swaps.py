"""A deployment of an Azure OpenAI account that an application asks, and a workspace that exchanges its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azure_services import ACCOUNT, OPENAI_HOST, SUBSCRIPTION, Cloud
from chat_endpoint import ChatEndpoint
from rollouts import edit, make_workspace

SERVES = f"{ACCOUNT}/deployments/assistant"
TUNED = "candidate:1"
BEFORE = {"format": "OpenAI", "name": "gpt-oss-20b.ft-old", "version": "1"}
ADDRESS = {"subscription": SUBSCRIPTION, "resource_group": "rg", "account": "openai"}


def add_deployment(cloud: Cloud, state: str = "Succeeded") -> None:
    """Let the account have the deployment ``assistant``."""
    properties = {"model": BEFORE, "provisioningState": state, "raiPolicyName": "own", "capabilities": {"chat": "true"}}
    cloud.azure.resources[SERVES.lower()] = {
        "id": SERVES,
        "name": "assistant",
        "etag": '"1"',
        "sku": {"name": "GlobalStandard", "capacity": 20},
        "properties": properties,
    }


def served(cloud: Cloud) -> str:
    """The model that the application is answered by."""
    name: str = cloud.azure.resources[SERVES.lower()]["properties"]["model"]["name"]
    return name


def puts(cloud: Cloud) -> list[dict[str, Any]]:
    """What the deployment was told, in order."""
    return [put.json for put in cloud.net.sent("PUT", "/deployments/assistant")]


def make_swapping(folder: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace whose recipe exchanges the deployment's model."""

    def change(config: dict[str, Any]) -> None:
        recipe = config["recipes"]["mend"]
        recipe.pop("rollout")
        recipe["swap"] = {"account": ADDRESS, "deployment": "assistant"}
        recipe["trainer"] = {
            "trainer": "azure_openai",
            "endpoint": f"https://{OPENAI_HOST}",
            "base": "gpt-oss-20b",
            "account": ADDRESS,
        }

    make_workspace(folder, endpoint)
    edit(folder, change)
    return folder
