"""Any OpenAI-compatible endpoint: OpenAI, Azure's v1 path, Foundry's resources and projects, vLLM, llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from driftgate.flows.environment import resolve_secret
from driftgate.flows.models._azure_hosts import authentication, check_sign_in, is_azure
from driftgate.flows.models._chat_http import ChatModel, Door, check_connection
from driftgate.flows.models._completion import read_completion
from driftgate.flows.models._config import Secret, ServedConfig
from driftgate.flows.models._entra import Headers
from driftgate.flows.models._provider import Provider
from driftgate.flows.models._retirement import end_listed
from driftgate.flows.models._said import Address, address_of

__all__ = ["PROVIDER", "OpenAIConfig", "check", "open_model", "read_completion"]


class OpenAIConfig(ServedConfig):
    """A model served under ``POST {endpoint}/chat/completions`` or ``{endpoint}/responses``."""

    endpoint: Address
    """Base address with its version part, for example ``http://127.0.0.1:8123/v1``,
    ``https://RESOURCE.openai.azure.com/openai/v1``, ``https://RESOURCE.services.ai.azure.com/openai/v1`` or a Foundry
    project's ``https://RESOURCE.services.ai.azure.com/api/projects/PROJECT/openai/v1``."""
    model: str
    """The model's name at the service; on Azure the deployment's."""
    api_key: Secret | None = None
    """``${env:NAME}`` of the key; leave out where the service asks for none. On Azure's own hosts an Entra ID token is
    then asked of ``DefaultAzureCredential``."""


def open_model(name: str, config: OpenAIConfig, folder: Path) -> ChatModel:
    """Make the live model."""
    endpoint, headers = _reached(name, config)
    body: Mapping[str, Any] = {"model": config.model}
    stated = {"wire": config.wire} if config.wire != "auto" else {}
    return ChatModel(
        name=name,
        doors={
            "chat": Door(f"{endpoint}/chat/completions", headers, body),
            "responses": Door(f"{endpoint}/responses", headers, body),
        },
        batches=Door(endpoint, headers, body),
        target={"provider": "openai", "endpoint": endpoint, "model": config.model, **stated},
        parameters=config.parameters,
        ours=config.ours,
        scoring=config.scoring,
        wire=config.wire,
    )


def _reached(name: str, config: OpenAIConfig) -> tuple[str, Headers]:
    endpoint = address_of(config.endpoint, f"models.{name}.endpoint")
    key = resolve_secret(config.api_key, f"models.{name}.api_key") if config.api_key else None
    return endpoint, authentication(f"model '{name}'", endpoint, key, azure=is_azure(endpoint))


def check(name: str, config: OpenAIConfig, folder: Path) -> str:
    """Connect to the endpoint's host."""
    endpoint = address_of(config.endpoint, f"models.{name}.endpoint")
    if config.api_key:
        resolve_secret(config.api_key, f"models.{name}.api_key")
    check_sign_in(f"model '{name}'", azure=is_azure(endpoint), keyed=config.api_key is not None)
    return check_connection(name, endpoint)


async def ends(name: str, config: OpenAIConfig, served: str) -> date | None:
    """The day in the service's list of models."""
    endpoint, headers = _reached(name, config)
    return await end_listed(f"{endpoint}/models", headers, config.model, served)


def priced_as(config: OpenAIConfig, served: str) -> tuple[str, str]:
    """By the name that is asked for; on Azure that is a deployment's, and says nothing of the model."""
    endpoint = address_of(config.endpoint, "endpoint")
    return endpoint, served if is_azure(endpoint) else config.model


PROVIDER = Provider(
    config=OpenAIConfig,
    open=open_model,
    check=check,
    ends=ends,
    asked_for=lambda config: str(config.model),
    priced_as=priced_as,
    batches=True,
)
