"""Retries, the adaptive limit and the reply cache, each as a wrapper that is itself a model."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from driftgate.flows.deadlines import Deadlines
from driftgate.flows.models._errors import RateLimited, Unavailable, WaitEnded
from driftgate.flows.models._limit import Limit
from driftgate.flows.models._types import Message, Model, Reply, cache_key
from driftgate.flows.models._usage import Usage

_GIVEN_UP = "given up after"


def given_up(attempts: int, last: str) -> str:
    """What is said where a service gave no reply to a request, in words that :func:`gave_up` knows again."""
    return f"{_GIVEN_UP} {attempts} attempts: {last}"


def gave_up(words: str) -> bool:
    """Whether an error that was kept in words says that a service gave no reply, which says nothing of the request.

    >>> gave_up("given up after 6 attempts: HTTP 503"), gave_up("HTTP 400: the prompt is too long")
    (True, False)
    """
    return words.startswith(_GIVEN_UP)


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a request is tried."""

    timeout: float = 60.0
    """Seconds for one attempt."""
    attempts: int = 6
    """Attempts in all, the first included. A 429 that names a waiting time does not count."""
    first_pause: float = 0.25
    """Upper end, in seconds, of the pause after the first failure; it doubles with each."""
    longest_pause: float = 20.0
    rate_limit_budget: float = 600.0
    """Seconds a request may spend waiting out 429 replies, and a model may go without a reply to any request: one that
    answers nobody is an outage, and the next request need not find that out anew."""

    def pause(self, failures: int, rng: random.Random) -> float:
        """Seconds to wait after ``failures`` failures: exponential with full jitter.

        Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
        """
        return rng.uniform(0.0, min(self.longest_pause, self.first_pause * 2 ** (failures - 1)))


class ReplyCache(Protocol):
    """Where replies are kept between runs."""

    async def get(self, key: str) -> Reply | None:
        """Return the stored reply, or None."""

    async def put(self, key: str, reply: Reply) -> None:
        """Store a reply; the first one stored under a key stays."""


@dataclass
class Wrapper:
    """A model in front of another one, whose name and identity it has."""

    inner: Model

    @property
    def name(self) -> str:
        """Its name in the workspace."""
        return self.inner.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that determines a reply besides the messages."""
        return self.inner.identity

    async def aclose(self) -> None:
        """Close it."""
        await self.inner.aclose()


@dataclass
class _Resilient(Wrapper):
    policy: RetryPolicy
    limit: Limit
    rng: random.Random
    deadlines: Deadlines

    async def complete(self, messages: Sequence[Message]) -> Reply:
        loop = asyncio.get_running_loop()
        failures, tries, waited = 0, 0, 0.0
        error: Unavailable | None = None
        usage: Usage | None = None
        """Of replies that came and could not be read; once one did it is not known what the request took."""
        try:
            while True:
                tries += 1
                try:
                    async with self.limit:
                        began = loop.time()
                        with self.deadlines.limit():
                            reply = await self.inner.complete(messages)
                        self.limit.succeeded()
                        return reply if tries == reply.attempts else replace(reply, attempts=tries)
                except RateLimited as problem:
                    self.limit.refused(problem.retry_after)
                    error = problem
                    pause = problem.retry_after or self.policy.pause(min(tries, 8), self.rng)
                    waited += pause
                    if max(waited, self.limit.refused_for) > self.policy.rate_limit_budget:
                        failures = self.policy.attempts
                except Unavailable as problem:
                    error, failures, usage = problem, failures + 1, usage or problem.usage
                    pause = self.policy.pause(failures, self.rng)
                except TimeoutError:
                    error, failures = Unavailable(f"no reply within {loop.time() - began:.1f} s"), failures + 1
                    pause = self.policy.pause(failures, self.rng)
                if failures >= self.policy.attempts:
                    raise Unavailable(given_up(tries, error.message), usage=usage) from error
                with self.limit.patience.wait():
                    await asyncio.sleep(pause)
        except WaitEnded as ended:
            raise WaitEnded(ended.why, error.message if error else "") from error
        except asyncio.CancelledError as stopped:
            # Whoever cancels, such as the time limit of a node, may want to say what went wrong meanwhile.
            raise stopped from error


@dataclass
class _Cached(Wrapper):
    cache: ReplyCache

    async def complete(self, messages: Sequence[Message]) -> Reply:
        key = cache_key(self.inner, messages)
        if (known := await self.cache.get(key)) is not None:
            return replace(known, cached=True)
        reply = await self.inner.complete(messages)
        # What is asked may have changed meanwhile: a parameter was found to be refused.
        await self.cache.put(cache_key(self.inner, messages), reply)
        return reply


def resilient(model: Model, policy: RetryPolicy, limit: Limit, *, seed: int = 0) -> Model:
    """Wrap ``model`` so that passing faults are retried within ``limit``.

    Timeouts, connection errors, 5xx and unreadable replies are tried again up to ``policy.attempts`` times; a 429
    waits as long as the service asks. The waits end with the patience of ``limit``. Every other
    :class:`~driftgate.flows.models.ModelError` passes through at once.
    """
    return _Resilient(model, policy, limit, random.Random(seed), Deadlines(policy.timeout))


def cached(model: Model, cache: ReplyCache) -> Model:
    """Wrap ``model`` so that a request already answered is answered from ``cache``."""
    return _Cached(model, cache)
