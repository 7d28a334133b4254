"""From a span, wherever it came from, to a model call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftgate.flows.finish import finish_reason
from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake, clean, features
from driftgate.monitor.telemetry._messages import Message, choices, conversation, instructions, joined
from driftgate.monitor.telemetry._record import ModelCall

LABEL_LIMIT = 256
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Span:
    """What driftgate reads of a span, the same from OTLP and from Azure Monitor."""

    trace_id: str
    span_id: str
    start: datetime
    latency: float | None
    """Seconds."""
    attributes: Mapping[str, Any]
    events: Sequence[tuple[str, Mapping[str, Any]]] = ()
    failed: bool = False
    weight: int = 1


def is_model_call(attributes: Mapping[str, Any]) -> bool:
    """Say whether a span with these attributes is one call of a model that answers.

    Agents, tools and embeddings are not: an agent's span carries the model too and would count its calls twice.

    Examples
    --------
    >>> is_model_call({"gen_ai.operation.name": "chat"}), is_model_call({"gen_ai.operation.name": "execute_tool"})
    (True, False)
    >>> is_model_call({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4"}), is_model_call({})
    (True, False)
    """
    operation = _label(_first(attributes, names.OPERATION_NAMES)).lower()
    if operation:
        return operation in names.INFERENCE
    return (
        _first(attributes, names.PROVIDER_NAMES) is not None
        and _first(attributes, names.REQUEST_MODEL_NAMES + names.RESPONSE_MODEL_NAMES) is not None
    )


def model_call(span: Span, intake: Intake) -> ModelCall:
    """Convert the span of a model call; both generations of attribute names are understood.

    Examples
    --------
    >>> from datetime import UTC
    >>> attributes = {"gen_ai.system": "az.ai.openai", "gen_ai.request.model": "gpt-5-mini",
    ...               "gen_ai.usage.prompt_tokens": 12, "gen_ai.response.finish_reasons": ["stop"]}
    >>> call = model_call(Span("5b" * 16, "ee" * 8, datetime(2026, 3, 1, tzinfo=UTC), 0.8, attributes), Intake())
    >>> call.operation, call.provider, call.input_tokens, call.finish_reason
    ('chat', 'azure.ai.openai', 12, 'stop')
    """
    attributes = span.attributes
    sent = conversation(attributes, span.events)
    answered = choices(attributes, span.events)
    given = _label(_first(attributes, names.PROVIDER_NAMES))
    operation = _label(_first(attributes, names.OPERATION_NAMES)).lower() or "chat"
    reason = _choice(_first(attributes, names.FINISH_REASON_NAMES))
    return ModelCall(
        time=span.start,
        trace_id=span.trace_id,
        span_id=span.span_id,
        operation="text_completion" if operation == "completion" else operation,
        provider=names.PROVIDER_RENAMED.get(given.lower(), given),
        request_model=_label(_first(attributes, names.REQUEST_MODEL_NAMES)),
        response_model=_label(_first(attributes, names.RESPONSE_MODEL_NAMES)),
        fingerprint=_label(_first(attributes, names.FINGERPRINT_NAMES)),
        prompt_hash=_prompt_hash(attributes, sent),
        slice=_label(attributes.get(names.SLICE)),
        finish_reason=_label(finish_reason(reason or next((said.finish_reason for said in answered or ()), ""))),
        error=_error(span),
        input_tokens=_count(_first(attributes, names.INPUT_TOKEN_NAMES)),
        output_tokens=_count(_first(attributes, names.OUTPUT_TOKEN_NAMES)),
        latency=span.latency,
        unparsed=_unparsed(attributes.get(names.PARSED)),
        weight=span.weight,
        **features(joined(sent, {"user", ""}), joined(answered), intake, _asked_for(attributes)),
    )


def _first(attributes: Mapping[str, Any], candidates: Sequence[str]) -> Any:
    return next((attributes[name] for name in candidates if attributes.get(name) not in (None, "")), None)


def _choice(value: Any) -> Any:
    """Return the first of several; Azure Monitor writes a tuple as its Python text."""
    if isinstance(value, str) and value[:1] in ("[", "("):
        value = value.strip("[](), ").split(",")[0].strip("'\" ")
    return value[0] if isinstance(value, list) and value else value


def _label(value: Any) -> str:
    if value is None or isinstance(value, list | dict | bytes):
        return ""
    return clean(str(value)[:LABEL_LIMIT])


def _count(value: Any) -> int | None:
    try:
        count = int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1
    except (ValueError, OverflowError):
        return None
    return count if 0 <= count <= _LARGEST else None


def _unparsed(parsed: Any) -> bool | None:
    if isinstance(parsed, str):
        parsed = {"true": True, "false": False}.get(parsed.lower())
    return not parsed if isinstance(parsed, bool) else None


def _asked_for(attributes: Mapping[str, Any]) -> str:
    """The format that the call asked for; a schema may be there in its place."""
    told = _first(attributes, names.OUTPUT_TYPE_NAMES)
    return "json" if isinstance(told, Mapping) else _label(told)


def _error(span: Span) -> str:
    """The type of the error, never its message: messages of content filters quote the prompt."""
    told = _label(span.attributes.get(names.ERROR_TYPE))
    if told or not span.failed:
        return told
    raised = (_label(attributes.get(names.EXCEPTION_TYPE)) for _, attributes in span.events)
    return next((kind for kind in raised if kind), "error")


def _prompt_hash(attributes: Mapping[str, Any], sent: Sequence[Message] | None) -> str:
    told = _label(attributes.get(names.PROMPT_HASH))
    if told:
        return told
    system = instructions(attributes) or joined(sent, {"system", "developer"})
    return hashlib.sha256(system.encode("utf-8", "replace")).hexdigest()[:16] if system else ""
