"""A call that several spans tell of is one call."""

from __future__ import annotations

from typing import Any

import otlp_bodies as otlp
import pytest

from driftgate.monitor.telemetry import Decoded, Intake, Reason, decode

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-5-mini"}
ANSWERED = {"gen_ai.response.model": "gpt-5-mini-2025-08-07", "gen_ai.usage.input_tokens": 12}


def within(number: int, parent: int, attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return otlp.span(number, attributes, parentSpanId=f"{parent:016x}", **fields)


def told(*spans: dict[str, Any]) -> Decoded:
    return decode(otlp.body(*spans), otlp.JSON, intake=Intake(redact=str))


def numbers(decoded: Decoded) -> list[int]:
    return sorted(int(call.span_id, 16) for call in decoded.calls)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_call_around_a_call_of_the_same_model_is_the_same_call(order: tuple[int, int]) -> None:
    spans = [otlp.span(1, CHAT), within(2, 1, CHAT | ANSWERED)]
    decoded = told(*(spans[place] for place in order))
    assert numbers(decoded) == [2]
    assert decoded.calls[0].response_model == "gpt-5-mini-2025-08-07"
    assert dict(decoded.left) == {Reason.TOLD_TWICE: 1}
    assert decoded.rejected == 0


def test_what_only_the_outer_span_tells_is_kept() -> None:
    outer = CHAT | {
        "gen_ai.conversation.id": "thread_9",
        "gen_ai.prompt.name": "refund",
        "gen_ai.input.messages": '[{"role": "user", "content": "Hi"}]',
        "gen_ai.output.messages": '[{"role": "assistant", "content": "Hello"}]',
        "gen_ai.usage.input_tokens": 99,
    }
    call = told(otlp.span(1, outer), within(2, 1, CHAT | ANSWERED)).calls[0]
    assert (call.conversation, call.prompt_name, call.input_text, call.output_text) == (
        "thread_9",
        "refund",
        "Hi",
        "Hello",
    )
    assert call.input_tokens == 12  # the inner one knows


def test_several_calls_within_one_are_several_and_share_its_context_only() -> None:
    outer = CHAT | {"gen_ai.conversation.id": "thread_9", "gen_ai.usage.input_tokens": 24}
    decoded = told(otlp.span(1, outer), within(2, 1, CHAT), within(3, 1, CHAT))
    assert numbers(decoded) == [2, 3]
    assert {call.conversation for call in decoded.calls} == {"thread_9"}
    assert {call.input_tokens for call in decoded.calls} == {None}


@pytest.mark.parametrize(
    ("outer", "inner", "one"),
    [
        ({"gen_ai.request.model": "openai/gpt-5-mini"}, {}, True),
        ({"gen_ai.request.model": "GPT-5-mini"}, {}, True),
        ({"gen_ai.request.model": "gpt-5-mini-2025-08-07"}, {}, True),
        ({"gen_ai.request.model": "my-deployment", "gen_ai.response.model": "gpt-5-mini"}, {}, True),
        ({"gen_ai.request.model": "gpt-5"}, {}, False),
        ({"gen_ai.request.model": "gpt-5-mini-judge"}, {}, False),
        ({}, {"gen_ai.request.model": "gpt-5"}, False),
    ],
)
def test_another_model_within_is_another_call(outer: dict[str, Any], inner: dict[str, Any], one: bool) -> None:
    decoded = told(otlp.span(1, CHAT | outer), within(2, 1, CHAT | inner))
    assert numbers(decoded) == ([2] if one else [1, 2])


def test_an_http_request_may_stand_between_and_a_tool_or_agent_may_not() -> None:
    http, tool = {"http.request.method": "POST"}, {"gen_ai.operation.name": "execute_tool"}
    engine = {"gen_ai.latency.e2e": 0.7, "gen_ai.usage.prompt_tokens": 12}  # vLLM, which names no model
    assert numbers(told(otlp.span(1, CHAT), within(2, 1, http), within(3, 2, engine))) == [3]
    assert numbers(told(otlp.span(1, CHAT), within(2, 1, tool), within(3, 2, CHAT))) == [1, 3]
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-5-mini"}
    assert numbers(told(otlp.span(1, agent), within(2, 1, CHAT), within(3, 1, CHAT))) == [2, 3]


def test_three_within_each_other_are_one_and_a_circle_is_none() -> None:
    assert numbers(told(otlp.span(1, CHAT), within(2, 1, CHAT), within(3, 2, CHAT))) == [3]
    assert numbers(told(within(1, 1, CHAT))) == [1]
    circle = told(within(1, 2, CHAT), within(2, 1, CHAT))
    assert len(circle.calls) + sum(circle.left.values()) == 2
    elsewhere = told(otlp.span(1, CHAT), within(2, 1, CHAT, traceId="ab" * 16))
    assert numbers(elsewhere) == [1, 2]  # the same span id in another trace is another span


ANSWER = {"gen_ai.response.id": "chatcmpl-79", "gen_ai.usage.output_tokens": 3}


def apart(number: int, scope: str, told: dict[str, Any], ms: int = 800, **fields: Any) -> dict[str, Any]:
    """A span in a trace of its own, which ends ``ms`` milliseconds after noon and a second."""
    begin = otlp.NOON + 10**9
    made = otlp.span(number, CHAT | ANSWER | told, scope, traceId=f"{number:032x}", **fields)
    return made | {"startTimeUnixNano": str(begin), "endTimeUnixNano": str(begin + ms * 10**6)}


FRAMEWORK, CLIENT = "AzureAIOpenTelemetryTracer", "opentelemetry.instrumentation.openai.v1"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_instrumentations_that_name_the_same_answer_tell_of_one_call(order: tuple[int, int]) -> None:
    """As LangChain's tracer for Azure and an instrumentation of its client do, in traces of their own."""
    spans = [apart(1, FRAMEWORK, {"gen_ai.conversation.id": "t-1"}, 900), apart(2, CLIENT, {}, 800)]
    decoded = told(*(spans[place] for place in order))
    assert numbers(decoded) == [2]
    assert (decoded.calls[0].conversation, decoded.calls[0].dialect) == ("t-1", "openllmetry")
    assert dict(decoded.left) == {Reason.TOLD_TWICE: 1}


@pytest.mark.parametrize(
    "other",
    [
        apart(2, FRAMEWORK, {}),  # the same dialect: a service that gives every answer one id
        apart(2, CLIENT, {"gen_ai.response.id": "chatcmpl-80"}),
        apart(2, CLIENT, {"gen_ai.response.id": ""}),
        apart(2, CLIENT, {"gen_ai.usage.output_tokens": 4}),
        apart(2, CLIENT, {"gen_ai.request.model": "gpt-5"}),
        apart(2, CLIENT, {}) | {"startTimeUnixNano": str(otlp.NOON + 60 * 10**9)},
    ],
)
def test_what_may_be_another_call_stays_one(other: dict[str, Any]) -> None:
    assert numbers(told(apart(1, FRAMEWORK, {}, 900), other)) == [1, 2]
