"""Many limits with one timer: each ends its own await, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from driftgate.flows.deadlines import Deadlines


async def _never(deadlines: Deadlines) -> None:
    with deadlines.limit():
        await asyncio.get_running_loop().create_future()


async def test_every_limit_expires() -> None:
    deadlines = Deadlines(0.01)
    found = await asyncio.gather(*(_never(deadlines) for _ in range(20)), return_exceptions=True)
    assert [type(one) for one in found] == [TimeoutError] * 20


async def test_what_is_in_time_is_left_alone() -> None:
    deadlines = Deadlines(0.05)
    late = asyncio.create_task(_never(deadlines))
    with deadlines.limit() as limit:
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await late
    assert not limit.expired
    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0


async def test_a_task_cancelled_by_others_stays_cancelled() -> None:
    task = asyncio.create_task(_never(Deadlines(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_inner_of_two_limits_does_not_end_the_outer() -> None:
    with Deadlines(60).limit() as outer, pytest.raises(TimeoutError):
        await _never(Deadlines(0.01))
    assert not outer.expired


def test_limits_outlive_an_event_loop() -> None:
    deadlines = Deadlines(0.01)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            asyncio.run(_never(deadlines))
