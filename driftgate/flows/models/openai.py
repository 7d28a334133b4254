"""Any OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, llama.cpp, Azure AI Foundry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from driftgate.flows.models._chat_http import ChatModel, ask_once, check_connection
from driftgate.flows.models._completion import read_completion
from driftgate.flows.models._config import ModelConfig, Secret, resolve
from driftgate.flows.models._provider import Provider

__all__ = ["PROVIDER", "OpenAIConfig", "check", "open_model", "read_completion"]


class OpenAIConfig(ModelConfig):
    """A model served under ``POST {endpoint}/chat/completions``."""

    endpoint: str
    """Base address with its version part, for example ``http://127.0.0.1:8123/v1``."""
    model: str
    """The model's name at the service."""
    api_key: Secret | None = None
    """``${env:NAME}`` of the key; leave out where the service asks for none."""


def open_model(name: str, config: OpenAIConfig, folder: Path) -> ChatModel:
    """Make the live model."""
    endpoint = resolve(config.endpoint, f"models.{name}.endpoint").rstrip("/")
    key = resolve(config.api_key, f"models.{name}.api_key") if config.api_key else None

    async def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    return ChatModel(
        name=name,
        url=f"{endpoint}/chat/completions",
        target={"provider": "openai", "endpoint": endpoint, "model": config.model},
        body={"model": config.model},
        parameters=config.parameters,
        ours=config.ours,
        scoring=config.scoring,
        headers=headers,
        batches=endpoint,
    )


def check(name: str, config: OpenAIConfig, folder: Path) -> str:
    """Connect to the endpoint's host."""
    if config.api_key:
        resolve(config.api_key, f"models.{name}.api_key")
    return check_connection(name, resolve(config.endpoint, f"models.{name}.endpoint"))


PROVIDER = Provider(
    config=OpenAIConfig,
    open=open_model,
    check=check,
    probe=ask_once,
    asked_for=lambda config: str(config.model),
    batches=True,
)
