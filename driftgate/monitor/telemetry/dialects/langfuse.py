"""Langfuse's SDKs: ``langfuse.observation.*``, where a call of a model is a ``generation``.

References
----------
.. [1] Langfuse, "OpenTelemetry: property mapping", https://langfuse.com/integrations/native/opentelemetry
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from driftgate.monitor.telemetry._bodies import content_of
from driftgate.monitor.telemetry._messages import Content, genai_content, parsed
from driftgate.monitor.telemetry._reasons import Reason, other_than_a_call
from driftgate.monitor.telemetry._span import Span, label
from driftgate.monitor.telemetry.dialects._dialect import GENAI, Dialect

_OF = "langfuse.observation."


def _takes(span: Span) -> bool | Reason:
    kind = label(span.attributes.get(f"{_OF}type")).lower()
    return bool(kind) and (kind == "generation" or other_than_a_call(kind) or Reason.STEP)


def _content(span: Span) -> Content:
    told = content_of(span.attributes.get(f"{_OF}input"), span.attributes.get(f"{_OF}output"))
    return told if told.sent or told.answered else genai_content(span.attributes, span.events)


def _unfolded(span: Span) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    usage = parsed(span.attributes.get(f"{_OF}usage_details"))
    if isinstance(usage, Mapping):
        found["usage.input"] = usage.get("input", usage.get("prompt_tokens"))
        found["usage.output"] = usage.get("output", usage.get("completion_tokens"))
        found["usage.cached"] = usage.get("input_cached_tokens", usage.get("cache_read_input_tokens"))
        found["usage.reasoning"] = usage.get("output_reasoning_tokens", usage.get("reasoning_tokens"))
    begun = _moment(span.attributes.get(f"{_OF}completion_start_time"))
    if begun is not None and begun.tzinfo is not None:
        found["first_token"] = (begun - span.start).total_seconds()
    return found


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value).strip('"')) if value else None
    except ValueError:
        return None


DIALECT = Dialect(
    "langfuse",
    "Langfuse",
    10,
    _takes,
    replace(
        GENAI,
        operation=(),
        request_model=(f"{_OF}model.name", *GENAI.request_model),
        input_tokens=("usage.input", *GENAI.input_tokens),
        output_tokens=("usage.output", *GENAI.output_tokens),
        cached_tokens=("usage.cached", *GENAI.cached_tokens),
        reasoning_tokens=("usage.reasoning", *GENAI.reasoning_tokens),
        first_token=("first_token", *GENAI.first_token),
        conversation=("langfuse.session.id", *GENAI.conversation),
        user=("langfuse.user.id", *GENAI.user),
        prompt_name=(f"{_OF}prompt.name", *GENAI.prompt_name),
        prompt_version=(f"{_OF}prompt.version", *GENAI.prompt_version),
    ),
    _content,
    _unfolded,
    marks=("langfuse",),
)
