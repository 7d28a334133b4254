"""Retries, waiting times and the number in flight, against an endpoint that fails as services fail."""

from __future__ import annotations

import asyncio
import random

import pytest
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Cut, Hang, Status, Step, limited

from driftgate.flows.models import (
    AdaptiveLimit,
    ContentFiltered,
    Message,
    Model,
    ModelError,
    ModelMisconfigured,
    RequestRejected,
    RetryPolicy,
    Unavailable,
    WaitEnded,
    resilient,
)

BOOM = Status(500, {"error": {"message": "boom"}})
QUICK = RetryPolicy(timeout=5.0, attempts=3, first_pause=0.001)


def ask(text: str = "수도는?") -> list[Message]:
    return [Message("user", text)]


@pytest.mark.parametrize(
    "fault", [BOOM, Cut(), Status(200, b"<html>"), Status(408), limited(0.001), limited(0.01, "Retry-After")]
)
async def test_a_passing_fault_is_tried_again(model: Model, endpoint: ChatEndpoint, fault: Step) -> None:
    endpoint.script("수도", fault, fault, Answer("B"))
    reply = await resilient(model, QUICK, AdaptiveLimit(4)).complete(ask())
    assert (reply.text, reply.attempts) == ("B", 3)
    assert len(endpoint.requests) == 3


async def test_a_request_that_is_never_answered_is_given_up_and_tried_again(
    model: Model, endpoint: ChatEndpoint
) -> None:
    endpoint.script("수도", Hang(), Answer("B"))
    policy = RetryPolicy(timeout=0.2, attempts=3, first_pause=0.001)
    reply = await resilient(model, policy, AdaptiveLimit(4)).complete(ask())
    assert (reply.text, reply.attempts) == ("B", 2)


@pytest.mark.parametrize("fault", [BOOM, Cut(), Hang()])
async def test_after_the_last_attempt_the_request_is_given_up(
    model: Model, endpoint: ChatEndpoint, fault: Step
) -> None:
    endpoint.default = fault
    policy = RetryPolicy(timeout=0.2 if isinstance(fault, Hang) else 5.0, attempts=3, first_pause=0.001)
    with pytest.raises(Unavailable, match="given up after 3 attempts"):
        await resilient(model, policy, AdaptiveLimit(4)).complete(ask())
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Status(400, AZURE_FILTERED), ContentFiltered),
        (Status(400, {"error": {"message": "no"}}), RequestRejected),
        (Status(401), ModelMisconfigured),
        (Status(404), ModelMisconfigured),
    ],
)
async def test_a_refusal_for_good_is_not_tried_again(
    model: Model, endpoint: ChatEndpoint, refusal: Step, error: type[ModelError]
) -> None:
    endpoint.default = refusal
    with pytest.raises(error):
        await resilient(model, QUICK, AdaptiveLimit(4)).complete(ask())
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("header", ["retry-after-ms", "Retry-After"])
async def test_no_request_is_sent_before_the_time_a_429_names(
    model: Model, endpoint: ChatEndpoint, header: str
) -> None:
    endpoint.script("첫째", limited(0.3, header), Answer("B"))
    endpoint.script("둘째", Answer("C"))
    live = resilient(model, QUICK, AdaptiveLimit(4))
    first = asyncio.create_task(live.complete(ask("첫째")))
    while not endpoint.requests:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    await asyncio.gather(first, live.complete(ask("둘째")))
    refused, *later = endpoint.requests
    assert len(later) == 2
    assert all(request.at - refused.at >= 0.29 for request in later)


async def test_a_429_with_a_time_costs_no_attempt(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.script("수도", *[limited(0.001)] * 9, Answer("B"))
    reply = await resilient(model, QUICK, AdaptiveLimit(1)).complete(ask())
    assert reply.attempts == 10


async def test_waiting_out_429_ends_with_the_budget(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = limited(0.05)
    policy = RetryPolicy(attempts=3, first_pause=0.001, rate_limit_budget=0.12)
    with pytest.raises(Unavailable, match="given up after 3 attempts"):
        await resilient(model, policy, AdaptiveLimit(1)).complete(ask())


async def test_a_service_that_says_429_to_everybody_is_waited_for_once(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = limited(0.05)
    policy = RetryPolicy(attempts=3, first_pause=0.001, rate_limit_budget=0.3)
    live = resilient(model, policy, AdaptiveLimit(2))
    with pytest.raises(Unavailable):
        await live.complete(ask("문제 0"))
    for n in range(1, 6):
        with pytest.raises(Unavailable, match=r"given up after 1 attempts: .*HTTP 429"):
            await live.complete(ask(f"문제 {n}"))
    endpoint.default = Answer("B")
    assert (await live.complete(ask())).text == "B"
    endpoint.script("수도", *[limited(0.02)] * 5, Answer("C"))
    assert (await live.complete(ask())).attempts == 6  # one that answers is waited for again


async def test_no_more_than_the_limit_are_in_flight(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer(seconds=0.02)
    live = resilient(model, QUICK, AdaptiveLimit(5))
    await asyncio.gather(*(live.complete(ask(f"문제 {n}")) for n in range(40)))
    assert endpoint.most_in_flight == 5
    assert len(endpoint.requests) == 40


async def test_a_refusing_service_gets_fewer_and_then_more_again(model: Model, endpoint: ChatEndpoint) -> None:
    limit = AdaptiveLimit(8)
    live = resilient(model, QUICK, limit)
    endpoint.script("문제 0", limited(0.02), Answer())
    await live.complete(ask("문제 0"))
    assert limit.capacity == 4
    await asyncio.gather(*(live.complete(ask(f"문제 {n}")) for n in range(1, 60)))
    assert limit.capacity == 8
    assert limit.under_way == 0


async def test_one_request_s_failure_is_no_other_s(model: Model, endpoint: ChatEndpoint) -> None:
    for number, step in enumerate((BOOM, Cut(), Status(400, AZURE_FILTERED), Status(200, b"<html>"))):
        endpoint.script(f"나쁜 {number}", step)
    live = resilient(model, QUICK, AdaptiveLimit(3))
    bad = [live.complete(ask(f"나쁜 {n}")) for n in range(4)]
    good = [live.complete(ask(f"좋은 {n}")) for n in range(20)]
    found = await asyncio.gather(*bad, *good, return_exceptions=True)
    assert all(isinstance(problem, ModelError) for problem in found[:4])
    assert [reply.text for reply in found[4:]] == ["A"] * 20  # type: ignore[union-attr]


async def test_a_cancelled_request_gives_its_place_back(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.script("느린", Hang())
    limit = AdaptiveLimit(1)
    live = resilient(model, QUICK, limit)
    slow = asyncio.create_task(live.complete(ask("느린")))
    while not endpoint.requests:
        await asyncio.sleep(0.01)
    slow.cancel()
    await asyncio.wait([slow])
    assert (await live.complete(ask("빠른"))).text == "A"
    assert limit.under_way == 0


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (limited(300.0), "Rate limit is exceeded"),
        (limited(300.0, "Retry-After"), "Rate limit is exceeded"),
        (BOOM, "boom"),
        (Status(503), "HTTP 503"),
        (Cut(), "tested: "),
        (Hang(), "no reply within 0.1 s"),
    ],
)
async def test_a_wait_ends_with_the_patience_of_its_limit(
    model: Model, endpoint: ChatEndpoint, step: Step, words: str
) -> None:
    endpoint.default = step
    limit = AdaptiveLimit(2)
    live = resilient(model, RetryPolicy(timeout=0.1, attempts=100, first_pause=30.0, longest_pause=300.0), limit)
    asked = [asyncio.create_task(live.complete(ask(f"문제 {n}"))) for n in range(4)]  # two of them wait in the queue
    await asyncio.sleep(0.5)
    limit.patience.lose("time is up")
    async with asyncio.timeout(1.0):
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(problem, WaitEnded) and problem.message.startswith("time is up") for problem in found)
    assert words in str(found[0])
    assert limit.under_way == 0 and not any(task.cancelled() for task in asked)
    sent = len(endpoint.requests)
    with pytest.raises(WaitEnded):
        await live.complete(ask("또"))
    assert len(endpoint.requests) <= sent + 1  # where there is a free place one may still ask, and not wait


async def test_a_request_that_is_under_way_may_end_when_patience_is_lost(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer("B", seconds=0.3)
    limit = AdaptiveLimit(1)
    task = asyncio.create_task(resilient(model, QUICK, limit).complete(ask()))
    while not endpoint.requests:
        await asyncio.sleep(0.01)
    limit.patience.lose("time is up")
    assert (await task).text == "B"


async def test_one_who_cancels_a_wait_is_not_overheard(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = limited(300.0)
    limit = AdaptiveLimit(1)
    task = asyncio.create_task(resilient(model, QUICK, limit).complete(ask()))
    await asyncio.sleep(0.2)
    task.cancel()
    limit.patience.lose("time is up")
    with pytest.raises(asyncio.CancelledError):
        await task


def test_pauses_double_up_to_the_longest_and_are_seeded() -> None:
    policy = RetryPolicy(first_pause=1.0, longest_pause=10.0)
    pauses = [max(policy.pause(n, random.Random(seed)) for seed in range(400)) for n in range(1, 8)]
    for ceiling, pause in zip((1, 2, 4, 8, 10, 10, 10), pauses, strict=True):
        assert 0.9 * ceiling < pause <= ceiling
    assert policy.pause(3, random.Random(7)) == policy.pause(3, random.Random(7))
