"""The model that plays the judge, as azure-ai-evaluation wants it and as a pin says who it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.models import PROVIDERS, Capabilities, ChatModel, ModelConfig, effort_of, resolve
from driftgate.flows.models.azure_openai import AzureOpenAIConfig
from driftgate.flows.models.openai import OpenAIConfig

NO_KEY = "none"
"""Sent where a service asks for no key: the openai client insists on one."""


ROOM = 60_000
"""Tokens that a judge that reasons may write, as azure-ai-evaluation itself has it; its prompts allow for a grade."""


@dataclass(frozen=True)
class Judge:
    """A model of the workspace that grades; of its parameters only the reasoning effort is used, the others are those
    of the prompt."""

    name: str
    config: OpenAIConfig | AzureOpenAIConfig
    known: Callable[[str], Capabilities | None] = field(default=lambda name: None, compare=False, repr=False)
    """What was learnt of the deployment of a model, by the model's name."""

    @property
    def _effort(self) -> dict[str, Any]:
        effort = effort_of(self.config.parameters)
        return {} if effort is None else {"reasoning_effort": effort}

    def identity(self) -> dict[str, Any]:
        """Who the judge is, without secrets."""
        wanted = {"provider", "endpoint", "model", "deployment", "api_version"}
        return self.config.model_dump(mode="json", include=wanted) | self._effort

    def open(self, parameters: Mapping[str, Any], known: Capabilities | None) -> ChatModel:
        """The judge as a live model that is asked with a prompt's parameters, of which it is sent what it takes.

        Parameters
        ----------
        known : Capabilities or None
            What was learnt of it so far.
        """
        config = self.config.model_copy(update={"parameters": self._effort, "scoring": "text"}).with_ours(**parameters)
        model = PROVIDERS.get(config.provider).open(self.name, config, Path())
        assert isinstance(model, ChatModel)  # both providers make one
        model.make_room(ROOM)
        if known is not None:
            model.remember(known)
        return model

    def model_config(self) -> dict[str, Any]:
        """The configuration of azure-ai-evaluation, with the environment put in; it is never stored.

        Raises
        ------
        DriftgateError
            A variable of the environment is not set.
        """
        where = f"models.{self.name}"
        endpoint = resolve(self.config.endpoint, f"{where}.endpoint").rstrip("/")
        key = resolve_secret(self.config.api_key, f"{where}.api_key") if self.config.api_key else None
        if isinstance(self.config, OpenAIConfig):
            return {"type": "openai", "base_url": endpoint, "model": self.config.model, "api_key": key or NO_KEY}
        made = {
            "type": "azure_openai",
            "azure_endpoint": endpoint,
            "azure_deployment": self.config.deployment,
            "api_version": self.config.api_version,
        }
        return {**made, "api_key": key} if key else made


def find_judge(name: str | None, context: EvaluatorContext) -> Judge:
    """The judge of that name.

    Raises
    ------
    DriftgateError
        The settings name none, the workspace has no such model, or its provider has no endpoint that can be asked.
    """
    if not name:
        raise DriftgateError("an AI-judged evaluator needs a judge", "write settings: {judge: NAME}")
    if name not in context.models:
        raise DriftgateError(f"there is no model '{name}' to be the judge", nearest(name, context.models))
    config: ModelConfig = context.models[name]
    if not isinstance(config, (OpenAIConfig, AzureOpenAIConfig)):
        raise DriftgateError(
            f"the judge '{name}' is of provider '{config.provider}', which azure-ai-evaluation cannot reach",
            "take a judge of provider openai or azure_openai; any server with OpenAI's interface will do",
        )
    return Judge(name, config, context.known)


def pin_id(pin: Mapping[str, Any]) -> str:
    """Hash of a pin: 12 hexadecimal digits.

    Examples
    --------
    >>> pin_id({"evaluator": "RelevanceEvaluator", "version": "1.18.10"})
    '10f37d01143d'
    """
    return hashlib.sha256(json.dumps(pin, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]
