"""What is asked of a model and what comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from driftgate.flows.finish import finish_reason
from driftgate.flows.models._usage import Usage, count
from driftgate.flows.scrubbing import told, told_label


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model asks to be called."""

    name: str
    arguments: str
    """As the model wrote them: JSON, if it is any."""
    id: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the call as OpenAI writes it.

        Examples
        --------
        >>> ToolCall("weather", '{"city": "서울"}').as_json()["function"]
        {'name': 'weather', 'arguments': '{"city": "서울"}'}
        """
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer to one request."""

    text: str
    finish_reason: str
    """In the words of :func:`driftgate.flows.finish.finish_reason`, whatever the service's are."""
    usage: Usage
    latency: float
    """Seconds the call that succeeded took."""
    model: str = ""
    """The model the service says it served."""
    fingerprint: str = ""
    """The service's ``system_fingerprint``, where it gives one."""
    first_token: Mapping[str, float] | None = None
    """Natural-log probabilities of the likeliest first tokens, where the service gives them."""
    attempts: int = 1
    cached: bool = False
    """Nothing was asked: the reply was kept from an earlier call, or recorded."""
    batched: bool = False
    """It came in a batch, at the price of one; how long the call took is not known."""
    without: Mapping[str, str] = field(default_factory=dict)
    """What the service said, by the name of each default of ours that it refused and was therefore not sent; under
    ``chat``, that it does not answer on Chat Completions."""
    tool_calls: tuple[ToolCall, ...] = ()
    """The tools that it asks to be called, in its order."""

    def __post_init__(self) -> None:
        # What a service calls itself stands in many places, and it may say anything there.
        for name in ("finish_reason", "model", "fingerprint"):
            object.__setattr__(self, name, told_label(getattr(self, name)))
        if self.without:
            object.__setattr__(self, "without", {name: told(words) for name, words in self.without.items()})

    @property
    def timed(self) -> bool:
        """Whether its latency is that of a call."""
        return not (self.cached or self.batched)

    def as_json(self) -> dict[str, Any]:
        """Return the reply as JSON-serialisable values."""
        found = asdict(self)
        if not self.tool_calls:  # most replies ask for none, and every one is kept
            del found["tool_calls"]
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reply:
        """Rebuild a reply from :meth:`as_json`.

        In one that was kept long ago 0 may stand for an unknown count, and the end in the service's own word.
        """
        called = tuple(ToolCall(**call) for call in value.get("tool_calls", ()))
        usage, least = value["usage"], 1 if value["text"] or called else 0
        counts = Usage(
            count(usage["input_tokens"], least=1),
            count(usage["output_tokens"], least=least),
            count(usage.get("reasoning_tokens")),
            count(usage.get("cached_tokens")),
        )
        end = finish_reason(value["finish_reason"])
        return cls(**{**value, "usage": counts, "finish_reason": end, "tool_calls": called})


class Model(Protocol):
    """A named target that completes conversations."""

    @property
    def name(self) -> str:
        """The model's name in the workspace."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that determines a reply besides the messages, without secrets."""

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Answer ``messages``.

        Raises
        ------
        ModelError
            The call did not give a usable reply; the subclass says whose concern that is.
        """

    async def aclose(self) -> None:
        """Give back connections and memory."""


def cache_key(model: Model, messages: Sequence[Message]) -> str:
    """Hash everything that determines a reply: the model's identity and the messages.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256).
    """
    material = {"identity": dict(model.identity), "messages": [[m.role, m.content] for m in messages]}
    return hashlib.sha256(json.dumps(material, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
