"""What Azure OpenAI's fine-tuning is told, and in which shape: settings, methods, lines of training files, prices."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from driftgate.finetune.deploy import OpenAIAccount
from driftgate.finetune.train._items import TrainingItem, read_items
from driftgate.finetune.train._trainer import Estimate, TrainerConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import parse_chat
from driftgate.flows.models import Secret

_FEWEST_ITEMS = 10
DECIDING = {
    "base",
    "training_type",
    "epochs",
    "batch_size",
    "learning_rate_multiplier",
    "method",
    "beta",
    "grader",
    "response_format",
    "reasoning_effort",
    "eval_interval",
    "eval_samples",
    "compute_multiplier",
}
"""Settings that make another model; the address or the size of the deployment do not."""


class AzureOpenAIFineTuning(TrainerConfig):
    """Azure OpenAI's fine-tuning; the recipe's LoRA settings do not apply, the service chooses its own."""

    endpoint: str
    """The resource's address, for example ``https://NAME.openai.azure.com``."""
    api_key: Secret | None = None
    """``${env:NAME}`` of the key; without it an Entra ID token is asked of ``DefaultAzureCredential``."""
    base: str
    """Model to tune, with its version, for example ``gpt-oss-20b``."""
    account: OpenAIAccount
    """Where the result is deployed; the control plane always asks for an Entra ID token."""
    method: Literal["supervised", "dpo", "reinforcement"] = "supervised"
    """``supervised`` teaches the items' targets, ``dpo`` to prefer each target to the ``rejected`` answer beside it,
    ``reinforcement`` to answer so that the ``grader`` grades well (reasoning models only)."""
    beta: float | Literal["auto"] = "auto"
    """For ``dpo``: how firmly the model is held to what it was."""
    grader: Mapping[str, Any] | None = None
    """For ``reinforcement``: the grader as the service takes it, for example ``{type: string_check, name: same,
    operation: eq, input: "{{sample.output_text}}", reference: "{{item.reference_answer}}"}``; an item's target is its
    ``reference_answer``."""
    response_format: Mapping[str, Any] | None = None
    """For ``reinforcement``: the JSON schema that replies keep to."""
    reasoning_effort: Literal["low", "medium", "high", "default"] = "default"
    """For ``reinforcement``."""
    eval_interval: int | Literal["auto"] = "auto"
    """For ``reinforcement``: steps between two evaluations."""
    eval_samples: int | Literal["auto"] = "auto"
    """For ``reinforcement``: samples of an evaluation."""
    compute_multiplier: float | Literal["auto"] = "auto"
    """For ``reinforcement``: how much is explored, which costs as much more."""
    price_per_million_tokens: float | None = Field(None, ge=0)
    """What training takes for a million tokens, in the workspace's currency; unset: cost is not known."""
    price_per_hour: float | None = Field(None, ge=0)
    """What training by ``reinforcement`` takes for an hour; unset: cost is not known."""
    training_type: Literal["Standard", "GlobalStandard", "Developer"] = "GlobalStandard"
    """Where the service may train: in the resource's region or anywhere."""
    epochs: int | Literal["auto"] = "auto"
    """Passes over the items."""
    batch_size: int | Literal["auto"] = "auto"
    """Items a step."""
    learning_rate_multiplier: float | Literal["auto"] = "auto"
    """Factor on the service's own learning rate."""
    api_version: str = "2024-10-21"
    """Version of the data-plane API by which the deployed result is asked."""

    @model_validator(mode="after")
    def _graded(self) -> Self:
        if (self.grader is None) == (self.method == "reinforcement"):
            needed = "needs a grader" if self.grader is None else "takes no grader"
            raise ValueError(f"the method '{self.method}' {needed}")
        return self


def method_of(config: AzureOpenAIFineTuning) -> dict[str, Any]:
    """The method of a job as the service takes it (``openai.types.fine_tuning``).

    Examples
    --------
    >>> account = {"subscription": "s", "resource_group": "g", "account": "a"}
    >>> base = {"trainer": "azure_openai", "endpoint": "https://x", "base": "m", "account": account}
    >>> config = AzureOpenAIFineTuning.model_validate({**base, "method": "dpo", "beta": 0.2})
    >>> method_of(config)["dpo"]["hyperparameters"]["beta"]
    0.2
    """
    chosen: dict[str, Any] = {
        "n_epochs": config.epochs,
        "batch_size": config.batch_size,
        "learning_rate_multiplier": config.learning_rate_multiplier,
    }
    if config.method == "supervised":
        return {"type": "supervised", "supervised": {"hyperparameters": chosen}}
    if config.method == "dpo":
        return {"type": "dpo", "dpo": {"hyperparameters": {**chosen, "beta": config.beta}}}
    names = ("reasoning_effort", "eval_interval", "eval_samples", "compute_multiplier")
    chosen |= {name: getattr(config, name) for name in names}
    answered = {"response_format": dict(config.response_format)} if config.response_format else {}
    graded = {"grader": dict(config.grader or {}), "hyperparameters": chosen, **answered}
    return {"type": "reinforcement", "reinforcement": graded}


def training_lines(path: Path, method: str = "supervised") -> bytes:
    """Turn training items into the JSON Lines that the service trains on by a method.

    Raises
    ------
    DriftgateError
        The file is not one of training items, has fewer than ten, weighs some of them, or lacks what the method learns
        from.
    """
    items = read_items(path)
    if len(items) < _FEWEST_ITEMS:
        raise DriftgateError(
            f"{path} holds {len(items)} items, Azure OpenAI trains on {_FEWEST_ITEMS} at least",
            "synthesise more, or train locally",
        )
    weighed = [item.id or item.prompt[:40] for item in items if item.weight != 1]
    if weighed:
        raise DriftgateError(
            f"Azure OpenAI knows no weights, and {len(weighed)} items have one, the first is '{weighed[0]}'",
            "leave the weights at 1, or repeat an item that is to count twice",
        )
    alone = [item.id or item.prompt[:40] for item in items if not item.rejected] if method == "dpo" else []
    if alone:
        raise DriftgateError(
            f"training by preference needs a rejected answer, and {len(alone)} items have none, the first is "
            f"'{alone[0]}'",
            "give each item a 'rejected' answer, or train with method: supervised",
        )
    lines = [json.dumps(_line(item, method), ensure_ascii=False) + "\n" for item in items]
    return "".join(lines).encode("utf-8-sig")


def _line(item: TrainingItem, method: str) -> dict[str, Any]:
    asked = [{"role": message.role, "content": message.content} for message in parse_chat(item.prompt)]
    if method == "dpo":
        better, worse = ([{"role": "assistant", "content": said}] for said in (item.target, item.rejected))
        return {"input": {"messages": asked}, "preferred_output": better, "non_preferred_output": worse}
    if method == "reinforcement":
        return {"messages": asked, "reference_answer": item.target}
    return {"messages": [*asked, {"role": "assistant", "content": item.target}]}


def characters_of(path: Path) -> int:
    """Characters of all prompts and answers of a file of training items."""
    return sum(len(item.prompt) + len(item.target) + len(item.rejected) for item in read_items(path))


def estimate(config: AzureOpenAIFineTuning, items: int, characters: int | None) -> Estimate:
    """What a job takes at most: trained tokens are billed, and a Korean text has fewer tokens than characters."""
    if config.method == "reinforcement":
        return Estimate(
            None, None, "reinforcement is billed by the hour, and how many it takes is not known beforehand"
        )
    if config.epochs == "auto":
        return Estimate(None, None, "the service chooses the epochs: state epochs, and the cost can be worked out")
    if config.price_per_million_tokens is None:
        return Estimate(None, None, "state price_per_million_tokens, and the cost can be worked out")
    if characters is None:
        return Estimate(None, None, "the cost is worked out once there are items")
    cost = characters * config.epochs * config.price_per_million_tokens / 1e6
    told = f"at most {characters:,} tokens, {config.epochs} times, at {config.price_per_million_tokens:g} a million"
    return Estimate(None, cost, told)


def cost(config: AzureOpenAIFineTuning, tokens: float | None, seconds: float | None) -> float | None:
    """What the job took, from what was metered; None where a part is not known."""
    if config.method == "reinforcement":
        known = seconds is not None and config.price_per_hour is not None
        return seconds / 3600 * config.price_per_hour if known else None  # type: ignore[operator]
    known = tokens is not None and config.price_per_million_tokens is not None
    return tokens / 1e6 * config.price_per_million_tokens if known else None  # type: ignore[operator]


def number(told: Any) -> float | None:
    """A number that a job states, at least 0; None where it states none. The client does not check what it reads."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told < math.inf:
        return None
    return float(told)
