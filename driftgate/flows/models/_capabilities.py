"""What a deployment takes: learnt from what its service refuses and answers, kept, and part of who the model is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

CHAT, RESPONSES = "chat", "responses"
"""The wire forms: Chat Completions and the Responses API."""
CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Names of one thing, the limit on what a model may write, of which each service knows one or two."""
EFFORT, FORM, LOGPROBS = "reasoning_effort", "response_format", "logprobs"
"""What else has several names, under the one that a workspace may write whatever the service."""


@dataclass(frozen=True)
class Capabilities:
    """What is known of a deployment; of what nobody sent it, nothing is."""

    wire: str = CHAT
    """How it is asked: :data:`CHAT` or :data:`RESPONSES`."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """The service's words, by what it refused: a parameter, a name of :data:`CAPS`, or the wire form ``chat``."""
    taken: frozenset[str] = frozenset()
    """The parameters, and the name of :data:`CAPS`, of requests that it answered."""
    efforts: tuple[str, ...] = ()
    """The levels of ``reasoning_effort`` that it has, where a refusal listed them."""

    @property
    def cap(self) -> str:
        """The name under which it takes a limit on tokens; empty where that is not known."""
        return next((name for name in CAPS if name in self.taken), "")

    def takes(self, parameter: str) -> bool | None:
        """Whether it takes a parameter with the value that it was sent; None where it never was."""
        if parameter in self.taken:
            return True
        return False if parameter in self.refused else None

    def without(self, parameter: str, words: str) -> Self:
        """As it is known after a refusal."""
        return replace(self, refused={**self.refused, parameter: words}, taken=self.taken - {parameter})

    def having_taken(self, parameters: Iterable[str]) -> Self:
        """As it is known after a reply."""
        return replace(self, taken=self.taken | frozenset(parameters))

    def as_json(self) -> dict[str, Any]:
        """The value as JSON has it."""
        return {
            "wire": self.wire,
            "refused": dict(self.refused),
            "taken": sorted(self.taken),
            "efforts": list(self.efforts),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Capabilities:
        """Rebuild it from :meth:`as_json`.

        Examples
        --------
        >>> known = Capabilities().without("temperature", "no").having_taken(["max_completion_tokens"])
        >>> Capabilities.from_json(known.as_json()) == known, known.cap
        (True, 'max_completion_tokens')
        """
        return cls(value["wire"], dict(value["refused"]), frozenset(value["taken"]), tuple(value["efforts"]))


def cap_of(parameters: Mapping[str, Any]) -> tuple[str, Any]:
    """The limit on tokens among parameters: its name as it is written, and its value; empty and None without one.

    >>> cap_of({"temperature": 0, "max_output_tokens": 512}), cap_of({})
    (('max_output_tokens', 512), ('', None))
    """
    return next(((name, parameters[name]) for name in CAPS if name in parameters), ("", None))


def effort_of(parameters: Mapping[str, Any]) -> Any:
    """The reasoning effort among parameters, in either of its forms; None without one.

    >>> effort_of({"reasoning_effort": "low"}), effort_of({"reasoning": {"effort": "high"}}), effort_of({})
    ('low', 'high', None)
    """
    reasoning = parameters.get("reasoning")
    nested = reasoning.get("effort") if isinstance(reasoning, Mapping) else None
    return parameters.get(EFFORT, nested)


_LISTED = re.compile(r"(?:supported values are|supported values:|must be one of|allowed values are)(.*)", re.I | re.S)


def listed_efforts(words: str) -> tuple[str, ...]:
    """The levels that a refusal of ``reasoning_effort`` lists.

    Examples
    --------
    >>> said = "'reasoning_effort' does not support 'none' with this model. Supported values are: 'low', and 'high'."
    >>> listed_efforts(said)
    ('low', 'high')
    """
    found = _LISTED.search(words)
    return tuple(dict.fromkeys(re.findall(r"['\"]([a-z]+)['\"]", found.group(1)))) if found else ()
