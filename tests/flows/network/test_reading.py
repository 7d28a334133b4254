"""Whatever a service sends, it is read, or refused in words: never a defect, never a count that cannot be."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from driftgate.flows.models import ModelError, Prices, Reply, Tier, Usage
from driftgate.flows.models._batch_service import _reply
from driftgate.flows.models._refusal import refusal
from driftgate.flows.models._retirement import _models, end_of
from driftgate.flows.models._wires import wire_form
from driftgate.flows.network import Unreadable, read_json

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.sampled_from([10**8, 10**9, -(10**9), 1e308, -1, 0, 10**400])
)
TEXTS = st.one_of(
    st.text(), st.sampled_from(["\ud800", "stop", "length", "content_filter", "error", "429", "1e400", "\0"])
)
LEAVES = st.one_of(st.none(), NUMBERS, TEXTS)
KNOWN = """choices message content text refusal finish_reason usage prompt_tokens completion_tokens input_tokens
output_tokens prompt_tokens_details completion_tokens_details cached_tokens reasoning_tokens logprobs top_logprobs token
logprob model system_fingerprint created error code type param output status incomplete_details reason data id
deprecation inference shutdown_date custom_id response status_code body errors detail metadata raw innererror"""
NAMES = st.one_of(st.sampled_from(KNOWN.split()), st.text(max_size=3))


def values(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4))


ANY = st.recursive(LEAVES, values, max_leaves=12)
DETAILS = st.one_of(ANY, st.fixed_dictionaries({}, optional={"reasoning_tokens": LEAVES, "cached_tokens": LEAVES}))
USAGE = st.one_of(
    ANY,
    st.fixed_dictionaries(
        {},
        optional={
            "prompt_tokens": LEAVES,
            "completion_tokens": LEAVES,
            "input_tokens": LEAVES,
            "output_tokens": LEAVES,
            "prompt_tokens_details": DETAILS,
            "completion_tokens_details": DETAILS,
            "input_tokens_details": DETAILS,
        },
    ),
)
TOP = st.lists(st.one_of(ANY, st.fixed_dictionaries({"token": TEXTS, "logprob": LEAVES})), max_size=3)
LOGPROBS = st.one_of(ANY, st.fixed_dictionaries({"content": st.lists(st.fixed_dictionaries({"top_logprobs": TOP}))}))
PART = st.one_of(ANY, st.fixed_dictionaries({"type": st.just("output_text"), "text": LEAVES, "logprobs": ANY}))
CONTENT = st.one_of(TEXTS, ANY, st.lists(PART, max_size=2))
CHOICE = st.one_of(
    ANY,
    st.fixed_dictionaries(
        {"message": st.one_of(ANY, st.fixed_dictionaries({"content": CONTENT}, optional={"refusal": ANY}))},
        optional={"finish_reason": ANY, "logprobs": LOGPROBS, "error": ANY},
    ),
)
MORE = {"usage": USAGE, "model": ANY, "system_fingerprint": ANY, "error": ANY, "status": ANY, "created": ANY}
REPLIES = st.one_of(
    ANY,
    st.fixed_dictionaries({"choices": st.lists(CHOICE, max_size=2)}, optional=MORE),
    st.fixed_dictionaries(
        {"output": st.lists(st.one_of(ANY, st.fixed_dictionaries({"content": CONTENT})), max_size=2)},
        optional={**MORE, "incomplete_details": ANY},
    ),
)
BODIES = st.one_of(
    REPLIES.map(json.dumps).map(str.encode), st.binary(), st.text().map(lambda text: text.encode("utf-8"))
)
PRICES = (
    Prices(input=1.0, output=2.0),
    Prices(input=1.0, output=2.0, cached_input=0.1, tiers=(Tier(above=10, input=2, output=3, cached_input=0.2),)),
)


def sound(usage: Usage | None) -> None:
    for name in ("input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens"):
        count = getattr(usage, name, None)
        assert count is None or (type(count) is int and 0 <= count <= 10**8), (name, count)
    for prices in PRICES if usage else ():
        cost = prices.cost(usage)
        assert cost is None or (math.isfinite(cost) and cost >= 0)


def is_sound(reply: Reply) -> None:
    sound(reply.usage)
    for text in (reply.text, reply.model, reply.fingerprint, reply.finish_reason, *(reply.first_token or {})):
        text.encode()  # a file and a database can hold it
    assert all(math.isfinite(each) and each <= 0 for each in (reply.first_token or {}).values())
    json.dumps(reply.as_json(), allow_nan=False)


def whatever_comes(body: bytes) -> None:
    for wire in ("chat", "responses"):
        try:
            is_sound(wire_form(wire).read("m", body, 0.1))
        except ModelError as problem:
            sound(getattr(problem, "usage", None))
            f"{problem}".encode()
            assert "\n" not in problem.message and len(problem.message) < 500
    for status in (400, 404, 429, 500):
        f"{refusal('m', 'http://a.test/v1/chat/completions', status, body, {})}".encode()
    try:
        read = read_json(body)
    except Unreadable:
        return
    for model in _models(read):
        end_of(model)
    line = json.dumps({"custom_id": "r", "response": {"status_code": 200, "body": read}}).encode()
    if (found := _reply(line)) is not None:
        assert found[0] == "r" and found[1].status == 200


@given(BODIES)
@settings(max_examples=200)
def test_whatever_a_service_sends_is_read_or_refused_in_words(body: bytes) -> None:
    whatever_comes(body)


@pytest.mark.acceptance
@given(BODIES)
@settings(max_examples=10_000)
def test_ten_thousand_replies_are_read_or_refused_in_words(body: bytes) -> None:
    whatever_comes(body)


@given(st.fixed_dictionaries({"custom_id": ANY}, optional={"response": REPLIES, "error": ANY}))
def test_whatever_a_batch_s_line_holds_is_a_reply_or_none(line: Any) -> None:
    found = _reply(json.dumps(line).encode())
    if found is not None:
        assert isinstance(found[0], str) and isinstance(found[1].status, int)


@given(st.integers(1, 200))
def test_depth_is_refused_from_a_hundred_on_whoever_reads(depth: int) -> None:
    text = "[" * depth + "]" * depth
    if depth <= 100:
        assert read_json(text) is not None
    else:
        with pytest.raises(Unreadable, match="nested more than 100 deep"):
            read_json(text)


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000, "[" * 10**6])
def test_a_hundred_thousand_deep_is_no_defect(text: str) -> None:
    with pytest.raises(Unreadable):
        read_json(text)


def test_what_is_said_twice_alike_is_said_once() -> None:
    assert read_json('{"a": {"b": [1, 2]}, "a": {"b": [1, 2]}}') == {"a": {"b": [1, 2]}}
    for other in ("{}", "1", "true", "null", '{"b": [1, true]}'):
        with pytest.raises(Unreadable, match="it says two things under 'a'"):
            read_json(f'{{"a": {{"b": [1, 2]}}, "a": {other}}}')
