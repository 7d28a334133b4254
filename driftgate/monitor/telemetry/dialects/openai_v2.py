"""opentelemetry-instrumentation-openai-v2: its content comes in log records, see :mod:`driftgate.monitor.telemetry`.

The spans follow OpenTelemetry's conventions and name neither prompt nor answer; one log record a message is joined to
them by trace and span.
"""

from __future__ import annotations

from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry.dialects._dialect import Dialect, by_operation

_SCOPE = "opentelemetry.instrumentation.openai_v2"


def _takes(span: Span) -> bool | Reason:
    return span.scope.startswith(_SCOPE) and by_operation(span.operation)


DIALECT = Dialect("openai_v2", "OpenTelemetry's instrumentation of OpenAI", 20, _takes, provider="openai")
