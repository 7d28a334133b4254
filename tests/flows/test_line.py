"""Prompts become turns, and tools reach the model of their own line."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Hang, Status
from hypothesis import given
from hypothesis import strategies as st

from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line, ask, current_line, enter_line, parse_chat
from driftgate.flows.models import Message, Model, ModelError, RequestRejected

Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]
TURNS = st.lists(
    st.builds(
        Message,
        st.sampled_from(["system", "user", "assistant"]),
        st.text(max_size=40).map(lambda text: text.replace("#", "").strip()).filter(lambda text: "\r" not in text),
    ),
    min_size=1,
    max_size=5,
)


@given(TURNS)
def test_headed_turns_come_back_as_they_were(turns: list[Message]) -> None:
    prompt = "\n".join(f"# {turn.role}:\n{turn.content}" for turn in turns)
    assert parse_chat(prompt) == turns


@given(st.text(max_size=200))
def test_every_text_has_a_turn(text: str) -> None:
    turns = parse_chat(text)
    assert turns
    assert {turn.role for turn in turns} <= {"system", "user", "assistant"}


@pytest.mark.parametrize(
    ("prompt", "turns"),
    [
        ("수도는?", [("user", "수도는?")]),
        ("앞말\n# user:\n질문", [("user", "앞말"), ("user", "질문")]),
        ("#System:\n가\n  # USER :  \n나", [("system", "가"), ("user", "나")]),
        ("# user: 같은 줄", [("user", "# user: 같은 줄")]),
        ("user:\n철수\nassistant:\n영희", [("user", "user:\n철수\nassistant:\n영희")]),
        ("## user:\n제목", [("user", "## user:\n제목")]),
        ("", [("user", "")]),
        ("# system:\r\n가\r\n# user:\r\n나", [("system", "가"), ("user", "나")]),
    ],
)
def test_only_a_heading_of_its_own_line_begins_a_turn(prompt: str, turns: list[tuple[str, str]]) -> None:
    assert [(turn.role, turn.content) for turn in parse_chat(prompt)] == turns


async def test_asking_outside_of_a_line_says_so() -> None:
    async def outside() -> None:
        with pytest.raises(DriftgateError, match="outside of a flow's line"):
            await ask("?")

    await asyncio.create_task(outside(), context=contextvars.Context())


async def test_every_call_is_kept_in_order(endpoint: ChatEndpoint, model_config: Build, open_model: Open) -> None:
    endpoint.script("둘째", Status(400, {"error": {"message": "no"}}))
    model = open_model(model_config("openai"))
    line = Line({"": model}, "q1")
    enter_line(line)
    await ask("첫째")
    with pytest.raises(RequestRejected):
        await ask("둘째")
    await ask("셋째")
    await model.aclose()
    assert current_line() is line
    assert [call.reply is not None for call in line.calls] == [True, False, True]
    assert isinstance(line.calls[1].error, RequestRejected)


async def test_a_flow_may_ask_another_model_by_name(
    endpoint: ChatEndpoint, model_config: Build, open_model: Open
) -> None:
    one = open_model(model_config("openai", model="small"))
    other = open_model(model_config("openai", model="large"))
    enter_line(Line({"": one, "judge": other}))
    await ask("?")
    await ask("?", model="judge")
    with pytest.raises(DriftgateError, match="did you mean 'judge'"):
        await ask("?", model="jugde")
    await asyncio.gather(one.aclose(), other.aclose())
    assert [request.body["model"] for request in endpoint.requests] == ["small", "large"]


async def test_aborting_fails_what_is_under_way_and_all_that_follows(
    endpoint: ChatEndpoint, model_config: Build, open_model: Open
) -> None:
    endpoint.default = Hang()
    model = open_model(model_config("openai"))
    line = Line({"": model})
    enter_line(line)
    asking = asyncio.create_task(ask("느린"))
    while not endpoint.requests:
        await asyncio.sleep(0.01)
    line.abort()
    with pytest.raises(ModelError, match="stopped"):
        await asking
    endpoint.default = Answer()
    with pytest.raises(ModelError, match="stopped"):
        await ask("빠른")
    await model.aclose()
    assert len(endpoint.requests) == 1
