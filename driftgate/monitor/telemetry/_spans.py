"""From a span, wherever it came from, to a model call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from driftgate.flows.finish import finish_reason
from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake, features
from driftgate.monitor.telemetry._evaluations import results_of
from driftgate.monitor.telemetry._messages import Content, joined
from driftgate.monitor.telemetry._record import ModelCall
from driftgate.monitor.telemetry._span import Span, count, first, label, seconds
from driftgate.monitor.telemetry.dialects import Dialect

_FIRST_TOKEN_EVENTS = ("gen_ai.content.completion.chunk", "llm.content.completion.chunk", "First Token Stream Event")


def in_dialect(span: Span, intake: Intake, dialect: Dialect) -> ModelCall:
    """Convert a span by the names and the content reader of a dialect."""
    attributes = span.attributes
    if unfolded := dialect.unfolded(span):
        attributes = {**unfolded, **attributes}
    told = dialect.values(attributes).get
    content = dialect.content(span)
    given = label(told("provider")) or dialect.provider
    reason = _choice(told("finish_reason"))
    if not reason:
        reason = next((said.finish_reason for said in content.answered or () if said.finish_reason), "")
    asked, answered = joined(content.sent, {"user", "human", ""}), joined(content.answered)
    system_hash, template_hash = hash_of(system_of(content)), _template_hash(attributes, told("template"))
    return ModelCall(
        time=span.start,
        trace_id=span.trace_id,
        span_id=span.span_id,
        operation=_operation(label(told("operation")).lower(), dialect),
        provider=names.PROVIDER_RENAMED.get(given.lower(), given),
        request_model=label(told("request_model")),
        response_model=label(told("response_model")),
        fingerprint=label(told("fingerprint")),
        prompt_hash=template_hash or system_hash,
        slice=label(attributes.get(names.SLICE)),
        finish_reason=label(finish_reason(reason)),
        error=_error(span),
        input_tokens=count(told("input_tokens")),
        output_tokens=count(told("output_tokens")),
        latency=span.latency,
        unparsed=_unparsed(attributes.get(names.PARSED)),
        weight=span.weight,
        time_to_first_token=_first_token(span, told("first_token")),
        conversation=label(told("conversation")),
        user=_user(label(told("user")), intake),
        tenant=label(told("tenant")),
        prompt_name=label(told("prompt_name")),
        prompt_version=label(told("prompt_version")),
        system_hash=system_hash,
        template_hash=template_hash,
        reasoning_tokens=count(told("reasoning_tokens")),
        cached_tokens=count(told("cached_tokens")),
        tool_calls=tool_calls(content),
        evaluations=results_of(span.events),
        response_hash=hash_of(label(told("response_id"))),
        dialect=dialect.name,
        parent_id=span.parent_id,
        input_from="" if asked is None else "span",
        output_from="" if answered is None else "span",
        **features(asked, answered, intake, asked_for(attributes)),
    )


def tool_calls(content: Content) -> int | None:
    """How many calls of tools the answer asks for; None where the answer is not told."""
    told = [said for said in content.answered or () if said.text is not None or said.tool_calls]
    return sum(said.tool_calls for said in told) if told else None


def _operation(told: str, dialect: Dialect) -> str:
    operation = dialect.operations.get(told) or names.OPERATION_RENAMED.get(told, told)
    return operation if operation in names.INFERENCE else "chat"


def _choice(value: Any) -> Any:
    """Return the first of several; Azure Monitor writes a tuple as its Python text."""
    if isinstance(value, str) and value[:1] in ("[", "("):
        value = value.strip("[](), ").split(",")[0].strip("'\" ")
    return value[0] if isinstance(value, list) and value else value


def _unparsed(parsed: Any) -> bool | None:
    if isinstance(parsed, str):
        parsed = {"true": True, "false": False}.get(parsed.lower())
    return not parsed if isinstance(parsed, bool) else None


def asked_for(attributes: Mapping[str, Any]) -> str:
    """The format that the call asked for; a schema may be there in its place."""
    told = first(attributes, names.OUTPUT_TYPE_NAMES)
    return "json" if isinstance(told, Mapping) else label(told)


def _error(span: Span) -> str:
    """The type of the error, never its message: messages of content filters quote the prompt."""
    told = label(span.attributes.get(names.ERROR_TYPE))
    if told or not span.failed:
        return told
    raised = (label(attributes.get(names.EXCEPTION_TYPE)) for _, attributes in span.events)
    return next((kind for kind in raised if kind), "error")


def _first_token(span: Span, told: Any) -> float | None:
    found = seconds(told)
    if found is None and span.moments:
        found = next((span.moments[name] for name in _FIRST_TOKEN_EVENTS if name in span.moments), None)
    return found


def _user(told: str, intake: Intake) -> str:
    return intake.pseudonym(told) if told and intake.pseudonym is not None else ""


def system_of(content: Content) -> str:
    """The system message; empty where none is told."""
    return content.system or joined(content.sent, {"system", "developer"}) or ""


def _template_hash(attributes: Mapping[str, Any], template: Any) -> str:
    told = label(attributes.get(names.PROMPT_HASH))
    if told:
        return told
    return hash_of(template) if isinstance(template, str) else ""


def hash_of(text: str) -> str:
    """The hash under which a prompt is known; empty of an empty one."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] if text else ""
