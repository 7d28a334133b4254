"""azure-ai-inference and azure-ai-projects: older names, content on one event a message, operations of agents."""

from __future__ import annotations

from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._span import Span, first, label
from driftgate.monitor.telemetry.dialects._dialect import Dialect, by_operation

_SYSTEMS = ("az.ai.inference", "azure.ai.inference")
_AGENTS = ("az.ai.agents", "azure.ai.agents", "microsoft.agents")
_WITHIN_AGENTS = ("chat", "responses")
"""What the service of agents calls a turn in which a model answers."""


def _takes(span: Span) -> bool | Reason:
    system = label(first(span.attributes, names.PROVIDER_NAMES)).lower()
    if system in _AGENTS:
        return span.operation in _WITHIN_AGENTS or Reason.AGENT
    return system in _SYSTEMS and by_operation(span.operation)


DIALECT = Dialect("azure_ai_inference", "azure-ai-inference", 20, _takes)
