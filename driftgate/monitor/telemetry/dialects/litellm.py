"""LiteLLM, library and proxy: ``litellm_request``, whose asynchronous calls are an operation ``acompletion``.

Under each it sends ``raw_gen_ai_request`` with the same call as the service saw it.
"""

from __future__ import annotations

from dataclasses import replace

from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect, by_operation

_RAW = "raw_gen_ai_request"


def _takes(span: Span) -> bool | Reason:
    if span.name == _RAW:
        return Reason.TOLD_TWICE
    ours = "litellm.call_id" in span.attributes or "litellm.provider.model" in span.attributes
    if not ours and span.name != "litellm_request" and span.scope != "litellm":
        return False
    operation = span.operation
    return bool(operation) and by_operation(operation)


DIALECT = Dialect(
    "litellm",
    "LiteLLM",
    20,
    _takes,
    replace(
        GENAI,
        user=(*GENAI.user, "metadata.user_api_key_end_user_id", "llm.user", "metadata.user_api_key_user_id"),
        tenant=(*GENAI.tenant, "metadata.user_api_key_team_id", "metadata.user_api_key_org_id"),
        conversation=(*GENAI.conversation, "metadata.session_id", "litellm.session_id"),
        input_tokens=(*GENAI.input_tokens, "llm.usage.prompt_tokens"),
        output_tokens=(*GENAI.output_tokens, "llm.usage.completion_tokens"),
    ),
    operations={"completion": "chat", "atext_completion": "text_completion"},
)
