"""Replies as services send them: content in parts, refusals, reasoning, their words for the end, errors under 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status

from driftgate.flows.models import (
    ContentFiltered,
    Message,
    Model,
    ModelError,
    ModelMisconfigured,
    RateLimited,
    Reply,
    RequestRejected,
    Unavailable,
    Usage,
)

ASKED = [Message("user", "수도는?")]


def completion(message: Mapping[str, Any], finish: Any = "stop", **usage: Any) -> Status:
    counts = {"prompt_tokens": 20, "completion_tokens": 12, **usage}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return Status(200, {"object": "chat.completion", "model": "m-1", "choices": [choice], "usage": counts})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "A"}], "A"),
        ([{"type": "text", "text": "정답: "}, {"type": "text", "text": "A"}], "정답: A"),
        ({"type": "text", "text": "A"}, "A"),
        (["정답: ", "A"], "정답: A"),
        ([{"type": "output_text", "text": "A", "annotations": []}], "A"),
        ([{"type": "text", "text": {"value": "A", "annotations": []}}], "A"),
        ([{"text": "A"}], "A"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "B?"}]}, {"type": "text", "text": "A"}], "A"),
        ([{"type": "reasoning", "text": "B?"}, {"type": "text", "text": "A"}], "A"),
        ([{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "A"}], "A"),
        ([{"type": "text", "text": None}, None], ""),
        ([], ""),
        (None, ""),
        ("A", "A"),
    ],
)
async def test_content_is_a_text_or_its_parts(model: Model, endpoint: ChatEndpoint, content: Any, text: str) -> None:
    endpoint.default = completion({"content": content})
    assert (await model.complete(ASKED)).text == text


@pytest.mark.parametrize("content", [3, True, [3], [{"type": "text", "text": 3}], [[{"type": "text", "text": "A"}]]])
async def test_content_of_another_shape_is_no_completion(model: Model, endpoint: ChatEndpoint, content: Any) -> None:
    endpoint.default = completion({"content": content})
    with pytest.raises(Unavailable, match="is not a chat completion"):
        await model.complete(ASKED)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_what_was_thought_is_not_what_was_said(model: Model, endpoint: ChatEndpoint, name: str) -> None:
    endpoint.default = completion({"content": "A", name: "B일까? B."})
    assert (await model.complete(ASKED)).text == "A"
    endpoint.default = completion({"content": None, name: "B일까? B."}, "length")
    reply = await model.complete(ASKED)
    assert (reply.text, reply.finish_reason) == ("", "length")


@pytest.mark.parametrize(
    ("message", "finish"),
    [
        ({"content": None, "refusal": "그 질문에는 답할 수 없습니다."}, "stop"),
        ({"content": [{"type": "refusal", "refusal": "그 질문에는 답할 수 없습니다."}]}, "stop"),
        ({"content": ""}, "content_filter: PROHIBITED_CONTENT"),
        ({"content": ""}, "SAFETY"),
        ({"content": "그 질문"}, "refusal"),
    ],
)
async def test_a_refusal_is_filtered_and_says_what_it_took(
    model: Model, endpoint: ChatEndpoint, message: dict[str, Any], finish: str
) -> None:
    endpoint.default = completion(message, finish)
    with pytest.raises(ContentFiltered, match=r"답할 수 없습니다|PROHIBITED|SAFETY|refusal") as refused:
        await model.complete(ASKED)
    assert refused.value.usage == Usage(20, 12)


@pytest.mark.parametrize(("told", "read"), [("MAX_TOKENS", "length"), ("max_tokens", "length"), ("end_turn", "stop")])
async def test_the_end_is_told_in_one_word(model: Model, endpoint: ChatEndpoint, told: str, read: str) -> None:
    endpoint.default = Answer("가나다라", told)
    reply = await model.complete(ASKED)
    assert (reply.text, reply.finish_reason) == ("가나다라", read)


def test_a_reply_that_was_kept_with_its_service_s_word_is_read_in_ours() -> None:
    kept = Reply("가나", "MAX_TOKENS", Usage(20, 2), 0.1).as_json()
    assert Reply.from_json(kept).finish_reason == "length"
    del kept["usage"]["reasoning_tokens"], kept["usage"]["cached_tokens"]  # as it was kept before there were any
    assert Reply.from_json(kept).usage == Usage(20, 2)


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({"error": {"message": "Provider overloaded", "code": 502}}, Unavailable, "Provider overloaded"),
        ({"error": {"message": "slow down", "code": 429}}, RateLimited, "slow down"),
        ({"error": {"message": "Rejected", "code": 400}, "choices": []}, RequestRejected, "Rejected"),
        ({"error": {"message": "no credit", "code": 402}}, ModelMisconfigured, "no credit"),
        ({"error": {"message": "no such model", "code": 404}}, ModelMisconfigured, "no such model"),
        ({"error": "upstream broke"}, Unavailable, "upstream broke"),
        ({"error": {"message": "x", "code": "content_filter"}}, ContentFiltered, "x"),
    ],
)
async def test_an_error_under_http_200_is_one(
    model: Model, endpoint: ChatEndpoint, body: Any, error: type[ModelError], words: str
) -> None:
    endpoint.default = Status(200, body)
    with pytest.raises(ModelError, match=words) as refused:
        await model.complete(ASKED)
    assert type(refused.value) is error


async def test_a_reply_that_the_service_broke_off_is_asked_for_again(model: Model, endpoint: ChatEndpoint) -> None:
    broken = completion({"content": "정답은"}, "error")
    broken.body["choices"][0]["error"] = {"code": 502, "message": "Network connection lost."}
    endpoint.default = broken
    with pytest.raises(Unavailable, match=r"broke off its reply .*Network connection lost"):
        await model.complete(ASKED)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (
            {"prompt_tokens": 31, "completion_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 32}},
            (31, 40, 32, None),
        ),
        (
            {"prompt_tokens": 31, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 16}},
            (31, 4, None, 16),
        ),
        (
            {
                "input_tokens": 31,
                "output_tokens": 40,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 32},
            },
            (31, 40, 32, 0),
        ),
        ({"prompt_tokens": 31, "completion_tokens": 4, "completion_tokens_details": None}, (31, 4, None, None)),
        (
            {"prompt_tokens": 31, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 5}},
            (31, 4, None, None),
        ),
        (
            {"prompt_tokens": 31, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": -1}},
            (31, 4, None, None),
        ),
        ({"completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 16}}, (None, 4, None, None)),
        ({"prompt_tokens": 31, "completion_tokens": 4, "prompt_cache_hit_tokens": 16}, (31, 4, None, 16)),
    ],
)
async def test_tokens_thought_and_kept_are_counted_in_either_shape(
    model: Model, endpoint: ChatEndpoint, usage: dict[str, Any], counted: tuple[int | None, ...]
) -> None:
    step = completion({"content": "A"})
    step.body["usage"] = usage
    endpoint.default = step
    reply = await model.complete(ASKED)
    assert reply.usage == Usage(*counted)
    assert Reply.from_json(reply.as_json()) == reply
