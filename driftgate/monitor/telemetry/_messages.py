"""The messages of a call, in each of the forms instrumentations have sent them.

Current: ``gen_ai.input.messages`` and ``gen_ai.output.messages``, lists (or their JSON text) of messages with parts.
Older: ``gen_ai.prompt`` and ``gen_ai.completion`` as JSON text on the span or on an event; the same spread over
indexed attributes (``gen_ai.prompt.0.content``); and one event a message (``gen_ai.user.message``, ``gen_ai.choice``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import clean

Events = Sequence[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Message:
    """One message; ``role`` is empty where a bare text was sent."""

    role: str
    text: str
    finish_reason: str = ""


def conversation(attributes: Mapping[str, Any], events: Events) -> list[Message] | None:
    """Return what was sent to the model; ``None`` if the application does not tell.

    Examples
    --------
    >>> conversation({"gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]'}, ())
    [Message(role='user', text='Hi', finish_reason='')]
    >>> conversation({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi"}, ())
    [Message(role='user', text='Hi', finish_reason='')]
    >>> conversation({}, ()) is None
    True
    """
    found = _whole(names.INPUT_CONTENT_NAMES, attributes, events) or _indexed(names.INDEXED_PROMPT, attributes)
    if found:
        return found
    spoken = [
        Message(names.EVENT_ROLES[name], _text(_event_content(content)))
        for name, content in events
        if name in names.EVENT_ROLES
    ]
    return spoken or None


def choices(attributes: Mapping[str, Any], events: Events) -> list[Message] | None:
    """Return what the model answered; ``None`` if the application does not tell."""
    found = _whole(names.OUTPUT_CONTENT_NAMES, attributes, events) or _indexed(names.INDEXED_COMPLETION, attributes)
    if found:
        return found
    answers = []
    for name, attached in events:
        if name == names.CHOICE_EVENT:
            content = _event_content(attached)
            reason = content.get("finish_reason", "") if isinstance(content, dict) else ""
            message = content.get("message", content) if isinstance(content, dict) else content
            answers.append(Message("assistant", _text(message), _word(reason)))
    return answers or None


def instructions(attributes: Mapping[str, Any]) -> str:
    """Return the system instructions sent apart from the messages, or an empty text."""
    return _text(_parsed(attributes.get(names.SYSTEM_INSTRUCTIONS)))


def joined(messages: Sequence[Message] | None, roles: Collection[str] | None = None) -> str | None:
    """Join the texts of the messages of some roles; ``None`` if there is no message of these."""
    texts = [message.text for message in messages or () if roles is None or message.role in roles]
    return "\n".join(texts) if texts else None


def _whole(candidates: Sequence[str], attributes: Mapping[str, Any], events: Events) -> list[Message]:
    for holder in (attributes, *(attached for _, attached in events)):
        for name in candidates:
            value = _parsed(holder.get(name))
            if value:
                return [_message(entry) for entry in (value if isinstance(value, list) else [value])]
    return []


def _indexed(prefix: str, attributes: Mapping[str, Any]) -> list[Message]:
    positions = {
        int(position)
        for position in (name.removeprefix(prefix).partition(".")[0] for name in attributes if name.startswith(prefix))
        if position.isascii() and position.isdigit() and len(position) < 6
    }
    return [
        Message(
            _word(attributes.get(f"{prefix}{position}.role")),
            _text(_parsed(attributes.get(f"{prefix}{position}.content"))),
        )
        for position in sorted(positions)
    ]


def _message(entry: Any) -> Message:
    if isinstance(entry, dict):
        return Message(_word(entry.get("role")), _text(entry), _word(entry.get("finish_reason")))
    return Message("", _text(entry))


def _text(value: Any) -> str:
    """Collect the text of a message, of its parts, or of a bare text; images and tool calls have none."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return "\n".join(text for text in map(_text, value) if text)
    if isinstance(value, dict):
        if value.get("type", "text") != "text":
            return ""
        return _text(next((value[key] for key in ("parts", "content", "text") if value.get(key)), ""))
    return ""


def _word(value: Any) -> str:
    return clean(value[:64]) if isinstance(value, str) else ""


def _event_content(attached: Mapping[str, Any]) -> Any:
    return _parsed(attached.get(names.EVENT_CONTENT, attached.get("content", "")))


def _parsed(value: Any) -> Any:
    """Return what a JSON text says, or the value itself where it is no JSON."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
