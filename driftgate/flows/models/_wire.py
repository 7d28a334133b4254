"""A wire form: how a conversation and its parameters are said to a service, and how its reply is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.models._types import Message, Reply


@dataclass(frozen=True)
class Spoken:
    """Parameters as a service is sent them."""

    body: Mapping[str, Any]
    """What stands in the request beside the conversation."""
    said: Mapping[str, str]
    """What each of its parts stands for: the parameter as it is written in the workspace, by the name under which a
    refusal of it is kept; empty where nobody wrote it."""


@dataclass(frozen=True)
class Wire:
    """One form; each stands in a file of its own."""

    name: str
    path: str
    """Of its requests, below the service's base address."""
    speak: Callable[[Mapping[str, Any], Collection[str]], Spoken]
    """Say parameters without what is refused; of a limit on tokens under the first name that is not."""
    messages: Callable[[Sequence[Message]], dict[str, Any]]
    """The conversation."""
    refused: Callable[[str], str]
    """What a refusal of a parameter is kept under, by the service's name for it."""
    caps: tuple[str, ...]
    """The names by which it knows the limit on tokens."""
    read: Callable[[str, bytes, float], Reply]
    """Read a reply to the model of that name that took so many seconds; raises a
    :class:`driftgate.flows.models.ModelError` where it is none."""
