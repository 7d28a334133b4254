"""What a workspace says of a model, whatever its provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from driftgate.flows.environment import REFERENCE
from driftgate.flows.environment import resolve as resolve
from driftgate.flows.models._capabilities import CAPS, EFFORT, cap_of, effort_of
from driftgate.flows.models._said import sayable
from driftgate.flows.models._usage import Usage


def _must_be_reference(value: object) -> object:
    if isinstance(value, str) and not REFERENCE.fullmatch(value):
        raise ValueError("a secret does not belong into this file: write ${env:NAME} and set NAME in the environment")
    return value


Secret = Annotated[str, BeforeValidator(_must_be_reference)]
"""A reference ``${env:NAME}``; the value itself never stands in the workspace file."""


class Prices(BaseModel):
    """What the tokens of a model cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Price of a million input tokens; 0 where they cost nothing. Unset: unknown."""
    output: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Price of a million output tokens, those of reasoning among them; 0 where they cost nothing. Unset: unknown."""
    cached_input: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Price of a million input tokens that the service had kept from an earlier call. Unset: they are priced as input,
    so that a cost is at most what is stated; a limit holds it, and no cost is compared with it."""
    batch: float = Field(0.5, ge=0, le=1, allow_inf_nan=False)
    """Part of the price that a request in a batch costs; half at OpenAI and Azure."""
    currency: str = "USD"
    """Currency of the prices; costs in different currencies are never added."""

    @property
    def known(self) -> bool:
        """Whether both are."""
        return self.input is not None and self.output is not None

    @property
    def free(self) -> bool:
        """Whether tokens are known to cost nothing."""
        return self.input == 0 and self.output == 0 and not self.cached_input

    def cost(self, usage: Usage, *, batched: bool = False) -> float | None:
        """What a call cost, on its own or in a batch; None where its tokens or their price are not known.

        Examples
        --------
        >>> Prices(input=0.5, output=2.0).cost(Usage(1000, 250))
        0.001
        >>> Prices(input=0.5, output=2.0).cost(Usage(1000, 250), batched=True)
        0.0005
        >>> print(Prices(input=0.5, output=2.0).cost(Usage(1000, None)))
        None
        >>> Prices(input=0.0, output=0.0).cost(Usage())
        0.0
        >>> Prices(input=0.5, output=2.0, cached_input=0.1).cost(Usage(1000, 250, cached_tokens=500))
        0.0008
        """
        kept = 0 if self.cached_input is None else usage.cached_tokens or 0
        taken = None if usage.input_tokens is None else usage.input_tokens - kept
        parts = [
            _part(taken, self.input),
            _part(kept, self.cached_input),
            _part(usage.output_tokens, self.output),
        ]
        known = [part for part in parts if part is not None]
        part = self.batch if batched else 1.0
        return sum(known) / 1e6 * part if len(known) == len(parts) else None


def _part(tokens: int | None, price: float | None) -> float | None:
    if price == 0 or tokens == 0:  # what is free is free, however much of it was used
        return 0.0
    return None if tokens is None or price is None else tokens * price


class ModelConfig(BaseModel):
    """A named model of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    provider: str
    """How the model is reached: ``openai``, ``azure_openai``, ``local``, ``recorded`` or a plugin's name."""
    parameters: Annotated[dict[str, Any], AfterValidator(sayable)] = {"temperature": 0}
    """Sent with every request: ``temperature``, ``max_tokens``, ``reasoning_effort``, ``seed``, ``response_format`` and
    so on, each as the service takes it: ``max_tokens``, ``max_completion_tokens`` and ``max_output_tokens`` are one
    thing. Others are sent as they stand. Unset: temperature 0, or none where the service refuses it."""
    prices: Prices = Prices()
    """What the model's tokens cost; used for cost figures and limits."""
    scoring: Literal["text", "logprobs"] = "text"
    """How a choice is read: from the reply's text, or from the first token's log-probabilities. These are then asked
    for (``logprobs``, ``top_logprobs: 20``), a reply without them is an error, and letters that together hold less than
    a tenth of the probability are no answer."""
    in_flight: int = Field(32, ge=1, le=4096)
    """Requests under way at once, at most; fewer while the service answers 429."""
    timeout: float = Field(60.0, gt=0)
    """Seconds after which a request is given up and tried again."""
    attempts: int = Field(6, ge=1, le=100)
    """How often one request is tried before its sample counts as failed."""
    _ours: frozenset[str] = PrivateAttr(frozenset())

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if len(caps := [name for name in CAPS if name in self.parameters]) > 1:
            raise ValueError(f"parameters give one limit on tokens under {len(caps)} names: {', '.join(caps)}")
        nested = self.parameters.get("reasoning")
        if EFFORT in self.parameters and isinstance(nested, Mapping) and "effort" in nested:
            raise ValueError(f"parameters give the reasoning effort twice: {EFFORT}, and effort within reasoning")
        return self

    @property
    def ours(self) -> frozenset[str]:
        """Names of the parameters that the user did not set; a service that refuses one of them is asked without it."""
        return self._ours if "parameters" in self.model_fields_set else self._ours | frozenset(self.parameters)

    def with_ours(self, **parameters: Any) -> Self:
        """A copy that sends these parameters too, as ones that the user did not set."""
        changed = self.model_copy(update={"parameters": {**self.parameters, **parameters}})
        changed._ours = self.ours | frozenset(parameters)
        return changed

    @property
    def signed(self) -> Mapping[str, object]:
        """Settings that a score's signature names, because they change replies and are easily overlooked.

        They are the reasoning effort and the limit on tokens, whichever name they are given under.
        """
        given = self.parameters if "parameters" in self.model_fields_set else {}
        effort, (_, cap) = effort_of(given), cap_of(given)
        return {
            **({"effort": effort} if effort is not None else {}),
            **({"cap": cap} if cap is not None else {}),
        }


class ServedConfig(ModelConfig):
    """A model that is asked over HTTP."""

    wire: Literal["auto", "chat", "responses"] = "auto"
    """How it is asked: by Chat Completions (``chat``), by the Responses API (``responses``), or by Chat Completions
    until the service says that the model answers on the Responses API only (``auto``)."""

    @property
    def signed(self) -> Mapping[str, object]:
        return {**super().signed, **({"wire": self.wire} if self.wire != "auto" else {})}
