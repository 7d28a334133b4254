"""prompt flow's own tracing: ``span_type``, with the request and the reply as JSON on the span or on its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from driftgate.monitor.telemetry._bodies import content_of, unfolded
from driftgate.monitor.telemetry._messages import Content, whole
from driftgate.monitor.telemetry._reasons import Reason, other_than_a_call
from driftgate.monitor.telemetry._span import Span, label
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect


def _takes(span: Span) -> bool | Reason:
    kind = label(span.attributes.get("span_type")).lower()
    if span.attributes.get("framework") != "promptflow" or not kind:
        return False
    return kind == "llm" or other_than_a_call(kind) or Reason.STEP


def _document(span: Span, attribute: str, event: str) -> Any:
    """A document of the span; one that is too large for an attribute is only on the event."""
    told = span.attributes.get(attribute)
    return told or next((held.get("payload") for name, held in span.events if name == event), None)


def _content(span: Span) -> Content:
    reply = _document(span, "output", "promptflow.function.output")
    content = content_of(_document(span, "inputs", "promptflow.function.inputs"), reply)
    answered = whole(("llm.generated_message",), span.attributes) or whole(
        ("payload",), {}, [event for event in span.events if event[0] == "promptflow.llm.generated_message"]
    )
    return content._replace(answered=answered or content.answered)


def _unfolded(span: Span) -> Mapping[str, Any]:
    return unfolded(
        _document(span, "inputs", "promptflow.function.inputs"),
        _document(span, "output", "promptflow.function.output"),
    )


DIALECT = Dialect(
    "prompt_flow",
    "prompt flow",
    10,
    _takes,
    replace(
        GENAI,
        operation=(),
        response_id=(*GENAI.response_id, "reply.id"),
        request_model=("request.model", "llm.request.model"),
        response_model=("llm.response.model", "reply.model"),
        fingerprint=("reply.fingerprint",),
        finish_reason=("reply.finish_reason",),
        input_tokens=("llm.usage.prompt_tokens", "reply.input_tokens"),
        output_tokens=("llm.usage.completion_tokens", "reply.output_tokens"),
        reasoning_tokens=("llm.usage.completion_tokens_details.reasoning_tokens", "reply.reasoning_tokens"),
        cached_tokens=("llm.usage.prompt_tokens_details.cached_tokens", "reply.cached_tokens"),
        conversation=(*GENAI.conversation, "session_id"),
        user=(*GENAI.user, "request.user"),
        template=("prompt.template",),
    ),
    _content,
    _unfolded,
    provider="openai",
    marks=("promptflow",),
)
