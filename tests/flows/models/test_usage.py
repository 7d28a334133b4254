"""Token counts and what they cost: taken where they can be right, unknown where they cannot, and never 0 instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status
from pydantic import ValidationError

from driftgate.flows.models import ContentFiltered, Message, Model, Prices, Reply, Usage, cached
from driftgate.flows.models._config import ModelConfig

ASKED = [Message("user", "수도는?")]


def reply_with(usage: str | None, text: str = "B") -> Status:
    """A chat completion with that JSON as its usage; None leaves it out."""
    said = "" if usage is None else f', "usage": {usage}'
    choice = json.dumps({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"})
    return Status(200, f'{{"object": "chat.completion", "choices": [{choice}]{said}}}'.encode())


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ('{"prompt_tokens": 31, "completion_tokens": 4}', (31, 4)),
        ('{"prompt_tokens": 31.0, "completion_tokens": 4.0}', (31, 4)),
        (None, (None, None)),
        ("null", (None, None)),
        ("{}", (None, None)),
        ("[]", (None, None)),
        ('"none"', (None, None)),
        ('{"total_tokens": 35}', (None, None)),
        ('{"prompt_tokens": 31}', (31, None)),
        ('{"completion_tokens": 4}', (None, 4)),
        ('{"prompt_tokens": "31", "completion_tokens": null}', (None, None)),
        ('{"prompt_tokens": -31, "completion_tokens": -4}', (None, None)),
        ('{"prompt_tokens": 31.5, "completion_tokens": 4}', (None, 4)),
        ('{"prompt_tokens": true, "completion_tokens": false}', (None, None)),
        ('{"prompt_tokens": 1e400, "completion_tokens": NaN}', (None, None)),
        ('{"prompt_tokens": 1000000000000, "completion_tokens": 4}', (None, 4)),
        (f'{{"prompt_tokens": {"9" * 5000}, "completion_tokens": 4}}', (None, 4)),
        ('{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}', (None, None)),
    ],
)
async def test_a_count_that_cannot_be_right_is_unknown(
    endpoint: ChatEndpoint,
    model_config: Callable[..., dict[str, Any]],
    open_model: Callable[[Mapping[str, Any]], Model],
    usage: str | None,
    counted: tuple[int | None, int | None],
) -> None:
    endpoint.default = reply_with(usage)
    model = open_model(model_config("openai"))
    reply = await model.complete(ASKED)
    await model.aclose()
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("B", *counted)
    assert Reply.from_json(json.loads(json.dumps(reply.as_json()))) == reply


async def test_an_empty_reply_may_have_no_tokens(
    endpoint: ChatEndpoint,
    model_config: Callable[..., dict[str, Any]],
    open_model: Callable[[Mapping[str, Any]], Model],
) -> None:
    endpoint.default = reply_with('{"prompt_tokens": 31, "completion_tokens": 0}', text="")
    model = open_model(model_config("openai"))
    assert (await model.complete(ASKED)).usage == Usage(31, 0)
    await model.aclose()


async def test_a_completion_that_was_written_and_withheld_says_what_it_took(
    endpoint: ChatEndpoint,
    model_config: Callable[..., dict[str, Any]],
    open_model: Callable[[Mapping[str, Any]], Model],
) -> None:
    endpoint.default = Answer("", "content_filter", tokens=(300, 200))
    model = open_model(model_config("openai"))
    with pytest.raises(ContentFiltered) as filtered:
        await model.complete(ASKED)
    await model.aclose()
    assert filtered.value.usage == Usage(300, 200)


def test_a_reply_that_was_kept_when_unknown_was_0_is_read_as_unknown() -> None:
    reply = Reply("B", "stop", Usage(20, 1), 0.5)
    kept = reply.as_json()
    assert Reply.from_json(kept) == reply
    assert Reply.from_json(kept | {"usage": {"input_tokens": 0, "output_tokens": 0}}).usage == Usage(None, None)
    assert Reply.from_json(kept | {"usage": {"input_tokens": -20, "output_tokens": 1}}).usage == Usage(None, 1)


async def test_recorded_replies_are_not_asked_for_now(
    model_config: Callable[..., dict[str, Any]], open_model: Callable[[Mapping[str, Any]], Model]
) -> None:
    from driftgate.flows.line import Line, entered

    model = open_model(model_config("recorded"))
    with entered(Line({"": model}, "q1")):
        reply = await model.complete(ASKED)
    assert (reply.text, reply.usage, reply.cached) == ("B", Usage(None, None), True)


@pytest.mark.parametrize(
    ("prices", "usage", "cost"),
    [
        (Prices(input=0.5, output=2.0), Usage(1000, 250), 0.001),
        (Prices(input=0.5, output=2.0), Usage(None, 250), None),
        (Prices(input=0.5, output=2.0), Usage(1000, None), None),
        (Prices(input=0.5, output=2.0), Usage(1000, 0), 0.0005),
        (Prices(input=0.5), Usage(1000, 250), None),
        (Prices(output=2.0), Usage(1000, 250), None),
        (Prices(), Usage(1000, 250), None),
        (Prices(input=0.0, output=0.0), Usage(), 0.0),
        (Prices(input=0.0, output=2.0), Usage(None, 250), 0.0005),
    ],
)
def test_a_cost_is_known_where_counts_and_prices_are(prices: Prices, usage: Usage, cost: float | None) -> None:
    assert prices.cost(usage) == cost


@pytest.mark.parametrize("price", [-1.0, float("inf"), float("nan")])
def test_a_price_is_a_number(price: float) -> None:
    with pytest.raises(ValidationError):
        Prices(input=price, output=1.0)


@pytest.mark.parametrize(("provider", "known"), [("openai", False), ("local", True), ("recorded", True)])
def test_what_runs_here_costs_nothing_by_the_token_and_a_service_what_it_says(
    model_config: Callable[..., dict[str, Any]], provider: str, known: bool
) -> None:
    from driftgate.flows.models import parse_config

    config: ModelConfig = parse_config(model_config(provider))
    assert config.prices.known is config.prices.free is known


async def test_what_the_cache_answers_keeps_its_counts(
    endpoint: ChatEndpoint,
    model_config: Callable[..., dict[str, Any]],
    open_model: Callable[[Mapping[str, Any]], Model],
) -> None:
    class Kept(dict[str, Reply]):
        async def get(self, key: str) -> Reply | None:  # type: ignore[override]
            return dict.get(self, key)

        async def put(self, key: str, reply: Reply) -> None:
            self[key] = Reply.from_json(reply.as_json())

    endpoint.default = Answer("B", tokens=None)
    inner = open_model(model_config("openai"))
    model = cached(inner, Kept())
    first, second = await model.complete(ASKED), await model.complete(ASKED)
    await inner.aclose()
    assert second == replace(first, cached=True) and second.usage == Usage(None, None)
