"""The turns of a conversation, in every form in which one is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._replies import bounded, is_silent, spoken

_REMEDY = "give a list of turns with role and content; a text, or Python's way of writing a list, is no conversation"
_DOES = ("tool_calls", "function_call", "refusal")
_SAID = frozenset({"text", "output_text", "input_text"})
_SPEAKERS = {"user": "user", "human": "user", "assistant": "assistant", "model": "assistant", "ai": "assistant"}
_UNHEARD = frozenset({"system", "developer", "tool", "function"})


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said."""

    number: int
    """From 1, over what the user and the assistant say."""
    role: str
    """``user`` or ``assistant``."""
    text: str


NOT_GIVEN: Any = object()
"""In the place of a response that the conversation holds itself; None is a response that is not there."""


def read_turns(value: Any, response: Any = NOT_GIVEN) -> list[Turn]:
    """What the user and the assistant say in a conversation, in order.

    Parameters
    ----------
    value
        Messages with ``role`` and ``content`` (a text or parts), an object with ``messages`` or ``conversation``,
        prompt flow's chat history (``inputs`` and ``outputs``), or the JSON text of any of these.
    response
        What the assistant says last, where the conversation does not hold it.

    Raises
    ------
    DriftgateError
        It is no conversation, the assistant says nothing in it, or in a turn or in the response where it calls no tool
        either; or it is too long.

    Examples
    --------
    >>> turns = read_turns([{"role": "user", "content": "몇 시까지 해요?"}], "6시요.")
    >>> [(turn.number, turn.role, turn.text) for turn in turns]
    [(1, 'user', '몇 시까지 해요?'), (2, 'assistant', '6시요.')]
    """
    said = list(_messages(value))
    silent = next((number for number, (role, text) in enumerate(said, 1) if role == "assistant" and is_silent(text)), 0)
    if response is not NOT_GIVEN:
        said.append(("assistant", spoken(response if isinstance(response, str) else _text(response))))
    turns = [Turn(number, role, text) for number, (role, text) in enumerate(said, 1)]
    if not any(turn.role == "assistant" and turn.text.strip() for turn in turns):
        raise DriftgateError("the assistant says nothing in the conversation", _REMEDY)
    if silent:
        raise DriftgateError(f"the reply is empty: the assistant says nothing in turn {silent}", _REMEDY)
    bounded("\n".join(turn.text for turn in turns), "the conversation")
    return turns


def is_conversation(value: Any) -> bool:
    """Whether a value is a list of turns, each of them with a role."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and "role" in one for one in value)


def as_messages(value: Sequence[Any]) -> list[dict[str, Any]]:
    """Turns as messages whose contents are parts, as azure-ai-evaluation reads a conversation."""
    return [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in _heard(value)]


def as_script(value: Sequence[Any]) -> str:
    """Turns written one under the other, for a prompt with room for one text.

    Examples
    --------
    >>> print(as_script([{"role": "user", "content": "언제요?"}, {"role": "assistant", "content": "6시요."}]))
    User turn 1: 언제요?
    Agent turn 1: 6시요.
    """
    counts = {"user": 0, "assistant": 0}
    lines = []
    for role, text in _heard(value):
        counts[role] += 1
        lines.append(f"{'User' if role == 'user' else 'Agent'} turn {counts[role]}: {text}")
    return "\n".join(lines)


def _heard(value: Any) -> Iterator[tuple[str, str]]:
    return ((role, text) for role, text in _messages(value) if text or role == "user")


def _messages(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise DriftgateError(f"found the text {value[:60]!r} where turns should be", _REMEDY) from None
    if isinstance(value, Mapping):
        inner = next((value[name] for name in ("messages", "conversation", "turns") if name in value), None)
        if inner is None:
            raise DriftgateError(f"found a mapping with {', '.join(map(str, list(value)[:6]))}, no turns", _REMEDY)
        yield from _messages(inner)
        return
    if not isinstance(value, Sequence):
        raise DriftgateError(f"found {type(value).__name__} where turns should be", _REMEDY)
    for item in value:
        if not isinstance(item, Mapping):
            raise DriftgateError(f"found {str(item)[:60]!r} among turns", _REMEDY)
        if "role" not in item and {"inputs", "outputs"} <= set(item):
            yield "user", _only_text(item["inputs"])
            yield "assistant", _only_text(item["outputs"])
            continue
        role = str(item.get("role", "")).lower()
        if role in _UNHEARD:
            continue
        if role not in _SPEAKERS:
            raise DriftgateError(f"found a turn of the role '{role}'", "give user, assistant, system or tool")
        told = item.get("content", item.get("parts"))
        text = _text(told)
        if text or role == "user" or not _acts(item, told):
            yield _SPEAKERS[role], text


def _acts(message: Mapping[str, Any], told: Any) -> bool:
    """Whether a turn without a text does something else: calls a tool, declines in a field, shows an image."""
    parts = told if isinstance(told, list) else [told]
    other = any(isinstance(part, Mapping) and part.get("type", "text") not in _SAID for part in parts)
    return other or any(message.get(name) for name in _DOES)


def _text(told: Any) -> str:
    """The text of a content, which is one text, one part, or a list of either."""
    if told is None:
        return ""
    parts = told if isinstance(told, list) else [told]
    found = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, Mapping) and part.get("type", "text") in _SAID:
            text = part.get("text", part.get("content", ""))
            found.append(text if isinstance(text, str) else str(text.get("value", "")))
        elif not isinstance(part, Mapping):
            raise DriftgateError(f"found {str(part)[:60]!r} where a turn's text should be", _REMEDY)
    return "\n".join(found)


def _only_text(told: Any) -> str:
    """The text among what prompt flow keeps of one side of an exchange."""
    values = [v for v in told.values() if isinstance(v, str)] if isinstance(told, Mapping) else [told]
    return "\n".join(str(value) for value in values)
