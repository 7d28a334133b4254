"""Calls of tools among the items of a reply or a conversation, in every form met in practice.

A call is written in many ways: OpenAI's ``tool_calls`` of a message and ``function_call`` items of a response, the
``tool_call`` contents and parts of azure-ai-evaluation and of OpenTelemetry's GenAI conventions, Anthropic's
``tool_use`` and Google's ``functionCall``. What holds none of them is no conversation without calls: it is refused.

References
----------
.. [1] OpenAI, "Function calling", https://platform.openai.com/docs/guides/function-calling
.. [2] OpenTelemetry, "Semantic conventions for generative client AI spans",
   https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.errors import DriftgateError

FORMS = (
    "give a list of tool calls, messages or spans: OpenAI's tool_calls, messages with tool_calls, contents or parts of "
    "the type tool_call, tool_use or function_call, or spans of OpenTelemetry's GenAI conventions"
)
_KEPT = 80


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call of a tool that was made."""

    name: str
    arguments: Any
    """By name; where the model wrote no JSON object, what it wrote."""
    id: str = ""
    failed: bool = False
    """Whether the tool answered with an error, so that the same call again is another attempt."""

    @property
    def readable(self) -> bool:
        """Whether its arguments are a JSON object."""
        return isinstance(self.arguments, Mapping)

    @property
    def told(self) -> str:
        """The call in one line."""
        written = self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)
        return f"{self.name}({written if len(written) <= _KEPT else written[:_KEPT] + '…'})"


def arguments_of(told: Any) -> Any:
    """Arguments as an object where they are one, or the JSON text of one; nothing at all is an empty object."""
    if told is None or told == "":
        return {}
    if isinstance(told, str):
        try:
            read = json.loads(told)
        except ValueError:
            return told
        return read if isinstance(read, Mapping) else told
    return told


def parsed(value: Any) -> Any:
    """A value, or what a JSON text says; None where there is no text."""
    if isinstance(value, str) and value.strip():
        try:
            return json.loads(value)
        except ValueError:
            return value
    return None if value == "" else value


def of_items(items: Sequence[Any]) -> Iterator[MadeCall]:
    """Calls of messages, or of calls that stand alone."""
    for item in items:
        item = parsed(item)
        if not isinstance(item, Mapping):
            raise DriftgateError(f"found {shown(item)} among calls of tools", FORMS)
        if (call := _alone(item)) is not None:
            yield call
        elif "role" in item:
            yield from _of_message(item)
        elif item.get("type") not in _SILENT:
            raise DriftgateError(f"found {shown(item)} among calls of tools", FORMS)


_SILENT = frozenset(
    (
        *("message", "reasoning", "text", "output_text", "thinking"),
        *("function_call_output", "custom_tool_call_output", "tool_result", "tool_call_response"),
    )
)
"""Types of items that stand beside calls and are none."""


def _of_message(message: Mapping[str, Any]) -> Iterator[MadeCall]:
    if message["role"] not in ("assistant", "model"):  # who else speaks calls nothing
        return
    for call in message.get("tool_calls") or ():
        found = _alone(call)
        if found is None:
            raise DriftgateError(f"found {shown(call)} among the tool_calls of a message", FORMS)
        yield found
    if isinstance(function := message.get("function_call"), Mapping):
        yield _call(function.get("name"), function.get("arguments"), "")
    for name in ("content", "parts"):
        parts = message.get(name)
        for part in parts if isinstance(parts, list) else ():
            found = _alone(part) if isinstance(part, Mapping) else None
            if found is not None:
                yield found


def _alone(item: Mapping[str, Any]) -> MadeCall | None:
    """The call that an item is; None where it is something else."""
    inner = item.get("tool_call")
    if isinstance(inner, Mapping):  # azure-ai-evaluation's and the Assistants API's older form
        return _alone(inner)
    identifier = item.get("tool_call_id") or item.get("call_id") or item.get("id") or ""
    function = item.get("function") or item.get("functionCall") or item.get("function_call")
    if isinstance(function, Mapping) and "name" in function and "role" not in item:
        return _call(function["name"], function.get("arguments", function.get("args")), identifier)
    if "name" not in item or "role" in item:
        return None
    kind = item.get("type")
    if kind in ("tool_call", "function_call", "tool_use", "function", "custom_tool_call") or (
        kind is None and ("arguments" in item or "args" in item)
    ):
        names = ("arguments", "args", "input", "parameters")
        return _call(item["name"], next((item[name] for name in names if name in item), None), identifier)
    return None


def _call(name: Any, arguments: Any, identifier: Any) -> MadeCall:
    return MadeCall(str(name), arguments_of(arguments), str(identifier))


def failures(items: Sequence[Any]) -> set[str]:
    """Ids of calls that their tool answered with an error."""
    found = set()
    for item in filter(_is_mapping, items):
        for part in filter(_is_mapping, (item, *_parts(item))):
            named = (part.get(name) for name in ("tool_call_id", "call_id", "tool_use_id", "id"))
            identifier = next(filter(None, named), None)
            results = (part[name] for name in ("tool_result", "output", "response", "content") if name in part)
            answers = item.get("role") == "tool" or part.get("type") in _ANSWERS
            if identifier and answers and (part.get("is_error") or _is_error(next(results, None))):
                found.add(str(identifier))
    return found


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


_ANSWERS = ("function_call_output", "tool_result", "tool_call_response", "custom_tool_call_output")


def _parts(item: Mapping[str, Any]) -> list[Any]:
    parts = [part for name in ("content", "parts") if isinstance(item.get(name), list) for part in item[name]]
    outer = {"tool_call_id": item["tool_call_id"]} if "tool_call_id" in item else {}
    return [{**outer, **part} if isinstance(part, Mapping) else part for part in parts]


def _is_error(result: Any) -> bool:
    """Whether a tool's answer is an object that says ``error``."""
    told = parsed(result)
    return isinstance(told, Mapping) and bool(told.get("error"))


def shown(value: Any) -> str:
    """A value in a few words, for a message."""
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, list(value)[:6])) or 'nothing in it'}"
    return f"{type(value).__name__} {str(value)[:_KEPT]!r}"
