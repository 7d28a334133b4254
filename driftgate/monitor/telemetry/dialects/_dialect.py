"""What a telemetry dialect is: how one kind of instrumentation tells of a call of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from typing import Any

from driftgate.flows.registry import Registry
from driftgate.monitor.telemetry import _conventions as conventions
from driftgate.monitor.telemetry._messages import Content, genai_content
from driftgate.monitor.telemetry._reasons import Reason, other_than_a_call
from driftgate.monitor.telemetry._span import Span, count, label, negated, output_format, seconds
from driftgate.monitor.telemetry.dialects._decided import Decisions

Candidates = tuple[str, ...]


@dataclass(frozen=True)
class Names:
    """The attributes that hold each field of the record; the first that has a value counts."""

    operation: Candidates = conventions.OPERATION_NAMES
    provider: Candidates = conventions.PROVIDER_NAMES
    request_model: Candidates = conventions.REQUEST_MODEL_NAMES
    response_model: Candidates = conventions.RESPONSE_MODEL_NAMES
    response_id: Candidates = conventions.RESPONSE_ID_NAMES
    fingerprint: Candidates = conventions.FINGERPRINT_NAMES
    finish_reason: Candidates = conventions.FINISH_REASON_NAMES
    input_tokens: Candidates = conventions.INPUT_TOKEN_NAMES
    output_tokens: Candidates = conventions.OUTPUT_TOKEN_NAMES
    reasoning_tokens: Candidates = conventions.REASONING_TOKEN_NAMES
    cached_tokens: Candidates = conventions.CACHED_TOKEN_NAMES
    first_token: Candidates = conventions.FIRST_TOKEN_NAMES
    conversation: Candidates = conventions.CONVERSATION_NAMES
    user: Candidates = conventions.USER_NAMES
    tenant: Candidates = conventions.TENANT_NAMES
    template: Candidates = ()
    """Of the text of the prompt template."""
    prompt_name: Candidates = conventions.PROMPT_NAME_NAMES
    prompt_version: Candidates = conventions.PROMPT_VERSION_NAMES
    prompt_hash: Candidates = (conventions.PROMPT_HASH,)
    slice: Candidates = (conventions.SLICE,)
    unparsed: Candidates = (conventions.PARSED,)
    error: Candidates = (conventions.ERROR_TYPE,)
    asked_for: Candidates = conventions.OUTPUT_TYPE_NAMES


def _as_it_is(value: Any) -> Any:
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **{member.name: label for member in fields(Names)},
    **{member.name: count for member in fields(Names) if member.name.endswith("_tokens")},
    "first_token": seconds,
    "unparsed": negated,
    "asked_for": output_format,
    "finish_reason": _as_it_is,
    "template": _as_it_is,
}
"""How the value of each field is read."""
GENAI = Names()
"""Of OpenTelemetry's GenAI conventions, in both generations."""


def _content(span: Span) -> Content:
    return genai_content(span.attributes, span.events)


def _nothing(span: Span) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Dialect:
    """How one kind of instrumentation tells of a call of a model."""

    name: str
    """As the module is called; kept with every call it reads."""
    title: str
    """What speaks it, in words."""
    rank: int
    """Of several that would take a span, the one of the lowest rank does."""
    takes: Callable[[Span], bool | Reason]
    """True: a call of a model in this dialect. A reason: in this dialect, and something else than a call. False: in
    another dialect, or none. It goes by the scope, the name and the attributes of the span, and is shown nothing else.
    """
    names: Names = field(default=GENAI)
    content: Callable[[Span], Content] = _content
    unfolded: Callable[[Span], Mapping[str, Any]] = _nothing
    """Further attributes, out of documents that the span holds."""
    provider: str = ""
    """Of the calls that name none."""
    operations: Mapping[str, str] = field(default_factory=dict)
    """Its own names of operations under those of the conventions."""
    marks: Candidates = ("gen_ai", "llm")
    """Words of which one at least stands among the attributes of every span that it takes, bounded by what is no letter
    or digit; a source that cannot run ``takes`` where the spans are kept asks for those that have one."""

    @cached_property
    def _places(self) -> Mapping[str, Sequence[tuple[str, int, Callable[[Any], Any]]]]:
        """For each attribute's name the fields that it may hold, which of their names it is, and what reads it."""
        found: dict[str, list[tuple[str, int, Callable[[Any], Any]]]] = {}
        for member in fields(self.names):
            for rank, name in enumerate(getattr(self.names, member.name)):
                found.setdefault(name, []).append((member.name, rank, _READERS[member.name]))
        return found

    def values(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """What the attributes tell of every field of :class:`Names`; those that they do not tell are not among them."""
        found: dict[str, Any] = {}
        ranks: dict[str, int] = {}
        places = self._places
        for name, value in attributes.items():
            if name in places and value is not None and value != "":
                for member, rank, read in places[name]:
                    if member not in ranks or rank < ranks[member]:
                        found[member], ranks[member] = read(value), rank
        return found


DIALECTS: Registry[Dialect] = Registry("telemetry dialect", "driftgate.monitor.telemetry.dialects", "DIALECT")


@cache
def _in_order() -> tuple[Dialect, ...]:
    return tuple(sorted(map(DIALECTS.get, DIALECTS.names()), key=lambda dialect: (dialect.rank, dialect.name)))


def dialect_of(span: Span) -> Dialect | Reason:
    """The dialect in which a span tells of a call of a model, or why it is none.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> def found(**attributes): return dialect_of(Span("5b" * 16, "ee" * 8, datetime.now(UTC), 0.8, attributes))
    >>> found(**{"gen_ai.operation.name": "chat"}).name, found(**{"llm.model_name": "m", "llm.system": "x"}).name
    ('otel_genai', 'fallback')
    >>> found(**{"gen_ai.operation.name": "execute_tool"}), found(**{"http.request.method": "POST"})
    (<Reason.TOOL: 'tool'>, <Reason.ORDINARY: 'ordinary'>)
    """
    return _DECISIONS.on(span)


def _decided(span: Span) -> Dialect | Reason:
    for dialect in _in_order():
        took = dialect.takes(span)
        if took:
            return dialect if took is True else took
    return Reason.ORDINARY


_DECISIONS = Decisions(_decided)


def all_marks() -> tuple[str, ...]:
    """The words by which spans of any dialect are found."""
    return tuple(sorted({mark for dialect in _in_order() for mark in dialect.marks}))


def by_operation(operation: str) -> bool | Reason:
    """What a span in a dialect is by the name of its operation: a call unless the name says otherwise."""
    return other_than_a_call(operation) or True
