"""What a line costs, and the limit on what a run may cost. A cost that nobody stated is unknown, and never 0."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Call
from driftgate.flows.models import Patience, Prices, Purse

if TYPE_CHECKING:
    from driftgate.flows.retrieval import Paid


class LimitReached(DriftgateError):
    """The suite's limit on cost or time was reached, or cannot be kept; the run can be resumed."""


def line_cost(
    cell: Cell, calls: Sequence[Call], prices: Mapping[str, Prices], searches: Sequence[Paid] = ()
) -> float | None:
    """What a line cost, in the currency of its cell's model; None where that is not known.

    Parameters
    ----------
    prices : Mapping
        By model; a flow may ask others beside the cell's own.
    searches : sequence of Paid
        What its searches took that is paid for.
    """
    if cell.unseen:
        return None
    total = 0.0
    for call in calls:
        if call.reply is not None and call.reply.cached:
            continue
        priced = prices.get(call.model, cell.model_config.prices)
        batched = call.reply is not None and call.reply.batched
        # A refusal took no tokens that we know of.
        cost = 0.0 if call.usage is None else priced.cost(call.usage, batched=batched)
        if cost is None or not priced.known or (cost and priced.currency != cell.model_config.prices.currency):
            return None
        total += cost
    for paid in searches:
        if paid.cost is None or (paid.cost and paid.currency != cell.model_config.prices.currency):
            return None
        total += paid.cost
    return total


@dataclass
class Budget:
    """The limits of a suite's run on cost and time, and what is used of them."""

    suite: SuiteConfig
    began: float = field(default_factory=time.monotonic)
    spent: float = 0.0
    unknown: str = ""
    """Whose cost is not known."""
    purse: Purse = field(init=False)
    """Pays requests as they are sent; those under way have reserved what they may cost."""
    patience: Patience = field(default_factory=Patience)
    """With which models are waited for; it is lost when a limit is reached."""
    last: str = ""
    """What a service said last that was waited for in vain."""

    def __post_init__(self) -> None:
        self.purse = Purse(self.suite.max_cost)

    def add(self, cost: float | None, whose: str) -> None:
        """Count what ``whose`` cost, such as ``a reply to model 'm'``."""
        self.spent += cost or 0.0
        if cost is None and not self.unknown:
            self.unknown = whose

    def watch(self) -> asyncio.TimerHandle | None:
        """End the waits for models when the time is used up; for a timer to be cancelled afterwards."""
        if self.suite.max_minutes is None:
            return None
        left = self.suite.max_minutes * 60 - (time.monotonic() - self.began)
        return asyncio.get_running_loop().call_later(max(0.0, left), self.patience.lose, self._time_is_up())

    def reached(self) -> str:
        """The limit that is reached or cannot be kept, in words; empty while there is none.

        Once it is reached nobody is waited for any longer.
        """
        if not self.patience.lost and (why := self._why()):
            self.patience.lose(why)
        return self.patience.lost

    @property
    def timed_out(self) -> bool:
        """Whether it is the time that is up."""
        limit = self.suite.max_minutes
        return limit is not None and time.monotonic() - self.began >= limit * 60

    def _time_is_up(self) -> str:
        return f"the limit of {self.suite.max_minutes:g} minutes is reached"

    def _why(self) -> str:
        limit = self.suite.max_cost
        spent = max(self.spent, self.purse.spent)  # the purse knows of lines that are not done
        if limit is not None and spent >= limit:
            return f"the limit of {limit:g} on cost is reached ({spent:.4g} spent)"
        if self.purse.unknown and not self.unknown:
            self.unknown = f"a reply of model '{self.purse.unknown}'"
        if limit is not None and self.unknown:
            return (
                f"the limit of {limit:g} on cost cannot be kept: it is not known what {self.unknown} cost, "
                f"as the service did not say how many tokens it took ({self.spent:.4g} spent beside it)"
            )
        used = (time.monotonic() - self.began) / 60
        return self._time_is_up() if self.suite.max_minutes is not None and used >= self.suite.max_minutes else ""

    def remedy(self) -> str:
        """What to do where the limit on cost cannot be kept, or time ran out."""
        if self.suite.max_minutes is not None and self.patience.lost == self._time_is_up():
            return "wait until the model's service answers as it did, or raise max_minutes"
        if self.suite.max_cost is None or self.spent >= self.suite.max_cost or not self.unknown:
            return ""
        return "take max_cost out of the suite, or ask a service that counts its tokens"


def check_budget(suite: SuiteConfig, cells: Sequence[Cell]) -> None:
    """Refuse a limit on cost that cannot be kept, before anything is asked.

    Raises
    ------
    DriftgateError
        A model or a judge has no prices, they are in several currencies, a flow asks where nobody counts, or requests
        are delivered in batches.
    """
    if suite.max_cost is None:
        return
    from driftgate.flows.evaluators import JudgedEvaluator
    from driftgate.flows.retrieval import unpriced_search

    if suite.delivery == "batch":
        raise DriftgateError(
            f"the limit of {suite.max_cost:g} on cost cannot be kept: a batch is paid for once it is submitted",
            "limit the suite's samples instead, or take max_cost or delivery: batch out of it",
        )
    priced: dict[str, Prices] = {}
    for cell in cells:
        priced[f"model '{cell.model}'"] = cell.model_config.prices
        for judged in cell.evaluators.judged.values():
            priced[f"the judge '{judged.judge.name}'"] = judged.judge.config.prices
        if cell.retriever is not None and (unpriced := unpriced_search(cell.retriever)):
            raise DriftgateError(
                f"the limit of {suite.max_cost:g} on cost cannot be kept: {unpriced}",
                "give the price (0 where they cost nothing), or take max_cost out of the suite",
            )
        for bound in cell.evaluators.bindings:
            if bound.asks and not isinstance(bound.call, JudgedEvaluator):
                raise DriftgateError(
                    f"the limit of {suite.max_cost:g} on cost cannot be kept: the evaluator '{bound.key}' asks a "
                    "service, and nobody counts what that costs",
                    "bind an evaluator that takes a judge (settings: {judge: NAME}), or take max_cost out of the suite",
                )
        if unseen := cell.unseen:
            raise DriftgateError(
                f"the limit of {suite.max_cost:g} on cost cannot be kept: {unseen}", "take max_cost out of the suite"
            )
    for who, prices in priced.items():
        if prices.lacking:
            raise DriftgateError(
                f"the limit of {suite.max_cost:g} on cost cannot be kept: {who} has no price of "
                f"{prices.lacking} tokens",
                "give both under its prices (0 where they cost nothing), or take max_cost out of the suite",
            )
    currencies = {prices.currency: who for who, prices in priced.items() if not prices.free}
    if len(currencies) > 1:
        found = ", ".join(f"{who} in {currency}" for currency, who in currencies.items())
        raise DriftgateError(
            f"the limit of {suite.max_cost:g} on cost cannot be kept: prices are in several currencies ({found})",
            "give them in one currency, or take max_cost out of the suite",
        )
