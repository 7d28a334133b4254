"""Azure OpenAI deployments, by API key or by an Entra ID token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from driftgate.flows.models._chat_http import ChatModel, Headers, ask_once, check_connection
from driftgate.flows.models._config import ModelConfig, Secret, resolve
from driftgate.flows.models._entra import can_sign_in, token_headers
from driftgate.flows.models._provider import Provider

SCOPE = "https://cognitiveservices.azure.com/.default"


class AzureOpenAIConfig(ModelConfig):
    """A deployment of an Azure OpenAI resource."""

    endpoint: str
    """The resource's address, for example ``https://NAME.openai.azure.com``."""
    deployment: str
    """Name of the deployment."""
    api_version: str = "2024-10-21"
    """Version of the data-plane API."""
    api_key: Secret | None = None
    """``${env:NAME}`` of the key; without it an Entra ID token is asked of ``DefaultAzureCredential``."""


def open_model(name: str, config: AzureOpenAIConfig, folder: Path) -> ChatModel:
    """Make the live model."""
    endpoint = resolve(config.endpoint, f"models.{name}.endpoint").rstrip("/")
    return ChatModel(
        name=name,
        url=f"{endpoint}/openai/deployments/{quote(config.deployment, safe='')}/chat/completions"
        f"?api-version={quote(config.api_version)}",
        target={
            "provider": "azure_openai",
            "endpoint": endpoint,
            "deployment": config.deployment,
            "api_version": config.api_version,
        },
        body={},
        parameters=config.parameters,
        ours=config.ours,
        scoring=config.scoring,
        headers=_key_headers(name, config.api_key) if config.api_key else token_headers(f"model '{name}'", SCOPE),
    )


def _key_headers(name: str, reference: str) -> Headers:
    key = resolve(reference, f"models.{name}.api_key")

    async def headers() -> Mapping[str, str]:
        return {"api-key": key}

    return headers


def check(name: str, config: AzureOpenAIConfig, folder: Path) -> str:
    """Connect to the resource's host."""
    if config.api_key:
        resolve(config.api_key, f"models.{name}.api_key")
    else:
        can_sign_in(f"model '{name}'")
    return check_connection(name, resolve(config.endpoint, f"models.{name}.endpoint"))


PROVIDER = Provider(config=AzureOpenAIConfig, open=open_model, check=check, probe=ask_once)
