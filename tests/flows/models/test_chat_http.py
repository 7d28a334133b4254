"""The chat-completions wire form: what is sent, what is read, and which error a refusal becomes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from chat_endpoint import (
    AZURE_FILTERED,
    AZURE_FILTERED_INNER,
    Answer,
    ChatEndpoint,
    Cut,
    Status,
    limited,
)

from driftgate.flows.models import (
    ContentFiltered,
    Message,
    Model,
    ModelError,
    ModelMisconfigured,
    RateLimited,
    RequestRejected,
    Unavailable,
    Usage,
)

ASKED = [Message("system", "짧게."), Message("user", "수도는?")]


@pytest.fixture(params=["openai", "azure_openai"])
async def model(
    request: pytest.FixtureRequest,
    model_config: Callable[..., dict[str, Any]],
    open_model: Callable[[Mapping[str, Any]], Model],
) -> AsyncIterator[Model]:
    """A model of each provider that speaks this wire form."""
    opened = open_model(model_config(request.param, parameters={"temperature": 0, "max_tokens": 5, "logprobs": True}))
    yield opened
    await opened.aclose()


async def test_the_request_holds_messages_and_parameters(model: Model, endpoint: ChatEndpoint) -> None:
    await model.complete(ASKED)
    sent = endpoint.requests[0].body
    assert sent["messages"] == [{"role": "system", "content": "짧게."}, {"role": "user", "content": "수도는?"}]
    assert (sent["temperature"], sent["max_tokens"], sent["logprobs"]) == (0, 5, True)


async def test_the_reply_is_read_whole(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer(
        "정답: B", "length", tokens=(31, 4), fingerprint="fp_9", top_logprobs={"B": -0.25, " A": -1.5}
    )
    reply = await model.complete(ASKED)
    assert (reply.text, reply.finish_reason) == ("정답: B", "length")
    assert reply.usage == Usage(31, 4)
    assert reply.fingerprint == "fp_9"
    assert reply.first_token == {"B": -0.25, " A": -1.5}
    assert (reply.attempts, reply.cached) == (1, False)


async def test_what_a_service_leaves_out_is_empty(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = Answer(None, tokens=None, fingerprint=None)
    reply = await model.complete(ASKED)
    assert (reply.text, reply.usage, reply.fingerprint, reply.first_token) == ("", Usage(None, None), "", None)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Status(400, AZURE_FILTERED), ContentFiltered),
        (Status(400, AZURE_FILTERED_INNER), ContentFiltered),
        (Answer("", finish_reason="content_filter"), ContentFiltered),
        (Status(400, {"error": {"code": "context_length_exceeded", "message": "too long"}}), RequestRejected),
        (Status(422, {"error": "a string"}), RequestRejected),
        (Status(413, b"<html>too large</html>"), RequestRejected),
        (Status(429, {"error": {"code": "429"}}), RateLimited),
        (Status(500, {"error": {"message": "boom"}}), Unavailable),
        (Status(503, b""), Unavailable),
        (Status(408, b""), Unavailable),
        (Cut(), Unavailable),
        (Status(200, b"<!doctype html>"), Unavailable),
        (Status(200, {"choices": []}), Unavailable),
        (Status(200, ["not", "an", "object"]), Unavailable),
        (Status(200, {"choices": [{"message": None}]}), Unavailable),
        (Status(200, b"\xff\xfe\x00"), Unavailable),
        (Status(401, {"error": {"message": "Access denied."}}), ModelMisconfigured),
        (Status(403, {"error": {"message": "not allowed"}}), ModelMisconfigured),
        (Status(404, {"error": {"code": "DeploymentNotFound"}}), ModelMisconfigured),
    ],
)
async def test_each_refusal_becomes_its_error(
    model: Model, endpoint: ChatEndpoint, step: Answer | Status | Cut, error: type[ModelError]
) -> None:
    endpoint.default = step
    with pytest.raises(ModelError) as refused:
        await model.complete(ASKED)
    assert type(refused.value) is error
    assert "tested" in refused.value.message
    assert "s3cret" not in str(refused.value)


async def test_nobody_listening_is_unavailable(
    model_config: Callable[..., dict[str, Any]], open_model: Callable[[Mapping[str, Any]], Model]
) -> None:
    model = open_model(model_config("openai", endpoint="http://127.0.0.1:1/v1"))
    with pytest.raises(Unavailable, match="tested"):
        await model.complete(ASKED)
    await model.aclose()


async def test_a_refused_key_says_what_to_check(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.key = "another"
    with pytest.raises(ModelMisconfigured, match=r"refused the key of model 'tested' \(HTTP 401: Access denied\.\)"):
        await model.complete(ASKED)


async def test_the_messages_of_a_refusal_hold_no_query(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = Status(404, {"error": {"message": "no such deployment"}})
    with pytest.raises(ModelMisconfigured, match="is not served at") as refused:
        await model.complete(ASKED)
    assert "api-version" not in refused.value.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
async def test_the_waiting_time_a_429_asks_for(
    model: Model, endpoint: ChatEndpoint, headers: dict[str, str], seconds: float | None
) -> None:
    endpoint.default = Status(429, {"error": {"message": "slow down"}}, headers)
    with pytest.raises(RateLimited) as refused:
        await model.complete(ASKED)
    assert refused.value.retry_after == seconds


async def test_a_429_that_names_its_time_in_milliseconds(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = limited(0.05)
    with pytest.raises(RateLimited) as refused:
        await model.complete(ASKED)
    assert refused.value.retry_after == pytest.approx(0.05)


async def test_a_reply_with_a_surrogate_can_be_stored(model: Model, endpoint: ChatEndpoint) -> None:
    endpoint.default = Status(200, b'{"choices": [{"message": {"content": "B \\ud83d"}}]}')
    reply = await model.complete(ASKED)
    json.dumps(reply.as_json(), ensure_ascii=False).encode()


async def test_a_prompt_with_a_surrogate_can_be_sent(model: Model, endpoint: ChatEndpoint) -> None:
    await model.complete([Message("user", "수도 \ud83d?")])
    assert endpoint.requests[-1].body["messages"] == [{"role": "user", "content": "수도 ??"}]


async def test_log_probabilities_are_numbers_json_knows(model: Model, endpoint: ChatEndpoint) -> None:
    body = (
        b'{"choices": [{"message": {"content": "B"}, "logprobs": {"content": [{"token": "B", "top_logprobs":'
        b' [{"token": "B", "logprob": -0.1}, {"token": "A", "logprob": -Infinity}]}]}}]}'
    )
    endpoint.default = Status(200, body)
    reply = await model.complete(ASKED)
    json.dumps(reply.as_json(), allow_nan=False)
    assert reply.first_token is not None and reply.first_token["B"] == -0.1
