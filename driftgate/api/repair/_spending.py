"""What a repair's requests to models take, counted before they are made, so that a kill loses no count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.finetune.remediation import BudgetConfig, Spent, set_spent, spent, spent_on
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message, Model, Prices, Purse, Reply
from driftgate.ledger import Ledger

CHOICE, SYNTHESIS, TRAINING, PROOF, THROUGH = "choice", "synthesis", "training", "proof", "other flows"
_AHEAD = 16
"""Calls that are counted ahead in one write; so many may be counted and not made where a process is killed."""


class BudgetSpent(DriftgateError):
    """A limit of the recipe's budget is reached, or cannot be kept."""


@dataclass
class Meter:
    """Counts requests for one thing that a remediation does, and refuses those beyond the budget.

    Parameters
    ----------
    what : str
        For what: ``synthesis``.
    """

    ledger: Ledger
    remediation: str
    budget: BudgetConfig
    what: str

    def __post_init__(self) -> None:
        self._others = spent(self.ledger, self.remediation, beside=self.what)
        self._taken = spent_on(self.ledger, self.remediation, self.what)
        self._calls = self._taken.calls
        self.purse = Purse(self.budget.money, (self._others.money or 0.0) + (self._taken.money or 0.0), self._used_up)
        """What its requests may still cost, those under way counted."""

    def check(self, who: str, prices: Prices) -> None:
        """Refuse a model whose cost would not be known, where money is limited.

        Raises
        ------
        BudgetSpent
            It has no price.
        """
        if self.budget.money is not None and prices.lacking:
            raise BudgetSpent(
                f"the budget of {self.budget.money:g} cannot be kept: model '{who}' has no price of "
                f"{prices.lacking} tokens",
                "give both under its prices (0 where they cost nothing)",
            )

    def begin(self) -> None:
        """Count a call that is about to be made.

        Raises
        ------
        BudgetSpent
            It would be one too many.
        """
        limit = self.budget.calls
        if limit is not None and self._others.calls + self._calls + 1 > limit:
            raise BudgetSpent(f"the budget of {limit} calls is used up")
        known = self._others.money is not None and self._taken.money is not None
        money = (self._others.money or 0.0) + (self._taken.money or 0.0)
        if self.budget.money is not None and (not known or money >= self.budget.money):
            raise self._used_up(f"{money:.4g} are spent" if known else "what a call cost is not known")
        self._calls += 1
        if self._calls > self._taken.calls:
            ahead = self._calls + _AHEAD - 1
            self._taken = Spent(ahead if limit is None else min(ahead, limit), self._taken.money)
            self._keep()

    def _used_up(self, why: str) -> BudgetSpent:
        return BudgetSpent(f"the budget of {self.budget.money:g} is used up or cannot be kept: {why}")

    def add(self, cost: float | None) -> None:
        """Count what a call cost; None where that is not known."""
        before = self._taken.money
        self._taken = Spent(self._taken.calls, None if before is None or cost is None else before + cost)
        if self.budget.money is not None:  # or a kill would give back what is spent since the last write
            self._keep()

    def end(self) -> None:
        """Keep what was taken, now that nothing more is."""
        self._taken = Spent(self._calls, self._taken.money)
        self._keep()

    def _keep(self) -> None:
        set_spent(self.ledger, self.remediation, self.what, self._taken)


@dataclass(frozen=True)
class Metered:
    """A model whose calls a meter counts."""

    model: Model
    prices: Prices
    meter: Meter

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines a reply."""
        return self.model.identity

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Ask it, unless the budget is used up.

        Raises
        ------
        BudgetSpent
            It is.
        """
        self.meter.begin()
        reply = await self.model.complete(messages)
        self.meter.add(0.0 if reply.cached else self.prices.cost(reply.usage, batched=reply.batched))
        return reply

    async def aclose(self) -> None:
        """Close it."""
        await self.model.aclose()

    def __getattr__(self, name: str) -> Any:
        """Whatever else it is asked is the model's to answer."""
        return getattr(self.model, name)
