"""What can be wrong with calls of tools."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

KINDS: Final = MappingProxyType(
    {
        "unknown_tool": "a tool that is not among those that may be called",
        "unreadable_arguments": "arguments that are no JSON object",
        "missing_argument": "an argument that the tool requires is not given",
        "wrong_type": "an argument of another type than the tool's",
        "invented_argument": "an argument that the tool does not have",
        "invalid_value": "a value that the tool does not take",
        "missing_call": "a call that was wanted was not made",
        "extra_call": "a call that nobody wanted",
        "wrong_argument": "an argument with another value than was wanted",
        "wrong_order": "calls in another order than was wanted",
        "repeated_call": "the same call again, though it had not failed",
        "forbidden_call": "a call that is forbidden",
    }
)
"""Every kind of finding, and what it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: str
    """One of :data:`KINDS`."""
    said: str
    """What was found and what was wanted, in words."""
    call: int | None = None
    """The place of the call, from 1; None where it is one that was not made."""
    argument: str = ""

    def __str__(self) -> str:
        return f"{f'call {self.call}: ' if self.call is not None else ''}{self.said}"
