"""Two replies in one, and a prompt that is repeated first."""

from __future__ import annotations

from driftgate.flows.instructions._parameters import Text
from driftgate.flows.text import composed


def two_responses(reply: str) -> bool:
    """Two different replies, parted by six asterisks."""
    parts = [part.strip() for part in reply.split("******")]
    inner = parts[not parts[0] : len(parts) - (not parts[-1])]
    return len(inner) == 2 and all(inner) and inner[0] != inner[1]


def repeat_prompt(reply: str, *, prompt_to_repeat: Text) -> bool:
    """It begins with the text that was to be repeated, whatever the case and the spaces."""
    return _plain(reply).startswith(_plain(prompt_to_repeat))


def _plain(text: str) -> str:
    return " ".join(composed(text).casefold().split())


CHECKS = {"two_responses": two_responses, "repeat_prompt": repeat_prompt}
