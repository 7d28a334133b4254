"""One judge asked for one grade: with a limit that all who ask it share, read by us, and asked once more at most."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from driftgate.flows.evaluators._judge import Judge
from driftgate.flows.evaluators._reply import Read, Unread, read_reply, words_of
from driftgate.flows.evaluators._reply_value import Scale
from driftgate.flows.line import Call, tokens
from driftgate.flows.models import (
    AdaptiveLimit,
    Capabilities,
    ChatModel,
    HeldPlace,
    Message,
    ModelError,
    Reply,
    RetryPolicy,
    resilient,
    resolve,
)

COST = "cost"
"""The metric that says what a grade cost."""
READ, REASKED = "read", "reasked"
"""The metrics that say whether a judge's reply held a grade (1) or not (0), and whether it did so only when it was
asked again."""
_QUOTED = 4000
"""Characters of a reply that could not be read that are shown to the judge again."""


class NoGrade(Exception):
    """The judge gave no grade; it costs the sample this evaluation.

    Parameters
    ----------
    message : str
        Why.
    spent : Mapping
        Tokens and cost of the replies that held none, and that they held none; empty where there was no reply.
    refused : bool
        The judge's service refuses what it was asked, and would again.
    """

    def __init__(
        self, message: str, spent: Mapping[str, float | None] = MappingProxyType({}), *, refused: bool = False
    ) -> None:
        super().__init__(message)
        self.spent = spent
        self.refused = refused


class Unreadable(Exception):
    """The judge replied, and no grade can be read in what it wrote."""


@dataclass
class _Live:
    """A judge as it is asked with one prompt's parameters."""

    model: ChatModel
    asking: int = 0
    """Requests under way."""


@dataclass
class Desk:
    """Where one deployment is asked, by every evaluator whose judge it is."""

    limit: AdaptiveLimit
    known: Capabilities | None
    """What is known of it by now."""
    _live: dict[str, _Live] = field(default_factory=dict)

    async def ask(self, judge: Judge, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        """Ask once, by what is known of the deployment; whoever calls holds a place in the limit.

        Raises
        ------
        ModelError
            There is no reply.
        """
        key = json.dumps([judge.name, judge.identity(), parameters], sort_keys=True, default=str)
        if key not in self._live:
            self._live[key] = _Live(judge.open(parameters, self.known))
        live, config = self._live[key], judge.config
        policy = RetryPolicy(timeout=config.timeout, attempts=config.attempts)
        live.asking += 1
        try:
            return await resilient(live.model, policy, HeldPlace(self.limit)).complete(messages)
        finally:
            self.known = live.model.capabilities
            live.asking -= 1
            if not live.asking:
                await live.model.aclose()  # it opens its connections again when it is asked next


_DESKS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Desk]] = WeakKeyDictionary()


def desk_of(judge: Judge, in_flight: int) -> Desk:
    """The desk of a judge's deployment; the smallest ``in_flight`` of all who ask there holds for all of them."""
    desks = _DESKS.setdefault(asyncio.get_running_loop(), {})
    who = judge.identity()
    endpoint = resolve(judge.config.endpoint, f"models.{judge.name}.endpoint").rstrip("/")
    key = json.dumps([endpoint, who.get("model"), who.get("deployment")])
    if key not in desks:
        desks[key] = Desk(AdaptiveLimit(in_flight), judge.known(judge.name))
    desks[key].limit.narrow(in_flight)
    return desks[key]


def capabilities_of(judge: Judge) -> Capabilities | None:
    """What is known by now of the deployment of a judge that was asked; None where nothing is."""
    return desk_of(judge, judge.config.in_flight).known


class Form(Protocol):
    """How a judge's reply is read, and how it is asked for again."""

    def read(self, text: str, *, cut: bool) -> Read | Unread:
        """What the reply says."""

    def again(self, why: str) -> str:
        """What is asked after a reply that could not be read."""


@dataclass(frozen=True)
class GradeForm:
    """A grade on a scale."""

    scale: Scale
    key: str
    language: str = "en"

    def read(self, text: str, *, cut: bool) -> Read | Unread:
        return read_reply(text, self.scale, self.key, cut=cut)

    def again(self, why: str) -> str:
        form, scale = '{"reason": "...", "score": N}', self.scale
        if self.language == "ko":
            return (
                f"방금 답에서 점수를 읽을 수 없었다 (the judge {why}). 다른 말 없이 JSON 객체 하나로만 답하라: {form} "
                f"N은 {scale.lowest:g} 이상 {scale.highest:g} 이하의 수 하나이다."
            )
        return (
            f"No grade could be read in your reply: you {why}. Answer with one JSON object and nothing else: {form} "
            f"where N is one number from {scale}."
        )


@dataclass
class Grading:
    """One grade that is asked for, with all that it took."""

    judge: Judge
    desk: Desk
    form: Form | None
    """None: the reply is whoever asks's to read."""
    calls: list[Call] = field(default_factory=list)
    read: Read | None = None
    unread: str = ""
    """Why the last reply could not be read, with the judge's words."""
    reasked: bool = False

    async def ask(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        """The judge's reply with its grade in the form that every reader expects.

        Raises
        ------
        ModelError
            There is no reply.
        Unreadable
            Two of them held no grade.
        """
        reply = await self._once(messages, parameters)
        if self.form is None:
            return reply
        found = self._reading(reply)
        if isinstance(found, Unread) and not found.final:
            self.reasked = True
            told = Message("assistant", reply.text[:_QUOTED].strip() or "…")
            again = Message("user", self.form.again(found.why))
            reply = await self._once([*messages, told, again], parameters)
            found = self._reading(reply)
        if isinstance(found, Unread):
            raise Unreadable(self.unread)
        self.read, self.unread = found, ""
        grade = int(found.grade) if found.grade.is_integer() else found.grade
        body = {"reason": found.reason, "score": grade, "status": "completed"}
        return replace(reply, text=json.dumps(body, ensure_ascii=False), finish_reason="stop")

    def _reading(self, reply: Reply) -> Read | Unread:
        assert self.form is not None
        found = self.form.read(reply.text, cut=reply.finish_reason == "length")
        if isinstance(found, Unread):
            said = words_of(reply.text)
            twice = ", asked twice" if self.reasked else ""
            self.unread = f"the judge {found.why}{twice}" + (f'; it said: "{said}"' if said else "")
        return found

    async def _once(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        try:
            reply = await self.desk.ask(self.judge, messages, parameters)
        except ModelError as error:
            self.calls.append(Call(self.judge.name, None, error))
            raise
        self.calls.append(Call(self.judge.name, reply, None))
        return reply

    @property
    def served(self) -> str:
        """The model that the service says it served."""
        return next((call.reply.model for call in reversed(self.calls) if call.reply is not None), "")

    @property
    def spent(self) -> dict[str, float | None]:
        """What it took: tokens, cost where the judge has prices that are not 0, and whether its reply could be read.

        Nothing where nothing came.
        """
        if not any(call.usage is not None for call in self.calls):
            return {}
        usage, prices = tokens(self.calls), self.judge.config.prices
        counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        spent = {name: None if count is None else float(count) for name, count in counts.items()}
        if prices.input or prices.output:
            spent[COST] = prices.cost(usage)
        if self.form is not None and (self.read is not None or self.unread):
            spent |= {READ: float(self.read is not None), REASKED: float(self.read is not None and self.reasked)}
        return spent
