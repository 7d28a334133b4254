"""A hostile reply is one sentence, in bounded memory and time, and never a defect."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator

import pytest
from hostile_endpoint import HostileEndpoint

from driftgate.flows.models import (
    AdaptiveLimit,
    Message,
    Model,
    ModelMisconfigured,
    Reply,
    ReplyTooLarge,
    RetryPolicy,
    Unavailable,
    Usage,
    parse_config,
    resilient,
)
from driftgate.flows.models.openai import PROVIDER
from driftgate.flows.network import Network, NetworkConfig, enter

ASKED = [Message("user", "수도는?")]
MB = 10**6


@pytest.fixture
def hostile() -> Iterator[HostileEndpoint]:
    served = HostileEndpoint(size=64 * 2**20)
    served.start()
    yield served
    served.stop()


async def ask(
    hostile: HostileEndpoint, kind: str, wire: str = "chat", seconds: float = 30.0, attempts: int = 1
) -> Reply:
    settings = {"provider": "openai", "endpoint": hostile.url(kind), "model": "m", "wire": wire, "parameters": {}}
    model: Model = PROVIDER.open("tested", parse_config(settings), None)
    try:
        patient = resilient(model, RetryPolicy(seconds, attempts, first_pause=0.001), AdaptiveLimit(4))
        return await patient.complete(ASKED)
    finally:
        await model.aclose()


@pytest.mark.parametrize("kind", ["long", "chunked", "sse", "gzip"])
@pytest.mark.parametrize("wire", ["chat", "responses"])
async def test_a_reply_that_does_not_end_is_not_read_to_its_end(hostile: HostileEndpoint, kind: str, wire: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ReplyTooLarge, match=r"tested: the reply is longer than 8 MB, and was not read to its end"):
            await ask(hostile, kind, wire, attempts=3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # What a bomb is packed of is made in this process as well.
    assert peak < 30 * MB, f"{peak / MB:.0f} MB"
    assert hostile.asked[kind] == 1  # it would be as long another time


async def test_how_much_is_read_is_the_workspace_s_to_say(hostile: HostileEndpoint) -> None:
    enter(Network(NetworkConfig(most_reply_mb=0.0001)))
    with pytest.raises(ReplyTooLarge, match=r"longer than 0\.0001 MB"):
        await ask(hostile, "good")
    enter(Network(NetworkConfig(most_reply_mb=0.001)))
    assert (await ask(hostile, "good")).text == "A"


async def test_of_an_error_only_the_beginning_is_read(hostile: HostileEndpoint) -> None:
    with pytest.raises(Unavailable) as failed:
        await ask(hostile, "long-error")
    assert len(failed.value.message) < 400 and "HTTP 500" in failed.value.message


async def test_a_byte_a_second_is_bounded_by_the_model_s_timeout(hostile: HostileEndpoint) -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable, match=r"given up after 2 attempts: no reply within 0\.[3-9] s"):
        await ask(hostile, "drip", seconds=0.3, attempts=2)
    assert asyncio.get_running_loop().time() - began < 5


@pytest.mark.parametrize("kind", ["deep", "deeper", "twice", "not-utf8", "model-number", "page"])
async def test_what_is_no_completion_is_called_that(hostile: HostileEndpoint, kind: str) -> None:
    with pytest.raises(Unavailable, match=r"given up after 2 attempts: tested: the reply is not a chat completion"):
        await ask(hostile, kind, attempts=2)


@pytest.mark.parametrize(
    ("kind", "usage"),
    [
        ("1e400", Usage(None, 1)),
        ("negative", Usage()),
        ("absurd", Usage()),
        ("nan", Usage(None, 1)),
        ("digits", Usage(20, 1)),
        ("surrogate", Usage(20, 1)),
    ],
)
async def test_counts_that_cannot_be_are_unknown(hostile: HostileEndpoint, kind: str, usage: Usage) -> None:
    reply = await ask(hostile, kind)
    assert reply.text == "A" and reply.usage == usage


async def test_a_redirect_ends_it(hostile: HostileEndpoint) -> None:
    with pytest.raises(ModelMisconfigured, match=r"redirected from 127\.0\.0\.1 to evil\.example"):
        await ask(hostile, "redirect")
