"""Whatever names a model or counts its tokens, and is no agent, tool or embedding."""

from __future__ import annotations

from driftgate.monitor.telemetry._bodies import content_of
from driftgate.monitor.telemetry._messages import Content, genai_content
from driftgate.monitor.telemetry._reasons import Reason, other_than_a_call
from driftgate.monitor.telemetry._span import Span, first, label
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect, Names

_NAMES = Names(
    operation=(),
    provider=(*GENAI.provider, "llm.provider", "llm.system", "llm.vendor"),
    request_model=(*GENAI.request_model, "llm.request.model", "llm.model_name", "llm.model"),
    response_model=(*GENAI.response_model, "llm.response.model"),
    input_tokens=(*GENAI.input_tokens, "llm.token_count.prompt", "llm.usage.prompt_tokens"),
    output_tokens=(*GENAI.output_tokens, "llm.token_count.completion", "llm.usage.completion_tokens"),
)
_TOLD = _NAMES.request_model + _NAMES.response_model + _NAMES.input_tokens + _NAMES.output_tokens
_KINDS = ("gen_ai.operation.name", "llm.request.type", "gen_ai.span.kind", "span.kind", "span_type")
_TOOLS = ("gen_ai.tool.name", "gen_ai.tool.call.id")
_MARKS = ("gen_ai", "llm", "openinference", "traceloop", "langfuse")
_SPOKEN = tuple(f"{mark}." for mark in _MARKS)


def _takes(span: Span) -> bool | Reason:
    told = " ".join(label(span.attributes[name]) for name in _KINDS if name in span.attributes)
    if (other := other_than_a_call(told or span.name.partition(" ")[0])) is not None and _is_spoken(span):
        return other
    if any(name in span.attributes for name in _TOOLS):
        return Reason.TOOL
    if first(span.attributes, _TOLD) is not None:
        return True
    return Reason.UNKNOWN if _is_spoken(span) else False


def _is_spoken(span: Span) -> bool:
    return any(name.startswith(_SPOKEN) for name in span.attributes)


def _content(span: Span) -> Content:
    told = genai_content(span.attributes, span.events)
    whole = content_of(span.attributes.get("input.value"), span.attributes.get("output.value"))
    return Content(told.sent or whole.sent, told.answered or whole.answered, told.system)


DIALECT = Dialect("fallback", "whatever names a model", 90, _takes, _NAMES, _content, marks=_MARKS)
