"""Calls of the Responses interface: items in place of messages, instructions apart, a status in place of a reason.

References
----------
.. [1] OpenAI, "Responses", https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from driftgate.monitor.telemetry._bodies import content_of, response_items, unfolded
from driftgate.monitor.telemetry._messages import Content, genai_content, joined, parsed
from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect

_OPERATIONS = ("responses", "response", "aresponses", "create_response", "responses.create", "openai.response")
_REQUEST = ("openai.request", "request", "input")
_REPLY = ("openai.response", "response", "output")


def _takes(span: Span) -> bool:
    return span.operation in _OPERATIONS


def _document(span: Span, candidates: tuple[str, ...]) -> Any:
    return next((value for name in candidates if (value := span.attributes.get(name))), None)


def _content(span: Span) -> Content:
    told = genai_content(span.attributes, span.events)
    items = parsed(span.attributes.get("gen_ai.output.messages", span.attributes.get("gen_ai.completion")))
    answered = told.answered
    if isinstance(items, list) and any(isinstance(item, dict) and "type" in item for item in items):
        answered = response_items(items)
    whole = content_of(_document(span, _REQUEST), _document(span, _REPLY))
    return Content(
        told.sent or whole.sent,
        answered if joined(answered) is not None else whole.answered,
        told.system or whole.system,
    )


def _unfolded(span: Span) -> Mapping[str, Any]:
    return unfolded(_document(span, _REQUEST), _document(span, _REPLY))


DIALECT = Dialect(
    "responses",
    "OpenAI's Responses",
    40,
    _takes,
    replace(
        GENAI,
        operation=(),
        response_id=(*GENAI.response_id, "reply.id"),
        request_model=(*GENAI.request_model, "request.model"),
        response_model=(*GENAI.response_model, "reply.model"),
        finish_reason=(*GENAI.finish_reason, "gen_ai.response.status", "reply.finish_reason"),
        input_tokens=(*GENAI.input_tokens, "reply.input_tokens"),
        output_tokens=(*GENAI.output_tokens, "reply.output_tokens"),
        reasoning_tokens=(
            *GENAI.reasoning_tokens,
            "gen_ai.usage.output_tokens_details.reasoning_tokens",
            "reply.reasoning_tokens",
        ),
        cached_tokens=(
            *GENAI.cached_tokens,
            "gen_ai.usage.input_tokens_details.cached_tokens",
            "reply.cached_tokens",
        ),
        conversation=(*GENAI.conversation, "gen_ai.response.conversation.id"),
    ),
    _content,
    _unfolded,
    provider="openai",
)
