"""What the tokens of a model cost, and where the prices stand that the workspace does not state itself."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftgate.flows.models._usage import Usage


class Tier(BaseModel):
    """What all tokens of a call cost whose input is longer than so many."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    above: int = Field(ge=1)
    """Input tokens of a call, above which these prices are those of all its tokens."""
    input: float = Field(ge=0, allow_inf_nan=False)
    """As under ``prices``."""
    output: float = Field(ge=0, allow_inf_nan=False)
    """As under ``prices``."""
    cached_input: float | None = Field(None, ge=0, allow_inf_nan=False)
    """As under ``prices``."""


class Prices(BaseModel):
    """What the tokens of a model cost."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    input: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Price of a million input tokens; 0 where they cost nothing. Unset: unknown."""
    output: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Price of a million output tokens, those of reasoning among them; 0 where they cost nothing. Unset: unknown."""
    cached_input: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Price of a million input tokens that the service had kept from an earlier call. Unset: they are priced as input,
    so that a cost is at most what is stated; a limit holds it, and no cost is compared with it."""
    tiers: tuple[Tier, ...] = ()
    """Other prices of calls with a long input, as some services have them."""
    batch: float = Field(0.5, ge=0, le=1, allow_inf_nan=False)
    """Part of the price that a request in a batch costs; half at OpenAI and Azure."""
    currency: str = "USD"
    """Currency of the prices; costs in different currencies are never added."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.tiers and not self.known:
            raise ValueError("tiers need input and output beside them, the prices of calls below the first")
        for tier in self.tiers:
            if (tier.cached_input is None) != (self.cached_input is None):
                raise ValueError("give cached_input in every tier and beside them, or nowhere")
        return self

    @property
    def known(self) -> bool:
        """Whether both are."""
        return self.input is not None and self.output is not None

    @property
    def lacking(self) -> str:
        """Of which tokens nobody states the price, in words; empty where both are stated.

        Examples
        --------
        >>> Prices().lacking, Prices(input=0.5).lacking, Prices(input=0.5, output=0).lacking
        ('input and output', 'output', '')
        """
        return " and ".join(name for name in ("input", "output") if getattr(self, name) is None)

    @property
    def free(self) -> bool:
        """Whether tokens are known to cost nothing."""
        return self.input == 0 and self.output == 0 and not self.cached_input and not self.tiers

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
        >>> long = Prices(input=0.5, output=2.0, tiers=(Tier(above=200_000, input=1.0, output=3.0),))
        >>> long.cost(Usage(200_000, 1000)), long.cost(Usage(200_001, 1000)), long.cost(Usage(None, 1000))
        (0.102, 0.203001, None)
        """
        if self.tiers and usage.input_tokens is None:  # nobody knows which prices are the call's
            return None
        at = self._of(usage.input_tokens or 0)
        kept = 0 if at.cached_input is None else usage.cached_tokens or 0
        taken = None if usage.input_tokens is None else usage.input_tokens - kept
        parts = [
            _part(taken, at.input),
            _part(kept, at.cached_input),
            _part(usage.output_tokens, at.output),
        ]
        known = [part for part in parts if part is not None]
        part = self.batch if batched else 1.0
        return sum(known) / 1e6 * part if len(known) == len(parts) else None

    def _of(self, taken: int) -> Prices | Tier:
        """The prices of a call with so many input tokens."""
        reached = [tier for tier in self.tiers if taken > tier.above]
        return max(reached, key=lambda tier: tier.above) if reached else self


def _part(tokens: int | None, price: float | None) -> float | None:
    if price == 0 or tokens == 0:  # what is free is free, however much of it was used
        return 0.0
    return None if tokens is None or price is None else tokens * price


class PriceList(BaseModel):
    """Where prices stand that the workspace does not state, and from when they are."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    package: str
    """Name of the Python package that holds the list."""
    version: str
    """The package's version."""
    day: date
    """The day for which prices were looked up."""
    newest: date
    """The newest day of a price in the list; what changed after it is not in it."""
    entry: str
    """The entry of the list: the service and the model there."""
    at_most: str = ""
    """Why a cost by these prices is an upper bound only; empty where it is not."""

    note: str = ""
    """For which deployments of the model they are."""

    @property
    def words(self) -> str:
        """In a few words.

        Examples
        --------
        >>> day, newest = date(2026, 11, 26), date(2026, 11, 10)
        >>> PriceList(package="genai-prices", version="0.2.3", day=day, newest=newest, entry="openai/gpt-4.1").words
        'prices of openai/gpt-4.1 on 2026-11-26 from genai-prices 0.2.3 (its newest is of 2026-11-10)'
        """
        bound = f"; costs are at most that: {self.at_most}" if self.at_most else ""
        note = f", {self.note}" if self.note else ""
        told = f"prices of {self.entry} on {self.day} from {self.package} {self.version}"
        return f"{told} (its newest is of {self.newest}){note}{bound}"
