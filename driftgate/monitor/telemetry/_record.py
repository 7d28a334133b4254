"""The telemetry record: one call of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model in production; ``(trace_id, span_id)`` is its identity.

    Unknown numbers are ``None``, unknown labels empty.

    Examples
    --------
    >>> from datetime import UTC
    >>> call = ModelCall(datetime(2026, 3, 1, 9, tzinfo=UTC), "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    >>> call.operation, call.input_tokens
    ('chat', None)
    """

    time: datetime
    """When the call began; with a time zone."""
    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    operation: str = "chat"
    """``gen_ai.operation.name``."""
    provider: str = ""
    """``gen_ai.provider.name``, for example ``azure.ai.openai``."""
    request_model: str = ""
    """The model that was asked for."""
    response_model: str = ""
    """The model that answered."""
    fingerprint: str = ""
    """The provider's ``system_fingerprint``."""
    prompt_hash: str = ""
    """Hash of the prompt template, or of the system message where only that is known."""
    slice: str = ""
    """The application's own label for the kind of request."""
    finish_reason: str = ""
    """Why the model stopped: ``stop``, ``length``, ``content_filter``."""
    error: str | None = ""
    """What went wrong, as a type; empty: nothing; None: not known."""
    input_tokens: int | None = None
    """Tokens read."""
    output_tokens: int | None = None
    """Tokens written."""
    latency: float | None = None
    """Seconds."""
    output_chars: int | None = None
    """Characters of the answer."""
    refused: bool | None = None
    """Whether the answer is a refusal."""
    addressed: bool | None = None
    """Whether the answer talks to whoever grades it."""
    malformed: bool | None = None
    """Whether the answer is not in the format that the call asked for; None where it asked for none."""
    input_korean: bool | None = None
    """Whether most letters of the input are Hangul; None where it has no letters."""
    output_korean: bool | None = None
    """Whether most letters of the answer are Hangul; None where it has no letters."""
    unparsed: bool | None = None
    """Whether the application could not make sense of the answer."""
    input_ngrams: Sequence[int] | None = field(default=None, repr=False)
    """Counts of hashed character n-grams of the input, see :func:`driftgate.monitor.ngrams.ngrams`; empty where it was
    told and not counted."""
    output_ngrams: Sequence[int] | None = field(default=None, repr=False)
    """The same of the answer."""
    input_text: str | None = field(default=None, repr=False)
    """The input, redacted; kept only when the workspace turns content capture on."""
    output_text: str | None = field(default=None, repr=False)
    """The answer, redacted; kept only when the workspace turns content capture on."""
    weight: int = 1
    """How many calls this row stands for: above 1 where the source keeps a sample."""
    time_to_first_token: float | None = None
    """Seconds."""
    conversation: str = ""
    """The conversation or session that the call belongs to."""
    user: str = ""
    """Who asked: a keyed hash of the id that the application gives, never that id."""
    tenant: str = ""
    """The customer or team on whose behalf it was asked."""
    prompt_name: str = ""
    """The prompt's name in the application's library of prompts."""
    prompt_version: str = ""
    """Its version there."""
    system_hash: str = ""
    """Hash of the system message."""
    template_hash: str = ""
    """Hash of the prompt template, where the application tells it or its hash."""
    reasoning_tokens: int | None = None
    """Of the tokens written, those of reasoning."""
    cached_tokens: int | None = None
    """Of the tokens read, those that the service had in its cache."""
    tool_calls: int | None = None
    """How many calls of tools the answer asks for."""
    evaluations: tuple[str, ...] | None = None
    """Results of evaluations that came with the call or after it, each as JSON: name, score, label."""
    response_hash: str = ""
    """Hash of the id that the service gave the answer: two spans of one call tell the same."""
    dialect: str = ""
    """In which telemetry dialect the call was told."""
    parent_id: str = ""
    """The span around it, where a call that was received apart may be."""
    part: str = ""
    """Empty: a call. Else what came later of a call, which is joined to it by trace and span, under a name of its own.
    """
    asked_for: str = ""
    """The format that the call asked for, such as ``json``."""
    input_from: str = ""
    """Where the input is told: see :data:`TOLD_FROM`; :data:`UNTOLD` where it is known why it is not; else empty."""
    output_from: str = ""
    """The same of the answer."""
    step: str = ""
    """Of what is no call and stands in :data:`STEPS`: the name of the agent or tool."""


STEPS = ("agent", "tool")
"""Values of ``part`` of what is no call and is kept as such: the spans of agents and of tools."""
TRUTHS = ("refused", "addressed", "malformed", "input_korean", "output_korean", "unparsed")
NGRAMS = ("input_ngrams", "output_ngrams")
"""Of what a call's texts are about."""
OF_CONTEXT = ("slice", "conversation", "user", "tenant", "prompt_name", "prompt_version", "template_hash")
"""What a span around a call may tell of it."""
OF_INPUT = ("input_korean", "input_ngrams", "input_text")
OF_OUTPUT = ("output_chars", "refused", "addressed", "malformed", "output_korean", "output_ngrams", "output_text")
"""What is kept of an input, and of an answer."""
TOLD_FROM = ("span", "apart", "apart_long")
"""In the span; in a record of its own; there, and longer than the source's spans would have held."""
UNTOLD = ("withheld", "cut", "empty")
"""Kept where it could not be read; cut on the way, and half a text is none; recorded with nothing in it."""
OF_CONTENT = (
    "prompt_hash",
    "system_hash",
    "finish_reason",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "time_to_first_token",
    "output_chars",
    *TRUTHS,
    "tool_calls",
    *NGRAMS,
    "input_text",
    "output_text",
    "asked_for",
    "input_from",
    "output_from",
)
"""What a log record of a call, or the one span around it, may tell of it."""


if TYPE_CHECKING:
    OpenCall = ModelCall
else:
    # A frozen dataclass sets each of its fields by a function call: to make one takes eight times as long.
    OpenCall = make_dataclass(
        "OpenCall",
        [(member.name, member.type, field(default=member.default)) for member in fields(ModelCall)],
        slots=True,
        eq=False,
    )
"""A call that is being made, with the fields of one; :func:`counted` makes it one."""


def counted(call: OpenCall, of_input: Sequence[int] | None, of_output: Sequence[int] | None) -> ModelCall:
    """The call, with the counts of its texts; nobody changes it any more."""
    made: Any = call
    made.input_ngrams, made.output_ngrams = of_input, of_output
    made.__class__ = ModelCall
    found: ModelCall = made
    return found


COLUMNS = tuple(member.name for member in fields(ModelCall))
