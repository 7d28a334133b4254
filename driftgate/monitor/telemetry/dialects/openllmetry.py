"""OpenLLMetry (Traceloop): ``llm.request.type``, messages spread over indexed attributes, ``traceloop.*``."""

from __future__ import annotations

from dataclasses import replace

from driftgate.monitor.telemetry._reasons import Reason, other_than_a_call
from driftgate.monitor.telemetry._span import Span, first, label
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect, by_operation

_PROPERTIES = "traceloop.association.properties."


def _takes(span: Span) -> bool | Reason:
    kind = label(span.attributes.get("traceloop.span.kind"))
    if kind:
        return other_than_a_call(kind) or Reason.STEP
    spoken = "llm.request.type" in span.attributes or "traceloop.entity.path" in span.attributes
    operation = span.operation
    if not (spoken or _is_ours(span.scope)) or not operation:
        return False
    asked = first(span.attributes, GENAI.request_model + GENAI.response_model + GENAI.provider)
    return asked is not None and by_operation(operation)


def _is_ours(scope: str) -> bool:
    return scope.startswith("opentelemetry.instrumentation.openai") and "openai_v2" not in scope


DIALECT = Dialect(
    "openllmetry",
    "OpenLLMetry",
    30,
    _takes,
    replace(
        GENAI,
        user=(*GENAI.user, f"{_PROPERTIES}user_id", "llm.user"),
        conversation=(*GENAI.conversation, f"{_PROPERTIES}session_id", f"{_PROPERTIES}chat_id"),
        tenant=(*GENAI.tenant, f"{_PROPERTIES}tenant_id"),
        template=("traceloop.prompt.template",),
        prompt_name=(*GENAI.prompt_name, "traceloop.prompt.key"),
        prompt_version=(*GENAI.prompt_version, "traceloop.prompt.version"),
        output_tokens=(*GENAI.output_tokens, "llm.usage.completion_tokens"),
        input_tokens=(*GENAI.input_tokens, "llm.usage.prompt_tokens"),
    ),
    marks=("gen_ai", "llm", "traceloop"),
)
