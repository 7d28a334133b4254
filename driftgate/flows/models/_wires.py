"""The wire forms there are; each is imported when a model is first asked in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftgate.flows.models._capabilities import CHAT

if TYPE_CHECKING:
    from driftgate.flows.models._wire import Wire


def wire_form(name: str) -> Wire:
    """The wire form of that name."""
    if name == CHAT:
        from driftgate.flows.models._wire_chat import CHAT_WIRE

        return CHAT_WIRE
    from driftgate.flows.models._wire_responses import RESPONSES_WIRE

    return RESPONSES_WIRE
