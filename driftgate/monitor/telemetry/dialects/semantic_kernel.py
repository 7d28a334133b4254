"""Semantic Kernel: operations in the plural (``text_completions``), the reason for the end in the singular.

Its content comes in log records, as that of openai-v2 does.
"""

from __future__ import annotations

from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry.dialects._dialect import Dialect, by_operation

_OPERATIONS = (
    "text_completions",
    "chat.completions",
    "chat_completions",
    "chat.streaming_completions",
    "text.completions",
    "text.streaming_completions",
    "streaming_chat_completions",
    "streaming_text_completions",
)


def _takes(span: Span) -> bool | Reason:
    operation = span.operation
    if operation in _OPERATIONS:
        return True
    ours = span.scope.startswith(("semantic_kernel", "Microsoft.SemanticKernel"))
    return bool(ours and operation) and by_operation(operation)


DIALECT = Dialect("semantic_kernel", "Semantic Kernel", 20, _takes)
