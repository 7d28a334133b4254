"""vLLM's own tracing: neither operation nor provider, times under ``gen_ai.latency``.

References
----------
.. [1] vLLM, vllm/tracing, class SpanAttributes
"""

from __future__ import annotations

from dataclasses import replace

from driftgate.monitor.telemetry._span import Span
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect

_FIRST_TOKEN = "gen_ai.latency.time_to_first_token"  # noqa: S105
_MARKS = (_FIRST_TOKEN, "gen_ai.latency.e2e", "gen_ai.latency.time_in_queue")


def _takes(span: Span) -> bool:
    if span.operation:
        return False
    return span.scope.startswith("vllm") or any(mark in span.attributes for mark in _MARKS)


DIALECT = Dialect(
    "vllm",
    "vLLM",
    20,
    _takes,
    replace(
        GENAI,
        first_token=(_FIRST_TOKEN, *GENAI.first_token),
        finish_reason=(*GENAI.finish_reason, "gen_ai.request.finish_reason"),
        request_model=(*GENAI.request_model, "gen_ai.response.model"),
    ),
    provider="vllm",
)
