"""Why something that was received is not kept as a call of a model."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Reason(StrEnum):
    """What became of a span or log record that is no call of a model that answers.

    Examples
    --------
    >>> Reason.FAR_CLOCK.value, Reason.FAR_CLOCK.refused, Reason.AGENT.refused
    ('far_clock', True, False)
    """

    ORDINARY = "ordinary"
    AGENT = "agent"
    TOOL = "tool"
    EMBEDDING = "embedding"
    RETRIEVAL = "retrieval"
    STEP = "step"
    EVALUATION = "evaluation"
    MEDIA = "media"
    TOLD_TWICE = "told_twice"
    UNKNOWN = "unknown"
    NO_IDENTITY = "no_identity"
    NO_TIME = "no_time"
    FAR_CLOCK = "far_clock"
    UNREADABLE = "unreadable"

    @property
    def refused(self) -> bool:
        """Whether the sender is told that it was not taken."""
        return self in REFUSED

    @property
    def lost(self) -> bool:
        """Whether it may have been a call of a model: nobody can say that nothing is missing."""
        return self in REFUSED or self is Reason.UNKNOWN


REFUSED: Final = frozenset({Reason.NO_IDENTITY, Reason.NO_TIME, Reason.FAR_CLOCK, Reason.UNREADABLE})

IN_WORDS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.ORDINARY: "of something else than a model",
        Reason.AGENT: "of an agent",
        Reason.TOOL: "of a tool",
        Reason.EMBEDDING: "of an embedding",
        Reason.RETRIEVAL: "of a retrieval",
        Reason.STEP: "of a step around calls",
        Reason.EVALUATION: "of an evaluation that names no call",
        Reason.MEDIA: "of a model of images or sound",
        Reason.TOLD_TWICE: "around a call of the same model, which counts once",
        Reason.UNKNOWN: "of generative AI in no dialect that is known",
        Reason.NO_IDENTITY: "without 16 bytes of trace id and 8 of span id",
        Reason.NO_TIME: "without a start time",
        Reason.FAR_CLOCK: "dated too far from the receiver's clock",
        Reason.UNREADABLE: "that could not be read",
    }
)


_MARKS: Final = (
    ("embed", Reason.EMBEDDING),
    ("agent", Reason.AGENT),
    ("thread", Reason.AGENT),
    ("tool", Reason.TOOL),
    ("retriev", Reason.RETRIEVAL),
    ("rerank", Reason.RETRIEVAL),
    ("search", Reason.RETRIEVAL),
    ("evaluat", Reason.EVALUATION),
    ("image", Reason.MEDIA),
    ("speech", Reason.MEDIA),
    ("audio", Reason.MEDIA),
    ("transcri", Reason.MEDIA),
    ("moderation", Reason.MEDIA),
    ("video", Reason.MEDIA),
    ("workflow", Reason.STEP),
    ("chain", Reason.STEP),
    ("task", Reason.STEP),
    ("guardrail", Reason.STEP),
)


def other_than_a_call(word: str) -> Reason | None:
    """What an operation is by its name, where it is none in which a model answers; None: that is not told.

    Examples
    --------
    >>> other_than_a_call("aembedding"), other_than_a_call("execute_tool"), other_than_a_call("acompletion")
    (<Reason.EMBEDDING: 'embedding'>, <Reason.TOOL: 'tool'>, None)
    """
    word = word.lower()
    return next((reason for mark, reason in _MARKS if mark in word), None)


def in_words(counts: Mapping[Reason, int]) -> str:
    """Counts by reason as a sentence, the largest first.

    Examples
    --------
    >>> in_words({Reason.UNKNOWN: 2, Reason.FAR_CLOCK: 1_000})
    "1,000 dated too far from the receiver's clock, 2 of generative AI in no dialect that is known"
    """
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {IN_WORDS[reason]}" for reason, count in ordered if count)
