"""The cache key changes with everything that determines a reply, and with nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.models import Message, Model, Reply, RequestRejected, cache_key, cached

Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]
ASKED = [Message("user", "수도는?")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
IDENTITIES = st.dictionaries(st.text(max_size=8), JSON, max_size=4)
CONVERSATIONS = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=20)), max_size=4
)


@dataclass
class Named:
    """Just enough of a model to have an identity."""

    identity: Mapping[str, Any]
    name: str = "named"

    async def complete(self, messages: Sequence[Message]) -> Reply:
        raise AssertionError("never asked")

    async def aclose(self) -> None:
        raise AssertionError("never closed")


@given(IDENTITIES, IDENTITIES, CONVERSATIONS, CONVERSATIONS)
def test_keys_are_equal_exactly_when_everything_is(
    one: dict[str, Any], other: dict[str, Any], asked: list[Message], asked_too: list[Message]
) -> None:
    def exact(value: Any) -> Any:  # True is not 1 here, as it is not in JSON
        if isinstance(value, dict):
            return {key: exact(inner) for key, inner in value.items()}
        return [exact(inner) for inner in value] if isinstance(value, list) else (type(value), value)

    equal = (exact(one), asked) == (exact(other), asked_too)
    assert (cache_key(Named(one), asked) == cache_key(Named(other), asked_too)) == equal


@given(IDENTITIES, CONVERSATIONS)
def test_the_order_of_an_identity_s_keys_is_nothing(identity: dict[str, Any], asked: list[Message]) -> None:
    turned = dict(reversed(list(identity.items())))
    assert cache_key(Named(identity), asked) == cache_key(Named(turned), asked)


@given(st.text(max_size=20), st.text(min_size=1, max_size=20))
def test_where_one_turn_ends_and_the_next_begins_matters(left: str, right: str) -> None:
    model = Named({})
    joined = cache_key(model, [Message("user", left + right)])
    assert joined != cache_key(model, [Message("user", left), Message("user", right)])


@pytest.mark.parametrize(
    ("provider", "change"),
    [
        ("openai", {"endpoint": "http://127.0.0.1:2/v1"}),
        ("openai", {"model": "another"}),
        ("openai", {"parameters": {"temperature": 1}}),
        ("azure_openai", {"endpoint": "http://127.0.0.1:2"}),
        ("azure_openai", {"deployment": "another"}),
        ("azure_openai", {"api_version": "2025-01-01"}),
        ("azure_openai", {"parameters": {"seed": 1}}),
        ("local", {"parameters": {"temperature": 0, "max_tokens": 2}}),
        ("local", {"prompt_format": "chat"}),
        ("local", {"context": 1024}),
        ("local", {"top_tokens": 5}),
    ],
)
def test_a_setting_that_shapes_the_reply_changes_the_key(
    request: pytest.FixtureRequest, provider: str, change: dict[str, Any], model_config: Build, open_model: Open
) -> None:
    if provider == "local":
        request.getfixturevalue("gemma")
    plain, changed = open_model(model_config(provider)), open_model(model_config(provider, **change))
    assert cache_key(plain, ASKED) != cache_key(changed, ASKED)


def test_providers_never_share_a_key(model_config: Build, open_model: Open) -> None:
    keys = [cache_key(open_model(model_config(p)), ASKED) for p in ("openai", "azure_openai", "recorded")]
    assert len(set(keys)) == 3


def test_another_key_of_the_same_account_is_the_same_model(
    model_config: Build, open_model: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cache_key(open_model(model_config("openai")), ASKED)
    config = model_config("openai")
    monkeypatch.setenv("TEST_MODEL_KEY", "rotated")
    assert cache_key(open_model(config), ASKED) == before


@dataclass
class Shelf:
    """A :class:`driftgate.flows.models.ReplyCache` in memory."""

    replies: dict[str, Reply] = field(default_factory=dict)

    async def get(self, key: str) -> Reply | None:
        return self.replies.get(key)

    async def put(self, key: str, reply: Reply) -> None:
        self.replies.setdefault(key, reply)


async def test_what_was_answered_is_not_asked_again(
    endpoint: ChatEndpoint, model_config: Build, open_model: Open
) -> None:
    endpoint.script("수도", Answer("B"), Answer("C"))
    live = open_model(model_config("openai"))
    model = cached(live, Shelf())
    first, second = await model.complete(ASKED), await model.complete(ASKED)
    await model.aclose()
    assert (first.text, first.cached) == ("B", False)
    assert (second.text, second.cached) == ("B", True)
    assert len(endpoint.requests) == 1
    assert (model.name, model.identity) == (live.name, live.identity)


async def test_a_refusal_is_not_kept(endpoint: ChatEndpoint, model_config: Build, open_model: Open) -> None:
    endpoint.script("수도", Status(400, {"error": {"message": "no"}}), Answer("B"))
    model = cached(open_model(model_config("openai")), Shelf())
    with pytest.raises(RequestRejected):
        await model.complete(ASKED)
    assert (await model.complete(ASKED)).cached is False
    await model.aclose()


async def test_different_questions_are_different(endpoint: ChatEndpoint, model_config: Build, open_model: Open) -> None:
    endpoint.default = lambda prompt: Answer(prompt[-1])
    model = cached(open_model(model_config("openai")), Shelf())
    asked = [[Message("user", f"글자 {letter}")] for letter in "ABCA"]
    replies = [(await model.complete(messages)).text for messages in asked]
    await asyncio.wait_for(model.aclose(), 5)
    assert replies == list("ABCA")
    assert len(endpoint.requests) == 3
