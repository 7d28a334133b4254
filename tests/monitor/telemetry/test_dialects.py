"""The contract of a telemetry dialect, run on every member: a call is one record, whoever tells of it."""

from __future__ import annotations

import hashlib
from typing import Any

import otlp_bodies as otlp
import pytest
from dialect_examples import ANSWER, EXAMPLES, QUESTION, SYSTEM, Example
from hypothesis import given
from hypothesis import strategies as st

from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import Intake, ModelCall, Reason, decode
from driftgate.monitor.telemetry.dialects import DIALECTS

INTAKE = Intake(refused=lambda text: "sorry" in text, redact=str, pseudonym=lambda user: f"of {user}")
EVERY = pytest.mark.parametrize("name", EXAMPLES)


def span_of(example: Example, number: int = 1, **instead: Any) -> dict[str, Any]:
    return otlp.span(
        number,
        example.attributes | instead,
        example.scope,
        name=example.name,
        events=[otlp.event(name, of=told) for name, told in example.events],
    )


def only_call(body: bytes, encoding: str = otlp.JSON) -> ModelCall:
    decoded = decode(body, encoding, intake=INTAKE)
    assert len(decoded.calls) == 1, dict(decoded.left)
    return decoded.calls[0]


def test_every_dialect_has_an_example() -> None:
    assert set(EXAMPLES) == set(DIALECTS.names())


@EVERY
def test_a_call_becomes_the_record_it_tells(name: str) -> None:
    example = EXAMPLES[name]
    call = only_call(otlp.body(span_of(example)))
    assert call.dialect == name == DIALECTS.get(name).name
    assert {field: getattr(call, field) for field in example.told} == example.told
    assert (call.latency, call.error, call.unparsed) == (0.8, "", None)


@EVERY
def test_its_content_is_told_or_is_not(name: str) -> None:
    call = only_call(otlp.body(span_of(EXAMPLES[name])))
    told = (call.input_text, call.output_text, call.output_chars, call.refused, call.tool_calls)
    if not EXAMPLES[name].content:
        assert (*told, call.system_hash, call.input_ngrams) == (None, None, None, None, None, "", None)
        return
    assert told == (QUESTION, ANSWER, len(ANSWER), False, 0)
    assert call.input_ngrams == ngrams(QUESTION)
    assert call.system_hash == call.prompt_hash == hashlib.sha256(SYSTEM.encode()).hexdigest()[:16]


@EVERY
def test_both_encodings_tell_the_same(name: str) -> None:
    body = otlp.body(span_of(EXAMPLES[name]))
    assert only_call(otlp.in_protobuf(body), otlp.PROTOBUF) == only_call(body)


@EVERY
def test_what_is_no_call_is_counted_under_its_reason(name: str) -> None:
    for other in EXAMPLES[name].others:
        decoded = decode(otlp.body(span_of(EXAMPLES[name], **other)), otlp.JSON)
        assert decoded.calls == [], other
        assert sum(decoded.left.values()) == 1
        assert not set(decoded.left) & {Reason.UNKNOWN, Reason.ORDINARY, Reason.UNREADABLE}, other
        assert decoded.rejected == 0


@EVERY
def test_a_failed_call_is_a_call(name: str) -> None:
    raised = otlp.event("exception", of={"exception.type": "RateLimitError", "exception.message": "of which nothing"})
    call = only_call(otlp.body(span_of(EXAMPLES[name]) | {"status": {"code": 2}, "events": [raised]}))
    assert call.error == "RateLimitError"


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.sampled_from(["[", "{", '[[[{"role": 3}]]]', '{"choices": [3]}', "null", '{"usage": []}', "chat"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "parts", "type", "text", "tool_calls"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@EVERY
@given(st.data())
def test_no_value_of_any_attribute_costs_a_neighbour(name: str, data: st.DataObject) -> None:
    example = EXAMPLES[name]
    instead = data.draw(st.dictionaries(st.sampled_from(sorted(example.attributes)), values, min_size=1, max_size=3))
    good = EXAMPLES["otel_genai"]
    decoded = decode(otlp.body(span_of(good, 1), span_of(example, 2, **instead), span_of(good, 3)), otlp.JSON)
    assert {f"{number:016x}" for number in (1, 3)} <= {call.span_id for call in decoded.calls}
    assert len(decoded.calls) + sum(decoded.left.values()) == 3
    assert Reason.UNREADABLE not in decoded.left


def test_what_speaks_of_ai_in_no_known_dialect_is_counted_apart_from_what_does_not() -> None:
    spans = [
        otlp.span(1, {"gen_ai.something.new": "x"}),
        otlp.span(2, {"http.request.method": "POST"}),
        otlp.span(3, {}),
        otlp.span(4, {"gen_ai.operation.name": "brand_new", "gen_ai.request.model": "m"}),
    ]
    decoded = decode(otlp.body(*spans), otlp.JSON)
    assert [(call.span_id[-1], call.dialect) for call in decoded.calls] == [("4", "fallback")]
    assert dict(decoded.left) == {Reason.UNKNOWN: 1, Reason.ORDINARY: 2}


def test_the_same_call_as_a_service_saw_it_is_told_already() -> None:
    spans = [
        span_of(EXAMPLES["litellm"], 1),
        otlp.span(2, {"llm.openai.model": "m"}, name="raw_gen_ai_request", parentSpanId=f"{1:016x}"),
    ]
    decoded = decode(otlp.body(*spans), otlp.JSON)
    assert [call.span_id[-1] for call in decoded.calls] == ["1"]
    assert dict(decoded.left) == {Reason.TOLD_TWICE: 1}


@pytest.mark.parametrize(
    ("answer", "chars", "calls"),
    [
        ({"role": "assistant", "content": None, "tool_calls": [{"type": "function"}, {"type": "function"}]}, 0, 2),
        ({"role": "assistant", "content": "", "refusal": None}, 0, 0),
        ({"role": "assistant", "content": None, "refusal": "I am sorry."}, 11, 0),
        ({"role": "assistant", "parts": [{"type": "tool_call", "name": "f"}, {"type": "text", "content": "A"}]}, 1, 1),
        ({"role": "assistant"}, None, None),
    ],
)
def test_an_empty_answer_is_told_and_a_missing_one_is_not(
    answer: dict[str, Any], chars: int | None, calls: int | None
) -> None:
    told = EXAMPLES["otel_genai"].attributes | {"gen_ai.output.messages": [answer]}
    call = only_call(otlp.body(otlp.span(1, told)))
    assert (call.output_chars, call.tool_calls) == (chars, calls)
    assert call.refused is (None if chars is None else chars == 11)


def test_the_first_token_is_told_by_an_event() -> None:
    example = EXAMPLES["openinference"]
    first = otlp.event("First Token Stream Event", 1_250)
    assert only_call(otlp.body(span_of(example) | {"events": [first]})).time_to_first_token == 0.25


def test_a_user_is_kept_under_a_pseudonym_or_not_at_all() -> None:
    body = otlp.body(span_of(EXAMPLES["openinference"]))
    assert decode(body, otlp.JSON).calls[0].user == ""
    assert decode(body, otlp.JSON, intake=INTAKE).calls[0].user == "of kim-7"


def test_a_template_is_told_apart_from_the_system_message() -> None:
    template = {"llm.prompt_template.template": "Answer {question}", "llm.prompt_template.version": "v2"}
    call = only_call(otlp.body(span_of(EXAMPLES["openinference"], **template)))
    assert call.template_hash == call.prompt_hash == hashlib.sha256(b"Answer {question}").hexdigest()[:16]
    assert call.system_hash == hashlib.sha256(SYSTEM.encode()).hexdigest()[:16]
    assert call.prompt_version == "v2"
