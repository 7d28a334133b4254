"""The messages of a call, in each of the forms instrumentations have sent them.

Current: ``gen_ai.input.messages`` and ``gen_ai.output.messages``, lists (or their JSON text) of messages with parts.
Older: ``gen_ai.prompt`` and ``gen_ai.completion`` as JSON text on the span or on an event; the same spread over
indexed attributes (``gen_ai.prompt.0.content``); and one event a message (``gen_ai.user.message``, ``gen_ai.choice``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._content import clean

Events = Sequence[tuple[str, Mapping[str, Any]]]

_DECODER = json.JSONDecoder()
_DEPTH = 24
"""Lists and objects within each other that a message may have; what lies deeper is no text."""
_TEXT_TYPES = ("text", "input_text", "output_text", "message", "refusal")
_CALL_TYPES = ("tool_call", "tool_use", "function_call")
_TEXT_KEYS = ("parts", "content", "contents", "text", "refusal")
_TOLD_KEYS = frozenset((*_TEXT_KEYS, "tool_calls", "function_call", "type"))


class Message(NamedTuple):
    """One message; ``role`` is empty where a bare text was sent."""

    role: str
    text: str | None
    """None where only that there was a message is told, not what it said."""
    finish_reason: str = ""
    tool_calls: int = 0


class Content(NamedTuple):
    """What was sent to the model and what it answered; None where the application does not tell."""

    sent: Sequence[Message] | None = None
    answered: Sequence[Message] | None = None
    system: str = ""
    """Instructions sent apart from the messages."""


def genai_content(attributes: Mapping[str, Any], events: Events) -> Content:
    """The content of a span that follows OpenTelemetry's conventions, of any age.

    Examples
    --------
    >>> genai_content({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi"}, ()).sent
    [Message(role='user', text='Hi', finish_reason='', tool_calls=0)]
    >>> genai_content({}, ())
    Content(sent=None, answered=None, system='')
    """
    sent = whole(names.INPUT_CONTENT_NAMES, attributes, events) or indexed(names.INDEXED_PROMPT, attributes)
    answered = whole(names.OUTPUT_CONTENT_NAMES, attributes, events) or indexed(names.INDEXED_COMPLETION, attributes)
    if events:
        sent = sent or [
            message(_event_content(held), names.EVENT_ROLES[name]) for name, held in events if name in names.EVENT_ROLES
        ]
        answered = answered or [_choice(_event_content(held)) for name, held in events if name == names.CHOICE_EVENT]
    system = attributes.get(names.SYSTEM_INSTRUCTIONS)
    return Content(sent or None, answered or None, text_of(parsed(system)) if system else "")


def joined(messages: Sequence[Message] | None, roles: Collection[str] | None = None) -> str | None:
    """Join the texts of the messages of some roles; ``None`` if no message of these tells its text."""
    if not messages:
        return None
    told = [one.text for one in messages if one.text is not None and (roles is None or one.role in roles)]
    return "\n".join(told) if told else None


def whole(candidates: Sequence[str], attributes: Mapping[str, Any], events: Events = ()) -> list[Message]:
    """The messages that an attribute, or an event's, holds all together."""
    for name in candidates:
        if name in attributes and (value := parsed(attributes[name])):
            return listed(value)
    found: list[Message] = []
    for _, attached in events:
        for name in candidates:
            if name in attached:
                found += listed(parsed(attached[name]))
                break
    return found


def listed(value: Any, role: str = "") -> list[Message]:
    """The messages of a list, or of one; of what is nothing, none."""
    if value is None or value == "":
        return []
    return [message(entry, role) for entry in (value if isinstance(value, list) else [value])]


def indexed(prefix: str, attributes: Mapping[str, Any], inner: str = "") -> list[Message]:
    """Messages spread over attributes: ``PREFIX0.role``, ``PREFIX0.content``; ``inner`` stands before the field."""
    fields: dict[int, dict[str, Any]] = {}
    if prefix not in "\n".join(attributes):
        return []
    for name in [name for name in attributes if name.startswith(prefix)]:
        position, _, rest = name.removeprefix(prefix).partition(".")
        if position.isascii() and position.isdigit() and len(position) < 6 and rest.startswith(inner):
            fields.setdefault(int(position), {})[rest.removeprefix(inner)] = attributes[name]
    return [_of_fields(fields[position]) for position in sorted(fields)]


def message(entry: Any, role: str = "") -> Message:
    """A message of an object or of a bare text."""
    if not isinstance(entry, dict):
        return Message(role, text_of(entry))
    told = None if _TOLD_KEYS.isdisjoint(entry) else text_of(entry)
    return Message(_word(entry.get("role")) or role, told, _word(entry.get("finish_reason")), _tool_calls(entry))


def parsed(value: Any) -> Any:
    """Return what a JSON text says, or the value itself where it is no JSON."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            found, end = _DECODER.raw_decode(value)
            return found if end == len(value) else json.loads(value)  # which passes over white space at the end
        except (ValueError, RecursionError):
            return value
    return value


def text_of(value: Any, depth: int = 0) -> str:
    """Collect the text of a message, of its parts, or of a bare text; images and tool calls have none."""
    if isinstance(value, str):
        return value if value.isascii() else clean(value)
    if depth > _DEPTH:
        return ""
    if isinstance(value, dict):
        if value.get("type", "text") in _TEXT_TYPES:
            for key in _TEXT_KEYS:
                if key in value and (held := value[key]):
                    return text_of(held, depth + 1)
    elif isinstance(value, list):
        texts = [text_of(entry, depth + 1) for entry in value]
        return texts[0] if len(texts) == 1 else "\n".join(filter(None, texts))
    return ""


def _of_fields(fields: Mapping[str, Any]) -> Message:
    """A message of its attributes: its content in one, or in parts (``contents.0.message_content.text``)."""
    texts = [value for name, value in fields.items() if name.startswith("contents.") and name.endswith(".text")]
    content = fields.get("content")
    told = text_of(parsed(content)) if content is not None else text_of(texts) if texts else None
    calls = {".".join(name.split(".")[:2]) for name in fields if name.startswith("tool_calls.")}
    if told is None and calls:
        told = ""
    return Message(_word(fields.get("role")), told, _word(fields.get("finish_reason")), len(calls))


def _choice(content: Any) -> Message:
    if not isinstance(content, dict):
        return message(content, "assistant")
    said = message(content.get("message", content), "assistant")
    return Message("assistant", said.text, _word(content.get("finish_reason")) or said.finish_reason, said.tool_calls)


def _tool_calls(entry: Mapping[str, Any]) -> int:
    if entry.get("type") in _CALL_TYPES:
        return 1
    found = entry.get("tool_calls")
    count = len(found) if isinstance(found, list) else int(bool(entry.get("function_call")))
    for key in ("parts", "content"):
        if isinstance(parts := entry.get(key), list):
            for part in parts:
                if isinstance(part, dict) and part.get("type") in _CALL_TYPES:
                    count += 1
    return count


def _word(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    return value[:64] if value.isascii() else clean(value[:64])


def _event_content(attached: Mapping[str, Any]) -> Any:
    if names.EVENT_CONTENT in attached:
        return parsed(attached[names.EVENT_CONTENT])
    return parsed(attached["content"]) if "content" in attached else {}
