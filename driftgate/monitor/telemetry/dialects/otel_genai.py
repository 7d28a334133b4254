"""OpenTelemetry's GenAI conventions, old names and new, with content on the span or on its events.

References
----------
.. [1] OpenTelemetry, "Semantic conventions for generative client AI spans",
   https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._reasons import Reason, other_than_a_call
from driftgate.monitor.telemetry._span import Span, first
from driftgate.monitor.telemetry.dialects._dialect import Dialect


def _takes(span: Span) -> bool | Reason:
    operation = span.operation
    if operation:
        return operation in names.INFERENCE or other_than_a_call(operation) or False
    return (
        first(span.attributes, names.PROVIDER_NAMES) is not None
        and first(span.attributes, names.REQUEST_MODEL_NAMES + names.RESPONSE_MODEL_NAMES) is not None
    )


DIALECT = Dialect("otel_genai", "OpenTelemetry GenAI", 50, _takes)
