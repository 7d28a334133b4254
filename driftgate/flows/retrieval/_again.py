"""A question to a service, asked again after faults that pass."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from driftgate.flows.models import RateLimited, RetryPolicy, Unavailable

T = TypeVar("T")


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
