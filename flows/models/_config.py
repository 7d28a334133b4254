"""What a workspace says of a model, whatever its provider."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flows.errors import DriftgateError

_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def _must_be_reference(value: object) -> object:
    if isinstance(value, str) and not _REFERENCE.fullmatch(value):
        raise ValueError("a secret does not belong into this file: write ${env:NAME} and set NAME in the environment")
    return value


Secret = Annotated[str, BeforeValidator(_must_be_reference)]
"""A reference ``${env:NAME}``; the value itself never stands in the workspace file."""


def resolve(value: str, where: str) -> str:
    """Replace every ``${env:NAME}`` in ``value`` by the environment's value.

    Raises
    ------
    DriftgateError
        A variable is not set; ``where`` says which setting needs it.

    Examples
    --------
    >>> os.environ["DOC_HOST"] = "127.0.0.1"
    >>> resolve("http://${env:DOC_HOST}:8123/v1", "models.demo.endpoint")
    'http://127.0.0.1:8123/v1'
    """

    def look_up(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise DriftgateError(f"{where} needs the environment variable {name}, which is not set", f"export {name}=…")
        return os.environ[name]

    return _REFERENCE.sub(look_up, value)


class Prices(BaseModel):
    """What the tokens of a model cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(0.0, ge=0)
    """Price of a million input tokens."""
    output: float = Field(0.0, ge=0)
    """Price of a million output tokens."""
    currency: str = "USD"
    """Currency of the prices; costs in different currencies are never added."""


class ModelConfig(BaseModel):
    """A named model of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    provider: str
    """How the model is reached: ``openai``, ``azure_openai``, ``local``, ``recorded`` or a plugin's name."""
    parameters: dict[str, Any] = {"temperature": 0}
    """Sent with every request as they stand: ``temperature``, ``max_tokens``, ``seed``, ``logprobs`` and so on."""
    prices: Prices = Prices()
    """What the model's tokens cost; used for cost figures and limits."""
    scoring: Literal["text", "logprobs"] = "text"
    """How a choice is read: from the reply's text, or from the first token's log-probabilities."""
    in_flight: int = Field(32, ge=1, le=4096)
    """Requests under way at once, at most; fewer while the service answers 429."""
    timeout: float = Field(60.0, gt=0)
    """Seconds after which a request is given up and tried again."""
    attempts: int = Field(6, ge=1, le=100)
    """How often one request is tried before its sample counts as failed."""
