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


def read_usage(told: object, *, wrote: bool) -> Usage:
    """Read what a service says of a call's tokens.

    Parameters
    ----------
    told : object
        The ``usage`` of a chat completion, whatever it is.
    wrote : bool
        Whether the reply holds a text. A text of no tokens, or a request of none, is a placeholder and no count.

    Examples
    --------
    >>> read_usage({"prompt_tokens": 31, "completion_tokens": 4}, wrote=True)
    Usage(input_tokens=31, output_tokens=4)
    >>> read_usage({"prompt_tokens": -5, "completion_tokens": "4"}, wrote=True)
    Usage(input_tokens=None, output_tokens=None)
    """
    counts = told if isinstance(told, Mapping) else {}
    return Usage(
        count(counts.get("prompt_tokens"), least=1), count(counts.get("completion_tokens"), least=1 if wrote else 0)
    )


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
