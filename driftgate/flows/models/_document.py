"""Turns as one text, for models that know no chat."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.flows.models._types import Message


def as_document(messages: Sequence[Message]) -> str:
    """Join turns into one text for a base model to continue.

    Examples
    --------
    >>> as_document([Message("system", "답만 쓴다."), Message("user", "1 + 1 = ")])
    '답만 쓴다.\\n\\n1 + 1 ='
    """
    return "\n\n".join(m.content.strip() for m in messages)
