"""From a span, wherever it came from, to a model call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from driftgate.flows.finish import FAILED, broke_off, finish_reason
from driftgate.monitor.ngrams import ngrams_of
from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import Intake, told_of
from driftgate.monitor.telemetry._evaluations import results_of
from driftgate.monitor.telemetry._messages import Content, joined
from driftgate.monitor.telemetry._reasons import Reason
from driftgate.monitor.telemetry._record import ModelCall, OpenCall, counted
from driftgate.monitor.telemetry._span import Span, count, first, label
from driftgate.monitor.telemetry.dialects import DIALECTS, Dialect

_ASKING = frozenset({"user", "human", ""})
_SYSTEM = frozenset({"system", "developer"})
_REFUSED = 400
"""The first status of HTTP that is an error."""
_FIRST_TOKEN_EVENTS = ("gen_ai.content.completion.chunk", "llm.content.completion.chunk", "First Token Stream Event")


def in_dialect(span: Span, intake: Intake, dialect: Dialect) -> ModelCall:
    """Convert a span by the names and the content reader of a dialect.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> attributes = {"gen_ai.system": "az.ai.openai", "gen_ai.request.model": "gpt-5-mini",
    ...               "gen_ai.usage.prompt_tokens": 12, "gen_ai.response.finish_reasons": ["stop"]}
    >>> span = Span("5b" * 16, "ee" * 8, datetime(2026, 3, 1, tzinfo=UTC), 0.8, attributes)
    >>> call = in_dialect(span, Intake(), DIALECTS.get("otel_genai"))
    >>> call.operation, call.provider, call.input_tokens, call.finish_reason
    ('chat', 'azure.ai.openai', 12, 'stop')
    """
    (call,) = completed([drafted(span, intake, dialect, dialect.content(span))])
    return call


Draft = tuple[OpenCall, str | None, str | None]
"""A call whose texts have not been counted yet, with what was asked and answered."""


def completed(drafts: Sequence[Draft]) -> list[ModelCall]:
    """The calls of drafts, with the n-grams of their texts."""
    texts = [text for _, *both in drafts for text in both if text is not None]
    found = iter(ngrams_of(texts))
    return [
        counted(call, None if asked is None else next(found), None if answered is None else next(found))
        for call, asked, answered in drafts
    ]


def drafted(span: Span, intake: Intake, dialect: Dialect, content: Content) -> Draft:
    """What a span and its content tell of a call, by the names of a dialect."""
    attributes = span.attributes
    if unfolded := dialect.unfolded(span):
        attributes = {**unfolded, **attributes}
    told = dialect.values(attributes)
    asked, answered = joined(content.sent, _ASKING), joined(content.answered)
    call: Any = OpenCall(span.start, span.trace_id, span.span_id)  # field by field: of most, nothing is told
    call.latency, call.weight = span.latency, span.weight
    call.dialect, call.parent_id = dialect.name, span.parent_id
    call.operation = _operation(told.pop("operation", ""), dialect)
    call.provider = _provider(told.pop("provider", "") or dialect.provider)
    call.request_model = _asked_model(told.pop("request_model", ""), span)
    ended = _ended(told.pop("finish_reason", None), content)
    call.finish_reason = label(finish_reason(ended)) if ended else ""
    call.time_to_first_token = _first_token(span, told.pop("first_token", None))
    call.error = (
        told.pop("error", "") or _raised(span) or _not_answered(span, ended, answered is not None or _replied(told))
    )
    call.user = _user(told.pop("user", ""), intake)
    call.response_hash = hash_of(told.pop("response_id", ""))
    call.system_hash = hash_of(system_of(content))
    call.template_hash = told.pop("prompt_hash", "") or _hash_of_template(told.pop("template", ""))
    call.prompt_hash = call.template_hash or call.system_hash
    if asked is not None:
        call.input_from = "span"
    if answered is not None:
        call.output_from = "span"
    if content.answered is not None:
        call.tool_calls = tool_calls(content)
    if span.events:
        call.evaluations = results_of(span.events)
    told |= told_of(asked, answered, intake.of(span.trace_id, span.span_id), told.get("asked_for", ""))
    for name, value in told.items():  # the rest is kept as it is told, under the name it has in the record
        setattr(call, name, value)
    return call, asked, answered


def step_of(span: Span, intake: Intake, kind: Reason) -> ModelCall:
    """What the span of an agent or a tool tells; nothing of what was said."""
    told = DIALECTS.get("otel_genai").values(span.attributes)
    return ModelCall(
        time=span.start,
        trace_id=span.trace_id,
        span_id=span.span_id,
        operation=span.operation or kind.value,
        provider=told.get("provider", ""),
        request_model=told.get("request_model", ""),
        slice=told.get("slice", ""),
        error=told.get("error", "") or _raised(span),
        latency=span.latency,
        weight=span.weight,
        conversation=told.get("conversation", ""),
        user=_user(told.get("user", ""), intake),
        tenant=told.get("tenant", ""),
        parent_id=span.parent_id,
        part=kind.value,
        step=label(first(span.attributes, names.STEP_NAMES[kind])) or label(span.name),
    )


def tool_calls(content: Content) -> int | None:
    """How many calls of tools the answer asks for; None where the answer is not told."""
    if content.answered is None:
        return None
    told = [said for said in content.answered if said.text is not None or said.tool_calls]
    return sum(said.tool_calls for said in told) if told else None


def _operation(told: str, dialect: Dialect) -> str:
    told = told.lower()
    operation = dialect.operations.get(told) or names.OPERATION_RENAMED.get(told, told)
    return operation if operation in names.INFERENCE else "chat"


def _provider(told: str) -> str:
    return names.PROVIDER_RENAMED.get(told.lower(), told)


def _asked_model(told: str, span: Span) -> str:
    """The model that was asked for; azure-ai-inference names the operation where its client alone knows the model."""
    return "" if told == "chat" == span.operation else told


def _ended(told: Any, content: Content) -> Any:
    """The service's word for the end of the reply, of the first choice; empty where none is told."""
    reason = _choice(told)
    if not reason and content.answered is not None:
        reason = next((said.finish_reason for said in content.answered if said.finish_reason), "")
    return reason


def _choice(value: Any) -> Any:
    """Return the first of several; Azure Monitor writes a tuple as its Python text."""
    if isinstance(value, str) and value[:1] in ("[", "("):
        value = value.strip("[](), ").split(",")[0].strip("'\" ")
    return value[0] if isinstance(value, list) and value else value


def _raised(span: Span) -> str:
    """The type of what was raised, never its message: messages of content filters quote the prompt."""
    return _exception(span) or "error" if span.failed else ""


def _exception(span: Span) -> str:
    raised = (label(attributes.get(names.EXCEPTION_TYPE)) for _, attributes in span.events)
    return next((kind for kind in raised if kind), "")


def _not_answered(span: Span, ended: Any, replied: bool) -> str:
    """What says that a call failed though the span's status does not: not every library sets it.

    A reply that the service broke off, an HTTP status of 400 and above, or something that was raised where nothing
    tells of a reply; what was raised and tried again left one.
    """
    if broke_off(ended):
        return FAILED
    status = count(first(span.attributes, names.HTTP_STATUS_NAMES))
    if status is not None and status >= _REFUSED:
        return str(status)
    return "" if replied or ended else _exception(span)


def _replied(told: Mapping[str, Any]) -> bool:
    """Whether a span tells anything that only a reply has."""
    return any(told.get(name) for name in ("output_tokens", "response_model", "response_id", "fingerprint"))


def _first_token(span: Span, told: float | None) -> float | None:
    if told is None and span.moments:
        return next((span.moments[name] for name in _FIRST_TOKEN_EVENTS if name in span.moments), None)
    return told


def _user(told: str, intake: Intake) -> str:
    return intake.pseudonym(told) if told and intake.pseudonym is not None else ""


def system_of(content: Content) -> str:
    """The system message; empty where none is told."""
    return content.system or joined(content.sent, _SYSTEM) or ""


def _hash_of_template(template: Any) -> str:
    return hash_of(template) if isinstance(template, str) else ""


def hash_of(text: str) -> str:
    """The hash under which a prompt is known; empty of an empty one."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] if text else ""
