"""A provider turns a model's configuration into a live model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from driftgate.flows.models._config import ModelConfig
from driftgate.flows.models._types import Message, Model, Reply
from driftgate.flows.registry import Registry


def _complete(model: Model, messages: Sequence[Message]) -> Awaitable[Reply]:
    return model.complete(messages)


def _nobody(config: Any) -> str:
    return ""


@dataclass(frozen=True)
class Provider:
    """A way to reach models."""

    config: type[ModelConfig]
    """The pydantic model of the provider's part of the workspace file."""
    open: Callable[[str, Any, Path], Model]
    """Make the model called ``name`` from its configuration; paths are relative to the workspace folder."""
    check: Callable[[str, Any, Path], str]
    """Try the least that shows the model is reachable; returns what was found, raises DriftgateError otherwise."""
    probe: Callable[[Model, Sequence[Message]], Awaitable[Reply]] | None = _complete
    """Ask the model once; of what its service refuses there may be further requests. None where there is nobody to
    ask."""
    ends: Callable[[str, Any, str], Awaitable[date | None]] | None = None
    """The day on which the model called ``name`` ends, from its configuration and the name under which its service
    says it serves it, where that is known; None where no service says it."""
    asked_for: Callable[[Any], str] = _nobody
    """The name by which the service is asked for the model, and which it should say it serves; empty where its own
    name for the model is another, such as of a deployment."""
    priced_as: Callable[[Any, str], tuple[str, str]] | None = None
    """The address that is asked and the name of the model there, from its configuration and the name under which its
    service says it serves it (empty: not known). Prices are listed by both. None where the model is served here, or
    nowhere."""
    batches: bool = False
    """Whether its models are :class:`~driftgate.flows.models.Batchable`."""


PROVIDERS: Registry[Provider] = Registry("model provider", "driftgate.flows.models", "PROVIDER")


def parse_config(value: Mapping[str, Any]) -> ModelConfig:
    """Validate a model's part of the workspace file against its provider's configuration.

    Raises
    ------
    DriftgateError
        No provider has that name.
    pydantic.ValidationError
        A key is unknown, missing or of the wrong type.
    """
    return PROVIDERS.get(str(value.get("provider", ""))).config.model_validate(value)
