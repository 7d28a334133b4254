"""The adaptive limit: never too many at once, no place lost, fewer after a refusal and more after successes."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.flows.models import AdaptiveLimit

EVENTS = st.lists(
    st.tuples(st.sampled_from(["start", "start", "succeed", "fail", "refuse", "cancel", "tick"]), st.integers(0, 20)),
    max_size=60,
)


class _Visitors:
    """Tasks that enter a limit, stay until told to go, and leave."""

    def __init__(self, limit: AdaptiveLimit) -> None:
        self.limit = limit
        self.inside = 0
        self.entered_too_many = 0
        self.tasks: dict[asyncio.Task[None], asyncio.Event] = {}

    def start(self) -> None:
        go = asyncio.Event()
        self.tasks[asyncio.create_task(self._visit(go))] = go

    async def _visit(self, go: asyncio.Event) -> None:
        async with self.limit:
            self.inside += 1
            self.entered_too_many += self.inside > self.limit.capacity
            try:
                await go.wait()
            finally:
                self.inside -= 1

    def pick(self, number: int) -> asyncio.Task[None] | None:
        running = [task for task in self.tasks if not task.done()]
        return running[number % len(running)] if running else None


@settings(max_examples=400, deadline=None)
@given(capacity=st.integers(1, 5), events=EVENTS)
def test_never_more_inside_than_the_capacity_and_nobody_is_forgotten(
    capacity: int, events: list[tuple[str, int]]
) -> None:
    async def play() -> None:
        limit = AdaptiveLimit(capacity)
        visitors = _Visitors(limit)
        for event, number in events:
            task = visitors.pick(number)
            if event == "start":
                visitors.start()
            elif event == "tick":
                await asyncio.sleep(0)
            elif event == "refuse":
                limit.refused(None)
            elif task is not None and event == "cancel":
                task.cancel()
            elif task is not None:
                if event == "succeed":
                    limit.succeeded()
                visitors.tasks[task].set()
            assert visitors.inside <= limit.under_way <= capacity
            assert 1 <= limit.capacity <= limit.maximum
        for go in visitors.tasks.values():
            go.set()
        if visitors.tasks:
            done, waiting = await asyncio.wait(visitors.tasks, timeout=5)
            assert not waiting, "a task waits although there is a place"
            assert [task.exception() for task in done if not task.cancelled()] == [None] * len(
                [task for task in done if not task.cancelled()]
            )
        assert visitors.entered_too_many == 0
        assert (visitors.inside, limit.under_way) == (0, 0)
        assert await _that_enter_at_once(limit) == limit.capacity

    asyncio.run(play())


async def _that_enter_at_once(limit: AdaptiveLimit) -> int:
    visitors = _Visitors(limit)
    for _ in range(limit.capacity + 3):
        visitors.start()
    for _ in range(10):
        await asyncio.sleep(0)
    inside = visitors.inside
    for go in visitors.tasks.values():
        go.set()
    await asyncio.wait(visitors.tasks)
    return inside


async def test_cancelling_one_that_is_woken_in_the_same_moment_wakes_the_next() -> None:
    limit = AdaptiveLimit(1)
    visitors = _Visitors(limit)
    for _ in range(3):
        visitors.start()
        await asyncio.sleep(0)
    first, second, third = visitors.tasks
    visitors.tasks[first].set()
    second.cancel()  # the first leaves and calls the second before the second learns that it was cancelled
    for go in visitors.tasks.values():
        go.set()
    await asyncio.wait_for(asyncio.wait(visitors.tasks), 5)
    assert second.cancelled()
    assert third.exception() is None
    assert limit.under_way == 0


@pytest.mark.parametrize(("start", "refusals", "left"), [(64, 1, 32), (64, 3, 8), (5, 1, 2), (1, 4, 1)])
async def test_each_refusal_halves(start: int, refusals: int, left: int) -> None:
    limit = AdaptiveLimit(start)
    for _ in range(refusals):
        limit.refused(None)
    assert limit.capacity == left


async def test_refusals_of_one_burst_halve_once() -> None:
    limit = AdaptiveLimit(8)
    visitors = _Visitors(limit)
    for _ in range(8):
        visitors.start()
    await asyncio.sleep(0)
    for _ in range(8):
        limit.refused(None)
    assert limit.capacity == 4
    for go in visitors.tasks.values():
        go.set()
    await asyncio.wait(visitors.tasks)


async def test_a_round_of_successes_adds_one_place_up_to_the_maximum() -> None:
    limit = AdaptiveLimit(4)
    limit.refused(None)
    grown = []
    for _ in range(12):
        limit.succeeded()
        grown.append(limit.capacity)
    assert grown == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]


async def test_a_refusal_with_a_time_holds_new_ones_back() -> None:
    limit = AdaptiveLimit(4)
    limit.refused(0.1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with limit:
        assert loop.time() - began >= 0.09
