"""A limit on cost that requests under way keep too: each reserves what it costs at most before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from driftgate.flows.deadlines import off_the_clock
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._errors import ModelError, WaitEnded
from driftgate.flows.models._prices import Prices
from driftgate.flows.models._resilience import Wrapper
from driftgate.flows.models._types import Message, Model, Reply
from driftgate.flows.models._usage import Usage

_OF_A_TURN = 16
"""Tokens that a service adds for each turn, at most."""


class CostReached(WaitEnded):
    """A limit on cost is reached or cannot be kept: the request was not sent."""


@dataclass
class Purse:
    """What may be spent, what is, and what requests under way may still take.

    One request may always be under way while there is anything left, however much it may cost: so the limit is passed
    by what one request costs, at most. Others go beside it as far as what they may cost is covered.

    Parameters
    ----------
    limit : float or None
        In the currency of the prices; None: no limit.
    spent : float
        What was spent before.
    """

    limit: float | None
    spent: float = 0.0
    refuse: Callable[[str], DriftgateError] = CostReached
    """Gives what is raised where nothing is left, from the reason in words."""
    unknown: str = field(default="", init=False)
    """The model of whose reply it is not known what it cost, as its service counted no tokens."""
    _reserved: float = field(default=0.0, init=False)
    _under_way: int = field(default=0, init=False)
    _dearest: float | None = field(default=None, init=False)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list, init=False)

    @property
    def why(self) -> str:
        """Why nothing more may be spent; empty where it may."""
        if self.limit is None:
            return ""
        if self.unknown:
            return (
                f"the limit of {self.limit:g} on cost cannot be kept: the service of model '{self.unknown}' counts no "
                "tokens, so that what a reply costs is not known"
            )
        return f"the limit of {self.limit:g} on cost was reached" if self.spent >= self.limit else ""

    def add(self, cost: float | None, model: str) -> None:
        """Count what a request cost that reserved nothing, such as one of an earlier process."""
        if cost is None:
            self.unknown = self.unknown or model
        else:
            self.spent += cost
            self._dearest = max(self._dearest or 0.0, cost)

    async def reserve(self, most: float | None) -> float:
        """Wait until a request is covered that costs ``most``; None: as much as the dearest so far, the first alone.

        Raises
        ------
        DriftgateError
            There is nothing left: what ``refuse`` gives.
        """
        while True:
            if why := self.why:
                raise self.refuse(why)
            known = self._dearest if most is None else most
            if self.limit is None or not self._under_way:
                break
            if known is not None and self.spent + self._reserved + known <= self.limit:
                break
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            with off_the_clock():
                await turn
        reserved = known or 0.0
        self._reserved += reserved
        self._under_way += 1
        return reserved

    def settle(self, reserved: float, cost: float | None, model: str) -> None:
        """Count what a request cost that had reserved so much."""
        self._under_way -= 1
        self._reserved = self._reserved - reserved if self._under_way else 0.0
        self.add(cost, model)
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)


@dataclass
class Reserving(Wrapper):
    """A model whose requests a purse pays, each attempt for itself."""

    prices: Prices
    purse: Purse

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Ask it once that is covered.

        Raises
        ------
        DriftgateError
            There is nothing left: what the purse's ``refuse`` gives.
        """
        reserved = await self.purse.reserve(cost_at_most(self.prices, messages, cap_of_model(self.inner)))
        cost: float | None = 0.0
        try:
            reply = await self.inner.complete(messages)
            cost = 0.0 if reply.cached else self.prices.cost(reply.usage, batched=reply.batched)
            return reply
        except ModelError as problem:
            usage: Usage | None = getattr(problem, "usage", None)
            priced = 0.0 if usage is None else self.prices.cost(usage)
            cost = reserved if priced is None else priced
            raise
        except asyncio.CancelledError:
            cost = reserved  # it was sent, and may be paid all the same
            raise
        finally:
            self.purse.settle(reserved, cost, self.name)


def cap_of_model(model: Model) -> int | None:
    """How many tokens a reply of the model may have, at most; None where nobody says so."""
    cap = getattr(model, "cap", None)
    return cap if isinstance(cap, int) else None


def cost_at_most(prices: Prices, messages: Sequence[Message], cap: int | None) -> float | None:
    """What a request costs at most, by its length and its limit on tokens; None without either limit or price.

    A tokenizer over bytes has at most one token a byte of UTF-8.

    Examples
    --------
    >>> cost_at_most(Prices(input=1.0, output=2.0), [Message("user", "연차는?")], 512)
    0.00105
    >>> print(cost_at_most(Prices(input=1.0, output=2.0), [Message("user", "연차는?")], None))
    None
    """
    if cap is None and not prices.free:
        return None
    taken = sum(len(message.content.encode("utf-8", "replace")) + _OF_A_TURN for message in messages)
    return prices.cost(Usage(taken, cap or 0))
