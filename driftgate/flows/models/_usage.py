"""Token counts as a service states them: taken where they can be right, else unknown and never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST_TOKENS = 10**8
"""No call reads or writes as many; a greater count is a mistake of the service."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a call used, as the service counted them; None where it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    """All that the model wrote, what it thought included."""
    reasoning_tokens: int | None = None
    """Those of the output that it thought and did not say."""
    cached_tokens: int | None = None
    """Those of the input that the service had kept from an earlier call."""


_NAMES = (
    ("prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details"),
    ("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
)
"""What Chat Completions and the Responses API call the counts and their details."""


def read_usage(told: object, *, wrote: bool) -> Usage:
    """Read what a service says of a call's tokens.

    Parameters
    ----------
    told : object
        The ``usage`` of a chat completion or of a response (Responses API), whatever it is.
    wrote : bool
        Whether the reply holds a text. A text of no tokens, or a request of none, is a placeholder and no count.

    Examples
    --------
    >>> read_usage({"prompt_tokens": 31, "completion_tokens": 4}, wrote=True)
    Usage(input_tokens=31, output_tokens=4, reasoning_tokens=None, cached_tokens=None)
    >>> told = {"input_tokens": 31, "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 3}}
    >>> read_usage(told, wrote=True)
    Usage(input_tokens=31, output_tokens=4, reasoning_tokens=3, cached_tokens=None)
    >>> read_usage({"prompt_tokens": -5, "completion_tokens": "4"}, wrote=True).input_tokens is None
    True
    """
    counts = told if isinstance(told, Mapping) else {}
    names = next((names for names in _NAMES if names[0] in counts or names[1] in counts), _NAMES[0])
    taken, written = count(counts.get(names[0]), least=1), count(counts.get(names[1]), least=1 if wrote else 0)
    before, after = (part if isinstance(part := counts.get(name), Mapping) else {} for name in names[2:])
    return Usage(
        taken,
        written,
        _part_of(written, after.get("reasoning_tokens", counts.get("reasoning_tokens"))),
        _part_of(taken, before.get("cached_tokens", counts.get("prompt_cache_hit_tokens"))),
    )


def _part_of(whole: int | None, told: object) -> int | None:
    """A count that is part of another; None where it cannot be, or where there is nothing to hold it against."""
    part = count(told)
    return None if part is None or whole is None or part > whole else part


def count(value: object, *, least: int = 0) -> int | None:
    """A whole number of tokens, or None where ``value`` is none; JSON does not tell 12 from 12.0.

    Examples
    --------
    >>> count(12), count(12.0), count(12.5), count("12"), count(True), count(-1), count(float("inf"))
    (12, 12, None, None, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if least <= value <= MOST_TOKENS and value == int(value) else None
