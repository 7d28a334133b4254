"""Questions to a service that is searched: each asked again after faults that pass, and none once it is gone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from driftgate.flows.models import ModelMisconfigured, RateLimited, RetryPolicy, Unavailable

T = TypeVar("T")

GONE = 10
"""Questions that were given up in a row, without one that was answered between them, say that the service is gone."""


def named(who: str, endpoint: str) -> str:
    """Whoever asks and the address that is asked, without what may be secret in it.

    Examples
    --------
    >>> named("retriever 'ours'", "https://user:key@host:8080/v1?code=x")
    "retriever 'ours' (host:8080/v1)"
    """
    parts = urlsplit(endpoint)
    return f"{who} ({parts.netloc.rpartition('@')[2]}{parts.path})"


@dataclass
class Service:
    """What is asked on behalf of a retriever, until it gives nothing any more."""

    who: str
    """As :func:`named` says it."""
    policy: RetryPolicy
    _rng: random.Random = field(default_factory=lambda: random.Random(0), init=False)
    _given_up: int = field(default=0, init=False)

    async def ask(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Ask one question; see :func:`patiently`.

        Raises
        ------
        ModelMisconfigured
            It is one of too many in a row without an answer: whatever is asked next would have none either.
        Unavailable
            There was no answer in as many attempts as the policy has.
        ModelError
            Asking again would change nothing.
        """
        try:
            found = await patiently(attempt, self.who, self.policy, self._rng)
        except Unavailable as problem:
            self._given_up += 1
            if self._given_up < GONE:
                raise
            raise ModelMisconfigured(
                f"{self.who} gives nothing any more: {self._given_up} questions in a row had no answer; the last was "
                f"{problem.message}",
                "see that it answers there; 'driftgate bench --resume --retry-failed' then asks what failed once more",
            ) from problem
        self._given_up = 0
        return found


async def patiently(ask: Callable[[], Awaitable[T]], who: str, policy: RetryPolicy, rng: random.Random) -> T:
    """Ask until there is an answer; ``Retry-After`` is kept to, if it does not ask for too much.

    Parameters
    ----------
    ask : callable
        Makes one attempt, and ends it with :class:`TimeoutError` after the policy's time.

    Raises
    ------
    Unavailable
        There was none in as many attempts as the policy has.
    ModelError
        Asking again would change nothing.
    """
    failures = 0
    while True:
        asked: float | None = None
        try:
            return await ask()
        except TimeoutError:
            error = Unavailable(f"{who}: no reply within {policy.timeout:g} s")
        except RateLimited as problem:
            error, asked = problem, problem.retry_after
        except Unavailable as problem:
            error = problem
        failures += 1
        if failures >= policy.attempts:
            raise Unavailable(f"given up after {failures} attempts: {error.message}") from error
        pause = policy.pause(failures, rng) if asked is None else asked
        if pause > policy.rate_limit_budget:
            raise Unavailable(f"{error.message}; it asks to wait {pause:,.0f} s") from error
        await asyncio.sleep(pause)
