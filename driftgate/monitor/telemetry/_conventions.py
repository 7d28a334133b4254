"""The OpenTelemetry GenAI attribute names, all of them, in both generations.

The conventions are in development and have changed names (``gen_ai.system`` became ``gen_ai.provider.name``, prompt and
completion tokens became input and output tokens). What is written uses the current name; what is read goes by a tuple
of names, the current one first.

References
----------
.. [1] OpenTelemetry, "Semantic conventions for generative client AI spans",
   https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from driftgate.flows.genai import (
    ERROR_TYPE as ERROR_TYPE,
)
from driftgate.flows.genai import (
    FINGERPRINT as FINGERPRINT,
)
from driftgate.flows.genai import (
    FINISH_REASONS as FINISH_REASONS,
)
from driftgate.flows.genai import (
    INPUT_MESSAGES as INPUT_MESSAGES,
)
from driftgate.flows.genai import (
    INPUT_TOKENS as INPUT_TOKENS,
)
from driftgate.flows.genai import (
    OPERATION as OPERATION,
)
from driftgate.flows.genai import (
    OUTPUT_MESSAGES as OUTPUT_MESSAGES,
)
from driftgate.flows.genai import (
    OUTPUT_TOKENS as OUTPUT_TOKENS,
)
from driftgate.flows.genai import (
    PROVIDER as PROVIDER,
)
from driftgate.flows.genai import (
    REQUEST_MODEL as REQUEST_MODEL,
)
from driftgate.flows.genai import (
    RESPONSE_MODEL as RESPONSE_MODEL,
)

SYSTEM: Final = "gen_ai.system"  # the older name of the provider; Azure's portal still goes by it
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_ID_NAMES: Final = (RESPONSE_ID,)
EXCEPTION_TYPE: Final = "exception.type"
HTTP_STATUS_NAMES: Final = ("http.response.status_code", "http.status_code")

# Content, opt-in on the side of the application.
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"

# Evaluation results are events of the evaluated span.
EVALUATION_EVENT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"

OPERATION_DURATION: Final = "gen_ai.client.operation.duration"  # histogram, seconds
TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105  # histogram, tokens

# What an application may tell driftgate beyond the conventions.
SLICE: Final = "driftgate.slice"
PARSED: Final = "driftgate.parsed"
PROMPT_HASH: Final = "driftgate.prompt_hash"

INFERENCE: Final = ("chat", "text_completion", "generate_content", "completion")
"""Operations in which a model answers; agents, tools and embeddings are other operations."""

OPERATION_RENAMED: Final = MappingProxyType(
    {"completion": "text_completion", "text_completions": "text_completion", "text.completions": "text_completion"}
)
"""Names of operations that say the same under another name; one that is none of :data:`INFERENCE` is a chat."""

OPERATION_NAMES: Final = (OPERATION, "llm.request.type")
PROVIDER_NAMES: Final = (PROVIDER, SYSTEM)
REQUEST_MODEL_NAMES: Final = (REQUEST_MODEL,)
RESPONSE_MODEL_NAMES: Final = (RESPONSE_MODEL,)
FINISH_REASON_NAMES: Final = (FINISH_REASONS, "gen_ai.response.finish_reason", "gen_ai.completion.0.finish_reason")
# the singular is Semantic Kernel's
FINGERPRINT_NAMES: Final = (FINGERPRINT, "gen_ai.openai.response.system_fingerprint")
INPUT_TOKEN_NAMES: Final = (INPUT_TOKENS, "gen_ai.usage.prompt_tokens")
OUTPUT_TOKEN_NAMES: Final = (OUTPUT_TOKENS, "gen_ai.usage.completion_tokens")
OUTPUT_TYPE_NAMES: Final = ("gen_ai.output.type", "gen_ai.openai.request.response_format")
INPUT_CONTENT_NAMES: Final = (INPUT_MESSAGES, "gen_ai.prompt")
OUTPUT_CONTENT_NAMES: Final = (OUTPUT_MESSAGES, "gen_ai.completion")
REASONING_TOKEN_NAMES: Final = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",
)
CACHED_TOKEN_NAMES: Final = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
)
FIRST_TOKEN_NAMES: Final = ("gen_ai.response.time_to_first_chunk", "gen_ai.response.time_to_first_token")  # seconds
CONVERSATION_NAMES: Final = ("gen_ai.conversation.id", "session.id", "gen_ai.thread.id")
USER_NAMES: Final = ("user.id", "enduser.id", "gen_ai.user", "gen_ai.request.user", "gen_ai.openai.request.user")
TENANT_NAMES: Final = ("driftgate.tenant", "tenant.id", "tenant_id")
PROMPT_NAME_NAMES: Final = ("gen_ai.prompt.name", "driftgate.prompt_name")
PROMPT_VERSION_NAMES: Final = ("gen_ai.prompt.version", "driftgate.prompt_version")
STEP_NAMES: Final = MappingProxyType(
    {
        "agent": ("gen_ai.agent.name", "agent.name", "traceloop.entity.name", "langfuse.observation.name"),
        "tool": ("gen_ai.tool.name", "tool.name", "traceloop.entity.name", "langfuse.observation.name"),
    }
)
"""Of the name of an agent and of a tool."""

# Older instrumentations spread the messages: one attribute a field, or one span event a message.
INDEXED_PROMPT: Final = "gen_ai.prompt."  # gen_ai.prompt.0.role, gen_ai.prompt.0.content
INDEXED_COMPLETION: Final = "gen_ai.completion."
EVENT_CONTENT: Final = "gen_ai.event.content"
EVENT_ROLES: Final = MappingProxyType(
    {
        "gen_ai.system.message": "system",
        "gen_ai.user.message": "user",
        "gen_ai.assistant.message": "assistant",
        "gen_ai.tool.message": "tool",
    }
)
CHOICE_EVENT: Final = "gen_ai.choice"
PROMPT_EVENT: Final = "gen_ai.content.prompt"
COMPLETION_EVENT: Final = "gen_ai.content.completion"
DETAILS_EVENT: Final = "gen_ai.client.inference.operation.details"  # a log record with all the content
EVENT_NAMES: Final = ("event.name", "event_name", "microsoft.custom_event.name")
"""Attributes of a log record that name its event, in releases without a field for it."""

PROVIDER_RENAMED: Final = MappingProxyType(
    {
        "az.ai.openai": "azure.ai.openai",
        "az.ai.inference": "azure.ai.inference",
        "azure_openai": "azure.ai.openai",
        "gemini": "gcp.gemini",
        "vertex_ai": "gcp.vertex_ai",
        "xai": "x_ai",
    }
)
"""Values of ``gen_ai.system`` under the names they have now: an upgraded library is no change of provider."""
