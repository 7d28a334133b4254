"""Chat Completions (``POST …/chat/completions``), which every OpenAI-compatible service speaks.

Source: OpenAI, "Create chat completion", https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from driftgate.flows.models._capabilities import CAPS, CHAT, cap_of
from driftgate.flows.models._completion import read_completion
from driftgate.flows.models._types import Message
from driftgate.flows.models._wire import Spoken, Wire

_CAPS = ("max_tokens", "max_completion_tokens")


def _speak(parameters: Mapping[str, Any], refused: Collection[str]) -> Spoken:
    """Say parameters as they are written; a limit on tokens first under its own name, if that is one of these.

    Examples
    --------
    >>> dict(_speak({"temperature": 0, "max_tokens": 5}, {"max_tokens"}).body)
    {'temperature': 0, 'max_completion_tokens': 5}
    >>> dict(_speak({"temperature": 0, "max_output_tokens": 5}, {"temperature"}).body)
    {'max_completion_tokens': 5}
    """
    body = {name: value for name, value in parameters.items() if name not in CAPS and name not in refused}
    said = {name: name for name in body}
    written, limit = cap_of(parameters)
    names = sorted(_CAPS, key=lambda name: (name != written, name != "max_completion_tokens"))
    name = next((name for name in names if name not in refused), None)
    if written and name is not None:
        body[name], said[name] = limit, written
    return Spoken(body, said)


def _messages(messages: Sequence[Message]) -> dict[str, Any]:
    return {"messages": [{"role": message.role, "content": message.content} for message in messages]}


def _refused(parameter: str) -> str:
    return re.split(r"[.\[]", parameter)[0]


CHAT_WIRE = Wire(CHAT, "chat/completions", _speak, _messages, _refused, _CAPS, read_completion)
