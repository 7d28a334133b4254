"""Quarkus LangChain4j: the names of the conventions, and neither provider nor operation."""

from __future__ import annotations

from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry.dialects._dialect import Dialect

_MARKS = ("gen_ai.client.estimated_cost", "gen_ai.request.temperature", "gen_ai.response.id")


def _takes(span: Span) -> bool:
    if span.operation or "gen_ai.request.model" not in span.attributes:
        return False
    spoken = span.scope.startswith("io.quarkiverse.langchain4j") or span.name.startswith("completion ")
    return spoken and any(mark in span.attributes for mark in (*_MARKS, "gen_ai.usage.prompt_tokens"))


DIALECT = Dialect("quarkus", "Quarkus LangChain4j", 40, _takes)
