"""OpenInference (Arize Phoenix): ``openinference.span.kind`` and names under ``llm.``.

References
----------
.. [1] Arize, "OpenInference semantic conventions",
   https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from driftgate.monitor.telemetry._bodies import content_of, unfolded
from driftgate.monitor.telemetry._messages import Content, indexed
from driftgate.monitor.telemetry._reasons import Reason, other_than_a_call
from driftgate.monitor.telemetry._span import Span, label
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect

_KIND = "openinference.span.kind"


def _takes(span: Span) -> bool | Reason:
    kind = label(span.attributes.get(_KIND)).lower()
    return bool(kind) and (kind == "llm" or other_than_a_call(kind) or Reason.STEP)


def _content(span: Span) -> Content:
    sent = indexed("llm.input_messages.", span.attributes, "message.")
    answered = indexed("llm.output_messages.", span.attributes, "message.")
    if sent and answered:
        return Content(sent, answered)
    whole = content_of(span.attributes.get("input.value"), span.attributes.get("output.value"))
    return Content(sent or whole.sent, answered or whole.answered, whole.system)


def _unfolded(span: Span) -> Mapping[str, Any]:
    return unfolded(span.attributes.get("llm.invocation_parameters"), span.attributes.get("output.value"))


DIALECT = Dialect(
    "openinference",
    "OpenInference",
    10,
    _takes,
    replace(
        GENAI,
        operation=(),
        response_id=(*GENAI.response_id, "reply.id"),
        provider=("llm.provider", "llm.system", *GENAI.provider),
        request_model=("request.model", *GENAI.request_model, "llm.model_name"),
        response_model=("llm.model_name", *GENAI.response_model),
        fingerprint=("reply.fingerprint", *GENAI.fingerprint),
        finish_reason=("llm.finish_reason", "reply.finish_reason", *GENAI.finish_reason),
        input_tokens=("llm.token_count.prompt", *GENAI.input_tokens),
        output_tokens=("llm.token_count.completion", *GENAI.output_tokens),
        reasoning_tokens=("llm.token_count.completion_details.reasoning", *GENAI.reasoning_tokens),
        cached_tokens=("llm.token_count.prompt_details.cache_read", *GENAI.cached_tokens),
        user=(*GENAI.user, "request.user"),
        template=("llm.prompt_template.template",),
        prompt_name=("prompt.id", *GENAI.prompt_name),
        prompt_version=("llm.prompt_template.version", *GENAI.prompt_version),
    ),
    _content,
    _unfolded,
    marks=("openinference",),
)
