"""Requests of a synthesis as they are sent: each attempt counts, and who waits for a service says for what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from driftgate.finetune.synthesis._config import LimitsConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message, Patience, Purse, RateLimited, Reply, Unavailable, WaitEnded, Wrapper

Given = TypeVar("Given")
_TOLD_EVERY = 60.0
"""Seconds between two lines about the same wait."""
_first: ContextVar[bool] = ContextVar("driftgate_first_attempt", default=False)


class LimitReached(DriftgateError):
    """A limit of the synthesis is reached: the request was not sent."""


@dataclass
class Sending:
    """What the limits of a synthesis leave, counted request by request.

    Parameters
    ----------
    may_go_on : callable
        Raises where nothing more may be sent, such as where another process makes the set by now.
    tell : callable
        Told in words what is waited for, at most once a minute for each model.
    """

    limits: LimitsConfig
    may_go_on: Callable[[], None] = lambda: None
    tell: Callable[[str], None] = lambda words: None
    patience: Patience = field(default_factory=Patience)
    """Lost when the time is used up, or a model is found not to answer: who waits for it is told so."""
    purse: Purse = field(init=False)
    taken: int = field(default=0, init=False)
    """Requests that count, those that were answered before included."""
    sent: int = field(default=0, init=False)
    """Attempts of this process and, of what was answered before, those that gave no reply."""
    _told: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.purse = Purse(self.limits.cost)

    def watch(self) -> asyncio.TimerHandle:
        """End every wait when the time is used up; for a timer to be cancelled afterwards."""
        minutes = self.limits.minutes
        why = f"the limit of {minutes:g} minutes was reached"
        return asyncio.get_running_loop().call_later(minutes * 60, self.patience.lose, why)

    @property
    def why(self) -> str:
        """Why nothing more is asked; empty where something may be."""
        calls = self.limits.calls
        if calls is not None and self.taken >= calls:
            return f"the limit of {calls} requests was reached"
        return self.patience.lost or self.purse.why

    def first(self) -> None:
        """Count a request before it is sent."""
        self.taken += 1
        _first.set(True)

    def attempt(self) -> None:
        """See that an attempt may be sent, and count it where it is not the first one of its request.

        Raises
        ------
        LimitReached
            It may not.
        """
        self.may_go_on()
        if self.patience.lost:
            raise LimitReached(self.patience.lost)
        if _first.get():
            _first.set(False)
        elif why := self.why:
            raise LimitReached(why)
        else:
            self.taken += 1
        self.sent += 1

    def answered_before(self, attempts: int) -> None:
        """Count the attempts of a request that was answered before, but the one that was."""
        self.taken += attempts - 1
        self.sent += attempts - 1

    def waits(self, model: str, why: str) -> None:
        """Say that a model is asked again after a pause."""
        now = time.monotonic()
        if now - self._told.get(model, -_TOLD_EVERY) >= _TOLD_EVERY:
            self._told[model] = now
            self.tell(f"waiting for model '{model}', and asking again: {why}")


@dataclass
class Counted(Wrapper):
    """A model each of whose attempts counts."""

    sending: Sending

    @property
    def cap(self) -> int | None:
        """Tokens that a reply may have, at most; None where nobody says so."""
        return getattr(self.inner, "cap", None)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Ask it, unless a limit is reached.

        Raises
        ------
        LimitReached
            One is.
        """
        self.sending.attempt()
        try:
            return await self.inner.complete(messages)
        except RateLimited as problem:
            pause = f" (it asks for {problem.retry_after:g} s)" if problem.retry_after else ""
            self.sending.waits(self.name, f"{problem.message}{pause}")
            raise
        except Unavailable as problem:
            self.sending.waits(self.name, problem.message)
            raise


async def all_of(work: Iterable[Coroutine[Any, Any, Given]]) -> list[Given]:
    """Await all, and raise what the first one raised only when none is under way any more.

    Whoever closes a model then closes it for good; and a reply that is paid for is kept, whatever became of another.
    """
    found = await asyncio.gather(*work, return_exceptions=True)
    problems = [one for one in found if isinstance(one, BaseException)]
    for problem in sorted(problems, key=lambda one: isinstance(one, WaitEnded)):
        raise problem
    return [one for one in found if not isinstance(one, BaseException)]
