"""LangChain's tracer for Azure (langchain-azure-ai): spans of chains, tools and models, with LangChain's own metadata.

Where the client underneath is instrumented too, that one tells of the same call again, in a trace of its own: the
tracer does not make its span the current one.
"""

from __future__ import annotations

from dataclasses import replace

from driftgate.monitor.telemetry._messages import Content, genai_content, joined, whole
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect, by_operation

_SCOPES = ("AzureAIOpenTelemetryTracer", "langchain_azure_ai", "langchain-azure")
_MARKS = ("metadata.ls_provider", "metadata.ls_model_name", "langchain.run.id", "metadata.langgraph_step")


def _takes(span: Span) -> bool | Reason:
    ours = span.scope.startswith(_SCOPES) or any(mark in span.attributes for mark in _MARKS)
    operation = span.operation
    return bool(ours and operation) and by_operation(operation)


def _content(span: Span) -> Content:
    """Its own attributes for the texts, in releases before it followed the conventions."""
    content = genai_content(span.attributes, span.events)
    sent = content.sent or whole(("inputs",), span.attributes)
    answered = content.answered or whole(("gen_ai.generated_message", "outputs"), span.attributes)
    return Content(sent if joined(sent) is not None else None, answered or None, content.system)


DIALECT = Dialect(
    "langchain_azure",
    "LangChain's tracer for Azure",
    30,
    _takes,
    replace(
        GENAI,
        request_model=(*GENAI.request_model, "metadata.ls_model_name"),
        provider=(*GENAI.provider, "metadata.ls_provider"),
        conversation=(*GENAI.conversation, "metadata.thread_id"),
    ),
    _content,
)
