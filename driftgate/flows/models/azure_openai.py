"""Azure OpenAI deployments, by API key or by an Entra ID token.

A dated ``api_version`` asks under ``/openai/deployments/NAME``; ``v1`` asks under ``/openai/v1``. The default stays
dated: a workspace that says nothing goes on asking what it has asked so far, under the same identity. The Responses API
is asked under ``/openai/v1`` in either case, where the same deployments answer; batches are handed in there too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from driftgate.flows.environment import resolve_secret
from driftgate.flows.models._azure_hosts import authentication, check_sign_in
from driftgate.flows.models._chat_http import ChatModel, Door, check_connection
from driftgate.flows.models._config import Secret, ServedConfig
from driftgate.flows.models._entra import Headers
from driftgate.flows.models._provider import Provider
from driftgate.flows.models._retirement import end_listed
from driftgate.flows.models._said import Address, address_of

V1 = "v1"


class AzureOpenAIConfig(ServedConfig):
    """A deployment of an Azure OpenAI resource."""

    endpoint: Address
    """The resource's address, for example ``https://NAME.openai.azure.com``."""
    deployment: str
    """Name of the deployment."""
    api_version: str = "2024-10-21"
    """Version of the data-plane API: ``v1``, which all models that are sold now answer on, or a date."""
    api_key: Secret | None = None
    """``${env:NAME}`` of the key; without it an Entra ID token is asked of ``DefaultAzureCredential``."""


def open_model(name: str, config: AzureOpenAIConfig, folder: Path) -> ChatModel:
    """Make the live model."""
    endpoint = _endpoint(name, config)
    v1 = f"{endpoint}/openai/v1"
    named: Mapping[str, Any] = {"model": config.deployment}
    new = _headers(name, config, v1)
    if config.api_version == V1:
        chat = Door(f"{v1}/chat/completions", new, named)
    else:
        path = f"{endpoint}/openai/deployments/{quote(config.deployment, safe='')}/chat/completions"
        chat = Door(f"{path}?api-version={quote(config.api_version)}", _headers(name, config, path), {})
    stated = {"wire": config.wire} if config.wire != "auto" else {}
    return ChatModel(
        name=name,
        doors={"chat": chat, "responses": Door(f"{v1}/responses", new, named)},
        batches=Door(v1, new, named),
        target={
            "provider": "azure_openai",
            "endpoint": endpoint,
            "deployment": config.deployment,
            "api_version": config.api_version,
            **stated,
        },
        parameters=config.parameters,
        ours=config.ours,
        scoring=config.scoring,
        wire=config.wire,
    )


def _endpoint(name: str, config: AzureOpenAIConfig) -> str:
    return address_of(config.endpoint, f"models.{name}.endpoint")


def _headers(name: str, config: AzureOpenAIConfig, url: str) -> Headers:
    key = resolve_secret(config.api_key, f"models.{name}.api_key") if config.api_key else None
    return authentication(f"model '{name}'", url, key, azure=True)


def check(name: str, config: AzureOpenAIConfig, folder: Path) -> str:
    """Connect to the resource's host."""
    if config.api_key:
        resolve_secret(config.api_key, f"models.{name}.api_key")
    check_sign_in(f"model '{name}'", azure=True, keyed=config.api_key is not None)
    return check_connection(name, address_of(config.endpoint, f"models.{name}.endpoint"))


async def ends(name: str, config: AzureOpenAIConfig, served: str) -> date | None:
    """The day in the resource's list of models, which knows the model that is served and not the deployment."""
    endpoint = _endpoint(name, config)
    if config.api_version == V1:
        url = f"{endpoint}/openai/v1/models"
    else:
        url = f"{endpoint}/openai/models?api-version={quote(config.api_version)}"
    return await end_listed(url, _headers(name, config, url), served, config.deployment)


def priced_as(config: AzureOpenAIConfig, served: str) -> tuple[str, str]:
    """By the model that is served: a deployment's name is the user's own."""
    return address_of(config.endpoint, "endpoint"), served


PROVIDER = Provider(
    config=AzureOpenAIConfig, open=open_model, check=check, ends=ends, priced_as=priced_as, batches=True
)
