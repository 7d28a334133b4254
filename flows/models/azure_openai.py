"""Azure OpenAI deployments, by API key or by an Entra ID token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from flows.models._chat_http import ChatModel, Headers, check_connection
from flows.models._config import ModelConfig, Secret, resolve
from flows.models._errors import ModelMisconfigured
from flows.models._provider import Provider

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
        identity={
            "provider": "azure_openai",
            "endpoint": endpoint,
            "deployment": config.deployment,
            "api_version": config.api_version,
            "parameters": config.parameters,
        },
        body=config.parameters,
        headers=_key_headers(name, config.api_key) if config.api_key else _token_headers(name),
    )


def _key_headers(name: str, reference: str) -> Headers:
    key = resolve(reference, f"models.{name}.api_key")

    async def headers() -> Mapping[str, str]:
        return {"api-key": key}

    return headers


def _token_headers(name: str) -> Headers:
    token, expires = "", 0.0
    renewing = asyncio.Lock()  # requests that begin together wait for one token instead of asking for one each

    async def headers() -> Mapping[str, str]:
        nonlocal token, expires
        async with renewing:
            if time.time() > expires - 300:
                token, expires = await _fresh_token(name)
        return {"Authorization": f"Bearer {token}"}

    return headers


async def _fresh_token(name: str) -> tuple[str, float]:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity.aio import DefaultAzureCredential

    try:
        async with DefaultAzureCredential() as credential:
            fresh = await credential.get_token(SCOPE)
    except ClientAuthenticationError as problem:
        raise ModelMisconfigured(
            f"model '{name}' has no api_key and no Entra ID token could be had",
            "set api_key to ${env:NAME}, or sign in (az login, a managed identity, AZURE_CLIENT_ID …)",
        ) from problem
    return fresh.token, float(fresh.expires_on)


def check(name: str, config: AzureOpenAIConfig, folder: Path) -> str:
    """Connect to the resource's host."""
    if config.api_key:
        resolve(config.api_key, f"models.{name}.api_key")
    return check_connection(name, resolve(config.endpoint, f"models.{name}.endpoint"))


PROVIDER = Provider(config=AzureOpenAIConfig, open=open_model, check=check)
