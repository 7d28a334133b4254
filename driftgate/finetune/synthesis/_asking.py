"""Ask models while a set is made: every request once, within what it may take, and what is no answer told by its kind.

A request is known by whom it asks, what, and the how-manieth of its like it is; its reply is kept as soon as it is
there. A synthesis that was killed asks the same requests in the same order and pays only for those without a reply.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from driftgate.finetune.synthesis._config import LimitsConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.finish import FAILED, FILTERED, LENGTH, finish_reason
from driftgate.flows.models import (
    ContentFiltered,
    Message,
    Model,
    Prices,
    Reply,
    ReplyCache,
    RequestRejected,
    Usage,
    cache_key,
)
from driftgate.flows.refusals import is_refusal
from driftgate.flows.thinking import without_thinking

Number = TypeVar("Number", int, float)
IN_FLIGHT = 16
"""Requests under way at once, where nothing else is said."""
_RUN, _SHORTEST, _SEEN, _DIFFERENT = 12, 120, 600, 0.5
"""Of :func:`repeats_itself`: letters of a run, the shortest text it judges, the end it looks at, the share below."""


@dataclass(frozen=True, slots=True)
class Reject:
    """What was made, or asked for, and is not kept."""

    filter: str
    """Name of the filter; ``reply`` where a model's reply was no candidate."""
    kind: str
    """Of replies: ``refusal``, ``broken_json``, ``loop``, ``truncated``, ``thoughts``, ``filtered``, ``rejected``,
    ``off_task`` or ``unasked``; else the filter's name."""
    reason: str
    """In words."""
    text: str = ""
    """What was dropped; empty where showing it would show a hold-out or personal data."""
    source: str = ""
    """Id of its material."""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a model of the workspace is asked."""

    identity: str
    """What its replies are kept under: everything of its configuration that determines a reply."""
    prices: Prices = field(default_factory=Prices)
    in_flight: int = IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Spent:
    """What a synthesis took, replies kept from earlier attempts included."""

    calls: int = 0
    kept: int = 0
    """Of these, answered by replies that were there already."""
    unasked: int = 0
    """Requests that its limits left out."""
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    """None where a service did not say."""
    cost: float | None = 0.0
    """None where tokens or prices are not known."""
    currency: str = ""


@dataclass
class Asker:
    """Asks, keeps replies and counts what they take.

    Parameters
    ----------
    limits : LimitsConfig
        Once reached, nothing more is asked.
    cache : callable, optional
        Gives the store of replies for the how-manieth request of its like, from 0.
    known : Mapping of str to Asked
        How each model is asked, by its name.
    advance : callable
        Told of each request that is done with.
    """

    limits: LimitsConfig = field(default_factory=LimitsConfig)
    cache: Callable[[int], ReplyCache] | None = None
    known: Mapping[str, Asked] = field(default_factory=dict)
    advance: Callable[[], None] = lambda: None
    spent: Spent = field(default_factory=Spent, init=False)
    _like: Counter[str] = field(default_factory=Counter, init=False)
    _begun: int = field(default=0, init=False)
    _broken: DriftgateError | None = field(default=None, init=False)
    _gates: dict[str, asyncio.Semaphore] = field(default_factory=dict, init=False)

    async def ask(self, model: Model, messages: Sequence[Message]) -> str | Reject:
        """The words of the reply, without thoughts; or why there are none.

        Raises
        ------
        ModelError
            The model is misconfigured or unavailable: nothing is known of the request.
        """
        asked = self.known.get(model.name) or Asked("")
        key = self._key(model, asked, messages)
        like = self._like[key]  # counted before anything is waited for, so that the order of requests decides
        self._like[key] += 1
        async with self._gates.setdefault(model.name, asyncio.Semaphore(asked.in_flight)):
            reply = await self._reply(model, asked, messages, key, like)
        self.advance()
        return reply if isinstance(reply, Reject) else said(reply)

    async def _reply(
        self, model: Model, asked: Asked, messages: Sequence[Message], key: str, like: int
    ) -> Reply | Reject:
        if self._broken is not None:  # whoever waits for all replies gets none: nothing more is paid for
            raise self._broken
        if self._reached():
            self._count(unasked=1)
            return Reject("reply", "unasked", "the limits of the synthesis were reached")
        self._begun += 1
        store = self.cache(like) if self.cache is not None else None
        reply = await store.get(key) if store is not None else None
        kept = reply is not None
        if reply is None:
            try:
                reply = await model.complete(messages)
            except ContentFiltered as problem:  # kept as well: asked again, it would be paid again
                reply = Reply(problem.message, FILTERED, problem.usage or Usage(), 0.0)
            except RequestRejected as problem:
                self._count(calls=1)
                return Reject("reply", "rejected", f"the service refuses the request: {problem.message}")
            except DriftgateError as problem:
                self._broken = problem
                raise
            if store is not None:
                await store.put(key, reply)
        self._count(calls=1, kept=int(kept), reply=reply, prices=asked.prices)
        return reply

    def _key(self, model: Model, asked: Asked, messages: Sequence[Message]) -> str:
        if not asked.identity:
            return cache_key(model, messages)
        material = ["synthesis", asked.identity, [[m.role, m.content] for m in messages]]
        return hashlib.sha256(json.dumps(material, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()

    def _reached(self) -> bool:
        calls, cost = self.limits.calls, self.limits.cost
        if calls is not None and self._begun >= calls:
            return True
        return cost is not None and (self.spent.cost is None or self.spent.cost >= cost)

    def _count(
        self,
        *,
        calls: int = 0,
        kept: int = 0,
        unasked: int = 0,
        reply: Reply | None = None,
        prices: Prices | None = None,
    ) -> None:
        before = self.spent
        taken, wrote, cost = before.input_tokens, before.output_tokens, before.cost
        if reply is not None and prices is not None:
            taken = _sum(taken, reply.usage.input_tokens)
            wrote = _sum(wrote, reply.usage.output_tokens)
            cost = _sum(cost, prices.cost(reply.usage))
        self.spent = Spent(
            before.calls + calls,
            before.kept + kept,
            before.unasked + unasked,
            taken,
            wrote,
            cost,
            prices.currency if prices is not None else before.currency,
        )


def said(reply: Reply) -> str | Reject:
    """The words of a reply without thoughts; or why it is no answer.

    Examples
    --------
    >>> reply = Reply("<think>음</think> 연차는 17일입니다.", "stop", Usage(), 0.1)
    >>> said(reply)
    '연차는 17일입니다.'
    >>> said(Reply("<think>음", "length", Usage(), 0.1)).kind, said(Reply("연차는 17", "length", Usage(), 0.1)).kind
    ('thoughts', 'truncated')
    """
    end = finish_reason(reply.finish_reason)
    if end == FILTERED:
        return Reject("reply", "filtered", f"the service withheld it: {reply.text}")
    if end == FAILED:
        return Reject("reply", "rejected", "the service broke off", reply.text)
    text = without_thinking(reply.text)
    if text is None or not text:
        why = "it thought and said nothing" if text is None or reply.text.strip() else "it is empty"
        return Reject("reply", "thoughts" if "thought" in why else "rejected", why, reply.text)
    if repeats_itself(text):
        return Reject("reply", "loop", "it says the same again and again", text)
    if end == LENGTH:
        return Reject("reply", "truncated", "it was cut at the limit on tokens", text)
    return text


def prompt_hash(messages: Sequence[Message]) -> str:
    """12 hexadecimal digits of what is asked."""
    told = json.dumps([[m.role, m.content] for m in messages], ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def refuses(text: str) -> bool:
    """Whether a reply declines; an empty one does not."""
    return bool(text.strip()) and is_refusal(text)


def repeats_itself(text: str) -> bool:
    """Whether the end of a text says the same again and again, as a model does that is caught in a loop.

    Examples
    --------
    >>> repeats_itself("연차는 17일입니다. " * 20), repeats_itself("하하하하" * 40)
    (True, True)
    >>> repeats_itself("연차는 입사일을 기준으로 열일곱 날이 주어지며, 쓰지 않은 날은 다음 해까지 쓸 수 있습니다. "
    ...     "병가는 열두 날이고, 사흘이 넘으면 진단서를 냅니다. 경조사 휴가는 별표에 따르고, 신청은 하루 전에 합니다. "
    ...     "반차는 오전과 오후로 나뉩니다.")
    False
    """
    end = " ".join(text.split())[-_SEEN:]
    if len(end) < _SHORTEST:
        return False
    runs = [end[place : place + _RUN] for place in range(len(end) - _RUN + 1)]
    return len(set(runs)) < _DIFFERENT * len(runs)


def _sum(one: Number | None, other: Number | None) -> Number | None:
    return None if one is None or other is None else one + other
