"""Parameters that a service refuses: what nobody set is left out and said, what the user set is never left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Status, Step, reasoning, unsupported

from driftgate.flows.models import (
    PROVIDERS,
    AdaptiveLimit,
    ContentFiltered,
    Message,
    Model,
    ModelError,
    ModelMisconfigured,
    RateLimited,
    Reply,
    RequestRejected,
    RetryPolicy,
    cache_key,
    cached,
    parse_config,
    resilient,
)

Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]
ASKED = [Message("user", "수도는?")]
QUICK = RetryPolicy(timeout=5.0, attempts=3, first_pause=0.001)


@pytest.fixture(params=["openai", "azure_openai"])
async def model(request: pytest.FixtureRequest, model_config: Build, open_model: Open) -> AsyncIterator[Model]:
    """A model whose parameters nobody set."""
    opened = open_model(model_config(request.param))
    yield opened
    await opened.aclose()


def sent(endpoint: ChatEndpoint) -> list[Mapping[str, Any]]:
    """The parameters of every request."""
    return [{k: v for k, v in r.body.items() if k not in ("messages", "model")} for r in endpoint.requests]


async def test_a_default_that_is_refused_by_name_is_left_out_from_then_on(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.refuses = reasoning
    before = cache_key(model, ASKED)
    first, second = await model.complete(ASKED), await model.complete(ASKED)
    assert sent(endpoint) == [{"temperature": 0}, {}, {}]
    assert first.text == second.text == "A"
    assert first.without == second.without
    assert list(first.without) == ["temperature"] and "does not support 0" in first.without["temperature"]
    assert model.identity["parameters"] == {} and cache_key(model, ASKED) != before


async def test_a_default_that_is_taken_is_sent(model: Model, endpoint: ChatEndpoint) -> None:
    assert (await model.complete(ASKED)).without == {}
    assert sent(endpoint) == [{"temperature": 0}]


async def test_requests_that_are_under_way_when_it_is_learnt_are_answered_too(
    model: Model, endpoint: ChatEndpoint
) -> None:
    endpoint.refuses = reasoning
    live = resilient(model, QUICK, AdaptiveLimit(64))
    replies = await asyncio.gather(*(live.complete([Message("user", f"문제 {n}")]) for n in range(200)))
    assert {reply.text for reply in replies} == {"A"}
    assert all(list(reply.without) == ["temperature"] for reply in replies)
    assert len(endpoint.requests) <= 200 + 64


@pytest.mark.parametrize(
    "refused",
    [
        unsupported("Unsupported value: 'temperature' does not support 0.", "temperature", "unsupported_value"),
        unsupported("Unsupported value: 'temperature' does not support 0.", None, "unsupported_value"),
        unsupported("Unsupported parameter: 'temperature' is not supported with this model.", None, None),
        unsupported("Unrecognized request argument supplied: temperature", None, None),
        unsupported("temperature is no parameter of this model", "temperature", "unknown_parameter"),
        Status(422, {"object": "error", "message": "x", "param": "temperature", "code": "unsupported_parameter"}),
    ],
)
async def test_however_a_service_names_it(model: Model, endpoint: ChatEndpoint, refused: Step) -> None:
    endpoint.refuses = lambda body: refused if "temperature" in body else None
    assert list((await model.complete(ASKED)).without) == ["temperature"]


async def test_what_the_user_set_is_never_left_out(
    model_config: Build, open_model: Open, endpoint: ChatEndpoint
) -> None:
    endpoint.refuses = reasoning
    for parameters in ({"temperature": 0}, {"top_p": 0.5}, {"logprobs": True}):
        model = open_model(model_config("openai", parameters=parameters))
        name = next(iter(parameters))
        with pytest.raises(ModelMisconfigured, match=f"does not take the parameter '{name}'.*HTTP 400 Uns") as refused:
            await resilient(model, QUICK, AdaptiveLimit(4)).complete(ASKED)
        assert "take it out of models.tested.parameters" in refused.value.remedy
        await model.aclose()
    assert len(endpoint.requests) == 3


async def test_a_schema_that_the_user_set_and_the_service_refuses_concerns_the_model(
    model_config: Build, open_model: Open, endpoint: ChatEndpoint
) -> None:
    said = "Invalid schema for response_format 'item': 'minLength' is not permitted."
    endpoint.default = Status(400, {"message": said, "type": "invalid_request_error", "param": None, "code": None})
    model = open_model(model_config("openai", parameters={"response_format": {"type": "json_schema"}}))
    with pytest.raises(ModelMisconfigured, match=r"does not take the parameter 'response_format'.*minLength"):
        await model.complete(ASKED)
    await model.aclose()


async def test_a_prompt_that_does_not_ask_for_json_concerns_the_request(
    model_config: Build, open_model: Open, endpoint: ChatEndpoint
) -> None:
    said = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    endpoint.default = Status(400, {"message": said, "type": "invalid_request_error", "param": "messages"})
    model = open_model(model_config("openai", parameters={"response_format": {"type": "json_object"}}))
    with pytest.raises(RequestRejected, match="must contain the word"):
        await model.complete(ASKED)
    await model.aclose()


async def test_a_refusal_of_what_the_prompt_holds_concerns_the_request(model: Model, endpoint: ChatEndpoint) -> None:
    said = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
    endpoint.default = unsupported(said, "messages[0].role", "unsupported_value")
    with pytest.raises(RequestRejected, match=r"messages\[0\]\.role"):
        await model.complete(ASKED)
    assert len(endpoint.requests) == 1


async def test_our_limit_on_tokens_is_sent_under_its_new_name(
    model_config: Build, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    endpoint.refuses = reasoning
    config = parse_config(model_config("openai")).with_ours(max_tokens=512)
    model = PROVIDERS.get("openai").open("writer", config, tmp_path)
    reply = await model.complete(ASKED)
    assert set(reply.without) == {"temperature"}
    last = sent(endpoint)[-1]
    assert last["max_completion_tokens"] == 512 and not last.keys() & {"temperature", "max_tokens"}
    await model.aclose()


async def test_our_limit_on_tokens_is_left_out_where_no_name_of_it_is_taken(
    model_config: Build, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    def neither(body: Mapping[str, Any]) -> Status | None:
        for name in ("max_tokens", "max_completion_tokens"):
            if name in body:
                return unsupported(f"Unsupported parameter: '{name}'", name, "unsupported_parameter")
        return None

    endpoint.refuses = neither
    config = parse_config(model_config("openai")).with_ours(max_tokens=512)
    model = PROVIDERS.get("openai").open("writer", config, tmp_path)
    assert set((await model.complete(ASKED)).without) == {"max_tokens"}
    assert len(endpoint.requests) == 3
    await model.aclose()


async def test_replies_are_kept_under_what_was_really_asked(
    model_config: Build, open_model: Open, endpoint: ChatEndpoint
) -> None:
    class Kept:
        def __init__(self) -> None:
            self.replies: dict[str, Reply] = {}

        async def get(self, key: str) -> Reply | None:
            return self.replies.get(key)

        async def put(self, key: str, reply: Reply) -> None:
            self.replies.setdefault(key, reply)

    endpoint.refuses = reasoning
    kept, model = Kept(), open_model(model_config("openai"))
    await cached(model, kept).complete(ASKED)
    assert list(kept.replies) == [cache_key(open_model(model_config("openai", parameters={})), ASKED)]
    again = await cached(model, kept).complete(ASKED)
    assert again.cached and list(again.without) == ["temperature"]
    await model.aclose()


SPENT = {"message": "You exceeded your current quota, please check your plan and billing details."}


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Status(429, {"error": {**SPENT, "type": "insufficient_quota", "code": "insufficient_quota"}}), "quota"),
        (Status(429, {"error": {**SPENT, "type": "insufficient_quota", "code": None}}, {"retry-after": "1"}), "quota"),
        (Status(402, {"error": {"message": "Insufficient Balance"}}), "quota of model 'tested' is spent .*Balance"),
        (Status(403, {"error": {"message": "x", "code": "billing_not_active"}}), "quota of model 'tested'"),
        (Status(410, {"error": {"message": "retired on 2026-10-01"}}), "not served .*HTTP 410: retired on"),
        (Status(400, {"error": {"message": "no", "code": "model_not_found"}}), "is not served at"),
        (Status(400, {"error": {"message": "no", "code": "unknown_model"}}), "is not served at"),
    ],
)
async def test_what_every_request_would_meet_is_not_tried_again(
    model: Model, endpoint: ChatEndpoint, refusal: Step, said: str
) -> None:
    endpoint.default = refusal
    with pytest.raises(ModelMisconfigured, match=said) as refused:
        await resilient(model, QUICK, AdaptiveLimit(4)).complete(ASKED)
    assert refused.value.remedy and len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "the usual form", "code": "x"}}, "the usual form"),
        ({"object": "error", "message": "length is 512", "type": "BadRequestError", "code": 400}, "length is 512"),
        ({"detail": "Not a valid request"}, "Not a valid request"),
        (
            {"detail": [{"loc": ["body", "top_k"], "msg": "not permitted", "type": "extra"}]},
            "body.top_k: not permitted",
        ),
        ({"detail": {"message": "of an object"}}, "of an object"),
        ({"error": "model requires more memory"}, "model requires more memory"),
        ({"error": {"message": ["a list", "of two"]}}, "a list; of two"),
        ({"statusCode": 400, "message": "of a gateway"}, "of a gateway"),
        ({"error": None, "message": "beside nothing"}, "beside nothing"),
        (["no", "object"], '["no", "object"]'),
        (b"upstream connect error", "upstream connect error"),
        (b"", ""),
    ],
)
async def test_the_words_of_a_refusal_are_read_in_every_form(
    model: Model, endpoint: ChatEndpoint, body: Any, words: str
) -> None:
    endpoint.default = Status(400, body)
    with pytest.raises(RequestRejected) as refused:
        await model.complete(ASKED)
    assert refused.value.message.startswith("tested: HTTP 400") and refused.value.message.endswith(words)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Status(429, {"object": "error", "message": "slow down"}), RateLimited),
        (Status(400, {"error": {"code": "content_filter", "message": "temperature"}}), ContentFiltered),
        (Status(400, {"error": {"message": "the context is too long", "param": "max_tokens"}}), RequestRejected),
    ],
)
async def test_what_concerns_one_request_still_does(
    model: Model, endpoint: ChatEndpoint, refusal: Step, error: type[ModelError]
) -> None:
    endpoint.default = refusal
    with pytest.raises(ModelError) as refused:
        await model.complete(ASKED)
    assert type(refused.value) is error


def test_what_nobody_set_is_known(model_config: Build) -> None:
    assert parse_config(model_config("openai")).ours == {"temperature"}
    assert parse_config(model_config("openai", parameters={"temperature": 0})).ours == frozenset()
    limited = parse_config(model_config("openai", parameters={"seed": 7})).with_ours(max_tokens=5)
    assert (limited.ours, limited.parameters) == ({"max_tokens"}, {"seed": 7, "max_tokens": 5})
