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
from dataclasses import dataclass, field, replace
from typing import TypeVar

from driftgate.finetune.synthesis._config import LimitsConfig
from driftgate.finetune.synthesis._sending import Counted, LimitReached, Sending
from driftgate.flows.errors import DriftgateError
from driftgate.flows.finish import FAILED, FILTERED, LENGTH, finish_reason
from driftgate.flows.models import (
    ContentFiltered,
    CostReached,
    Message,
    Model,
    Prices,
    Reply,
    ReplyCache,
    RequestRejected,
    Reserving,
    Usage,
    WaitEnded,
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
    again: int = 0
    """Requests beside them that gave no reply: refused for now, broken off, unreadable."""
    unasked: int = 0
    """Requests that its limits left out."""
    reached: str = ""
    """The limit that left them out, in words."""
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
    sending: Sending = field(init=False)
    _spent: Spent = field(default_factory=Spent, init=False)
    _like: Counter[str] = field(default_factory=Counter, init=False)
    _broken: DriftgateError | None = field(default=None, init=False)
    _gates: dict[str, asyncio.Semaphore] = field(default_factory=dict, init=False)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _counting: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.sending = Sending(self.limits)

    @property
    def spent(self) -> Spent:
        """What was taken so far."""
        return replace(self._spent, again=self.sending.sent - (self._spent.calls - self._spent.kept))

    def counting(self, model: Model, prices: Prices) -> Model:
        """A model each of whose attempts counts, to be asked with retries around it."""
        self._counting.add(model.name)
        return self._counted(model, prices)

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
        store = self.cache(like) if self.cache is not None else None
        async with self._looking:  # one after the other: what was paid for before counts before anything is sent
            if self._broken is not None:  # whoever waits for all replies gets none: nothing more is paid for
                raise self._broken
            if why := self.sending.why:
                return self._left_out(why)
            self.sending.first()
            reply = await store.get(key) if store is not None else None
            if reply is not None:
                self.sending.answered_before(reply.attempts)
                self.sending.purse.add(_cost(reply, asked.prices), model.name)
        kept = reply is not None
        if reply is None:
            try:
                reply = await self._sent(model, asked, messages)
            except RequestRejected as problem:
                self._count(calls=1)
                return Reject("reply", "rejected", f"the service refuses the request: {problem.message}")
            except (LimitReached, CostReached) as problem:
                return self._left_out(problem.message)
            except WaitEnded as problem:
                if self._broken is not None:
                    raise self._broken from problem
                return self._left_out(problem.why)
            except DriftgateError as problem:
                self._broken = self._broken or problem
                self.sending.patience.lose(problem.message)
                raise
            if store is not None:
                await store.put(key, reply)
        self._count(calls=1, kept=int(kept), reply=reply, prices=asked.prices)
        return reply

    async def _sent(self, model: Model, asked: Asked, messages: Sequence[Message]) -> Reply:
        counted = model if model.name in self._counting else self._counted(model, asked.prices)
        try:
            return await counted.complete(messages)
        except ContentFiltered as problem:  # kept as well: asked again, it would be paid again
            return Reply(problem.message, FILTERED, problem.usage or Usage(), 0.0)

    def _counted(self, model: Model, prices: Prices) -> Model:
        return Reserving(Counted(model, self.sending), prices, self.sending.purse)

    def _left_out(self, why: str) -> Reject:
        before = self._spent
        self._spent = replace(before, unasked=before.unasked + 1, reached=before.reached or why)
        return Reject("reply", "unasked", why)

    def _key(self, model: Model, asked: Asked, messages: Sequence[Message]) -> str:
        if not asked.identity:
            return cache_key(model, messages)
        material = ["synthesis", asked.identity, [[m.role, m.content] for m in messages]]
        return hashlib.sha256(json.dumps(material, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()

    def _count(
        self, *, calls: int = 0, kept: int = 0, reply: Reply | None = None, prices: Prices | None = None
    ) -> None:
        before = self._spent
        now = replace(before, calls=before.calls + calls, kept=before.kept + kept)
        if reply is not None and prices is not None:
            now = replace(
                now,
                input_tokens=_sum(before.input_tokens, reply.usage.input_tokens),
                output_tokens=_sum(before.output_tokens, reply.usage.output_tokens),
                cost=_sum(before.cost, _cost(reply, prices)),
                currency=prices.currency,
            )
        self._spent = now


def _cost(reply: Reply, prices: Prices) -> float | None:
    """What a reply cost; a refusal took no tokens that we know of."""
    if reply.finish_reason == FILTERED and reply.usage == Usage():
        return 0.0
    return prices.cost(reply.usage)


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
