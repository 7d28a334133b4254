"""OpenTelemetry spans of flows, nodes and model calls, where the program has set up a tracer provider.

Without one nothing is imported and nothing is done. Prompts and replies are written only where
``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` is ``true``, the switch of OpenTelemetry's own GenAI
instrumentations.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from driftgate.flows import genai

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from driftgate.flows.models import Message, Model, Reply

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_PROVIDERS = {"azure_openai": "azure.ai.openai"}
"""The conventions' names of providers, where they are not ours."""
_NOTHING: AbstractContextManager[None] = nullcontext()


def _ignore(reply: Reply) -> None:
    """No span is there to take it."""


_NO_CALL: AbstractContextManager[Callable[[Reply], None]] = nullcontext(_ignore)


def flow_span(flow: str, sample_id: str) -> AbstractContextManager[None]:
    """The span of a line: ``invoke_workflow FLOW``."""
    tracer = _tracer()
    if tracer is None:
        return _NOTHING
    attributes = {genai.OPERATION: "invoke_workflow", genai.FLOW: flow, genai.SAMPLE: sample_id}
    return _span(tracer, f"invoke_workflow {flow}", attributes)


def node_span(node: str) -> AbstractContextManager[None]:
    """The span of a node: ``execute_tool NODE``."""
    tracer = _tracer()
    if tracer is None:
        return _NOTHING
    return _span(tracer, f"execute_tool {node}", {genai.OPERATION: "execute_tool", genai.TOOL: node})


def call_span(model: Model, messages: Sequence[Message]) -> AbstractContextManager[Callable[[Reply], None]]:
    """The span of a model call, ``chat MODEL``; the body hands its reply to the function it is given."""
    tracer = _tracer()
    return _NO_CALL if tracer is None else _call(tracer, model, messages)


def _tracer() -> Tracer | None:
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None or isinstance(provider := trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    tracer: Tracer = provider.get_tracer("driftgate")
    return tracer


@contextmanager
def _span(tracer: Tracer, name: str, attributes: Mapping[str, Any]) -> Iterator[None]:
    with tracer.start_as_current_span(name, attributes=attributes) as span, _errors(span):
        yield


@contextmanager
def _call(tracer: Tracer, model: Model, messages: Sequence[Message]) -> Iterator[Callable[[Reply], None]]:
    from opentelemetry.trace import SpanKind

    identity = model.identity
    asked = str(identity.get("model") or identity.get("deployment") or model.name)
    provider = str(identity.get("provider", "driftgate"))
    attributes = {
        genai.OPERATION: "chat",
        genai.PROVIDER: _PROVIDERS.get(provider, provider),
        genai.REQUEST_MODEL: asked,
    }
    content = os.environ.get(CONTENT, "").lower() == "true"
    if content:
        attributes[genai.INPUT_MESSAGES] = _messages((m.role, m.content) for m in messages)

    def answered(reply: Reply) -> None:
        span.set_attribute(genai.FINISH_REASONS, [reply.finish_reason])
        counts = ((genai.INPUT_TOKENS, reply.usage.input_tokens), (genai.OUTPUT_TOKENS, reply.usage.output_tokens))
        for name, tokens in counts:
            if tokens is not None:
                span.set_attribute(name, tokens)
        for name, value in ((genai.RESPONSE_MODEL, reply.model), (genai.FINGERPRINT, reply.fingerprint)):
            if value:
                span.set_attribute(name, value)
        if content:
            span.set_attribute(genai.OUTPUT_MESSAGES, _messages([("assistant", reply.text)]))

    started = tracer.start_as_current_span(f"chat {asked}", kind=SpanKind.CLIENT, attributes=attributes)
    with started as span, _errors(span):
        yield answered


@contextmanager
def _errors(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as problem:
        span.set_attribute(genai.ERROR_TYPE, type(problem).__name__)
        raise


def _messages(turns: Any) -> str:
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in turns], ensure_ascii=False
    )
