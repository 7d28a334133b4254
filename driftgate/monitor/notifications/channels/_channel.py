"""A channel takes a message to people, or says why it could not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from driftgate.flows.errors import DriftgateError
from driftgate.flows.registry import Registry

if TYPE_CHECKING:
    from driftgate.monitor.notifications._message import Message


class ChannelConfig(BaseModel):
    """A channel's part of the workspace file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kind: str
    """How people are told: ``apprise``, ``webhook`` or a plugin's name."""


class NotDelivered(DriftgateError):
    """A message did not arrive, or nobody said that it did; it is tried again."""


@dataclass(frozen=True)
class Channel:
    """A way to tell people."""

    config: type[ChannelConfig]
    """The pydantic model of the channel's part of the workspace file."""
    send: Callable[[str, Any, Message], Awaitable[None]]
    """Take a message to people by the channel of a name and its settings; raises :class:`NotDelivered`."""


CHANNELS: Registry[Channel] = Registry("notification channel", "driftgate.monitor.notifications.channels", "CHANNEL")


def parse_config(value: Mapping[str, Any]) -> ChannelConfig:
    """Validate a channel's part of the workspace file.

    Raises
    ------
    DriftgateError
        No channel has that name.
    pydantic.ValidationError
        A key is unknown, missing or of the wrong type.

    Examples
    --------
    >>> parse_config({"kind": "webhook", "url": "https://ops.example/hook", "secret": "${env:HOOK_SECRET}"}).kind
    'webhook'
    """
    return CHANNELS.get(str(value.get("kind", ""))).config.model_validate(value)
