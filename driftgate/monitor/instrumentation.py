"""For applications: two lines that send their calls of models to driftgate, Azure Monitor, or both.

It belongs to the application, at its start: OpenTelemetry's providers are the process's own. Where the application has
set them up already they are kept, and what is sent here is sent beside what they send.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.monitor.telemetry import _conventions as conventions

if TYPE_CHECKING:
    from opentelemetry.context import Context

GROUPS = ("opentelemetry_instrumentor", "openinference_instrumentor")
"""Entry points by which instrumentations are found."""
GENERATIVE = frozenset(
    {
        "agno",
        "anthropic",
        "azure-ai-inference",
        "bedrock",
        "cohere",
        "crewai",
        "dspy",
        "google-genai",
        "google_genai",
        "google_generativeai",
        "groq",
        "haystack",
        "langchain",
        "litellm",
        "llama_index",
        "llamaindex",
        "mistralai",
        "ollama",
        "openai",
        "openai-agents",
        "openai_agents",
        "together",
        "transformers",
        "vertexai",
        "watsonx",
    }
)
"""Their names, of those that tell of calls of models; others, of databases and web servers, are left alone."""
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_TAGS = {
    "slice": conventions.SLICE,
    "tenant": conventions.TENANT_NAMES[0],
    "prompt_name": "driftgate.prompt_name",
    "prompt_version": "driftgate.prompt_version",
    "user": conventions.USER_NAMES[0],
    "conversation": conventions.CONVERSATION_NAMES[0],
}
_KEY = "driftgate.tags"
_BEARER = "DRIFTGATE_TOKEN"


def instrument(
    service: str,
    *,
    endpoint: str | None = None,
    content: bool = False,
    attributes: Mapping[str, str] | None = None,
) -> Callable[[], None]:
    """Send this process's calls of models from now on.

    To ``driftgate serve`` at ``endpoint`` or the variable ``DRIFTGATE_ENDPOINT``, with the token in
    ``DRIFTGATE_TOKEN``; to Azure Monitor where ``APPLICATIONINSIGHTS_CONNECTION_STRING`` is set; to both where both
    are. Every instrumentation of generative AI that is installed is switched on.

    Parameters
    ----------
    service : str
        Name of the application, in every span.
    content : bool
        Whether instrumentations record prompts and replies. driftgate reads what it needs of them and keeps no text;
        Azure Monitor keeps them.
    attributes : Mapping, optional
        Further attributes of the resource, such as ``{"deployment.environment.name": "production"}``.

    Returns
    -------
    Callable
        Sends what is still waiting and ends; to be called where a process ends without Python's own end, which calls
        it by itself.

    Raises
    ------
    DriftgateError
        It is not said where to, or the packages for that are missing.
    """
    exporters = _exporters((endpoint or os.environ.get("DRIFTGATE_ENDPOINT", "")).rstrip("/"))
    if not exporters:
        raise DriftgateError(
            "it is not said where telemetry is sent",
            "set DRIFTGATE_ENDPOINT and DRIFTGATE_TOKEN, or APPLICATIONINSIGHTS_CONNECTION_STRING",
        )
    from opentelemetry import _logs, trace
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, **(attributes or {})})
    tracers, loggers = trace.get_tracer_provider(), _logs.get_logger_provider()
    if not isinstance(tracers, TracerProvider):
        tracers = TracerProvider(resource=resource)
        trace.set_tracer_provider(tracers)
    if not isinstance(loggers, LoggerProvider):
        loggers = LoggerProvider(resource=resource)
        _logs.set_logger_provider(loggers)
    tracers.add_span_processor(_tagger())
    for spans, records in exporters:
        tracers.add_span_processor(BatchSpanProcessor(spans))
        loggers.add_log_record_processor(BatchLogRecordProcessor(records))
    if content:
        os.environ.setdefault(_CONTENT, "true")
    _switch_on(tracers, loggers)

    providers: list[Any] = [tracers, loggers]

    def stop() -> None:
        for provider in providers:
            provider.shutdown()

    return stop


@contextmanager
def tagged(**tags: str) -> Iterator[None]:
    """Say of all calls of models within what instrumentations cannot know.

    Parameters
    ----------
    **tags
        ``slice``, ``tenant``, ``prompt_name``, ``prompt_version``, ``user`` and ``conversation``; looks are made by
        slice, and of a user's id a keyed hash is kept.

    Raises
    ------
    DriftgateError
        There is no such tag.

    Examples
    --------
    >>> with tagged(slice="refunds"):
    ...     pass
    """
    for name in tags:
        if name not in _TAGS:
            raise DriftgateError(f"there is no tag '{name}'", f"use {', '.join(sorted(_TAGS))}")
    from opentelemetry import context

    within: Any = context.get_value(_KEY) or {}
    token = context.attach(context.set_value(_KEY, {**within, **{_TAGS[name]: tag for name, tag in tags.items()}}))
    try:
        yield
    finally:
        context.detach(token)


def _tagger() -> Any:
    from opentelemetry import context
    from opentelemetry.sdk.trace import Span, SpanProcessor

    class Tagger(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            tags: Any = context.get_value(_KEY, parent_context)
            if tags:
                span.set_attributes(tags)

    return Tagger()


def _exporters(endpoint: str) -> list[tuple[Any, Any]]:
    """Of spans and of log records, for every place that is told of."""
    found: list[tuple[Any, Any]] = []
    if endpoint:
        if not installed("opentelemetry.exporter.otlp.proto.http"):
            raise MissingExtra("instrument", "sending telemetry to driftgate serve")
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        token = os.environ.get(_BEARER, "")
        if not token:
            raise DriftgateError(
                f"the variable {_BEARER} is not set", "set it to the token that driftgate serve asks for"
            )
        headers = {"Authorization": f"Bearer {token}"}
        spans = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", headers=headers)
        found.append((spans, OTLPLogExporter(endpoint=f"{endpoint}/v1/logs", headers=headers)))
    connection = os.environ.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "")
    if connection:
        if not installed("azure.monitor.opentelemetry.exporter"):
            raise MissingExtra("azure", "sending telemetry to Azure Monitor")
        from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorTraceExporter

        options = {"connection_string": connection}
        found.append((AzureMonitorTraceExporter(**options), AzureMonitorLogExporter(**options)))
    return found


def _switch_on(tracers: Any, loggers: Any) -> None:
    """Switch on what is installed of instrumentations, one for each library: two would tell of every call twice."""
    done: set[str] = set()
    for group in GROUPS:
        for entry in sorted(entry_points(group=group), key=lambda entry: entry.value):
            if entry.name in GENERATIVE and entry.name not in done:
                done.add(entry.name)
                entry.load()().instrument(tracer_provider=tracers, logger_provider=loggers)
