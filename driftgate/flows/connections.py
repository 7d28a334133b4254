"""Connections of the workspace: what a flow's nodes need to reach services of their own.

Prompt flow keeps connections in a keyring behind a local service. Here they stand in the workspace file, and their
secrets in the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from driftgate.flows.environment import resolve_secret, without_literal
from driftgate.flows.models import Secret, resolve
from driftgate.flows.network import rule_openai

_CLASSES = {
    "open_ai": "OpenAIConnection",
    "azure_open_ai": "AzureOpenAIConnection",
    "serverless": "ServerlessConnection",
    "cognitive_search": "CognitiveSearchConnection",
    "azure_ai_services": "AzureAIServicesConnection",
    "azure_content_safety": "AzureContentSafetyConnection",
    "form_recognizer": "FormRecognizerConnection",
    "serp": "SerpConnection",
    "custom": "CustomConnection",
}

_ASKED_BY_OPENAI = ("open_ai", "azure_open_ai", "serverless")
"""Types that prompt flow reaches with the client of the package openai."""


class ConnectionConfig(BaseModel):
    """A named connection of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: Literal[
        "open_ai",
        "azure_open_ai",
        "serverless",
        "cognitive_search",
        "azure_ai_services",
        "azure_content_safety",
        "form_recognizer",
        "serp",
        "custom",
    ]
    """Prompt flow's type of connection."""
    configs: dict[str, str] = {}
    """What is no secret: ``base_url`` (open_ai), ``api_base`` and ``api_version`` (azure_open_ai), anything (custom).
    ``${env:NAME}`` is replaced."""
    secrets: dict[str, Secret] = {}
    """Secrets, each ``${env:NAME}``: ``api_key``, or anything (custom)."""

    @field_validator("configs")
    @classmethod
    def _without_literals(cls, configs: dict[str, str]) -> dict[str, str]:
        for name, value in configs.items():
            without_literal(value)
            without_literal(f"{name}={value}")
        return configs


def for_promptflow(connections: Mapping[str, ConnectionConfig]) -> dict[str, dict[str, Any]]:
    """Connections as prompt flow's executor takes them, with the environment put in.

    Raises
    ------
    DriftgateError
        A variable of the environment is not set.
    """
    if any(connection.type in _ASKED_BY_OPENAI for connection in connections.values()):
        rule_openai()
    return {name: _resolved(name, connection) for name, connection in connections.items()}


def _resolved(name: str, connection: ConnectionConfig) -> dict[str, Any]:
    values = {key: resolve(value, f"connections.{name}.{key}") for key, value in connection.configs.items()}
    values |= {key: resolve_secret(value, f"connections.{name}.{key}") for key, value in connection.secrets.items()}
    return {
        "type": _CLASSES[connection.type],
        "module": "promptflow.connections",
        "value": values,
        "secret_keys": list(connection.secrets),
    }
