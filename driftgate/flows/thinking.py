"""The part of a reply that is meant for the reader, without what the model thought aloud before it."""

from __future__ import annotations

import re

_THINKING = re.compile(r"(?is)\A.*</think(?:ing)?>")
_OPEN = re.compile(r"(?i)\A\s*<think(?:ing)?>")


def without_thinking(reply: str) -> str | None:
    """What follows the last closed block of thinking; None where the block was never closed.

    Examples
    --------
    >>> without_thinking("<think>3일까?</think> 12"), without_thinking("12"), without_thinking("<think>3일까?")
    ('12', '12', None)
    """
    if not _OPEN.match(reply) and "</think" not in reply:
        return reply.strip()
    said, closed = _THINKING.subn("", reply, count=1)
    return said.strip() if closed else None
