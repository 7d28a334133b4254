"""What a workspace says of a model, whatever its provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from driftgate.flows.amounts import Amount, Day, Number
from driftgate.flows.environment import LITERAL, REFERENCE
from driftgate.flows.environment import resolve as resolve
from driftgate.flows.models._capabilities import CAPS, EFFORT, cap_of, effort_of
from driftgate.flows.models._prices import PriceList, Prices
from driftgate.flows.models._said import sayable


def _must_be_reference(value: object) -> object:
    if isinstance(value, str) and not REFERENCE.fullmatch(value):
        raise ValueError(LITERAL)
    return value


Secret = Annotated[str, BeforeValidator(_must_be_reference)]
"""A reference ``${env:NAME}``; the value itself never stands in the workspace file."""


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
    """What the model's tokens cost; used for cost figures and limits. Unset: as the package ``genai-prices`` lists them
    where it knows the service that is asked. What stands here is not completed from there."""
    scoring: Literal["text", "logprobs"] = "text"
    """How a choice is read: from the reply's text, or from the first token's log-probabilities. These are then asked
    for (``logprobs``, ``top_logprobs: 20``), a reply without them is an error, and letters that together hold less than
    a tenth of the probability are no answer."""
    in_flight: Annotated[int, Number] = Field(32, ge=1, le=4096)
    """Requests under way at once, at most; fewer while the service answers 429."""
    timeout: Amount = 60.0
    """Seconds after which a request is given up and tried again."""
    attempts: Annotated[int, Number] = Field(6, ge=1, le=100)
    """How often one request is tried before its sample counts as failed."""
    retires: Day | None = None
    """The day on which its deployment ends, ``2027-03-01``; a recipe's ``replacement`` begins long before. Unset: as
    the service says it, where it does. Where both are known the earlier one counts."""
    _ours: frozenset[str] = PrivateAttr(frozenset())
    _listed: PriceList | None = PrivateAttr(None)

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
    def listed(self) -> PriceList | None:
        """Where its prices stand; None where the workspace states them, or nobody."""
        return self._listed

    @property
    def states_prices(self) -> bool:
        """Whether the workspace states its prices, be it in part or that they are unknown."""
        return "prices" in self.model_fields_set and self._listed is None

    def with_listed(self, prices: Prices, listed: PriceList | None) -> Self:
        """A copy with prices from a list; with None for the list they are nobody's, and unknown."""
        changed = self.model_copy(update={"prices": prices})
        changed._listed = listed
        if listed is None:  # else they would read as stated
            changed.model_fields_set.discard("prices")
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
