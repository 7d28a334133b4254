"""A chat completion as it comes: content in one text or in parts, a refusal, and each service's words for the end."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from driftgate.flows import finish
from driftgate.flows.models._errors import ContentFiltered, Unavailable
from driftgate.flows.models._refusal import line, read_words, refusal, well_formed
from driftgate.flows.models._types import Reply, ToolCall
from driftgate.flows.models._usage import Usage, read_usage
from driftgate.flows.network import Unreadable, read_json

_SPOKEN = ("text", "output_text", "input_text")
"""Types of the parts of a content that hold what the model says; reasoning, calls and images do not."""


def read_completion(name: str, content: bytes, latency: float) -> Reply:
    """Read a chat completion as OpenAI-compatible services send it.

    What a reasoning model thought (``reasoning_content``, ``reasoning``, parts of the type ``thinking``) is no part of
    its answer, not even where it said nothing else.

    Raises
    ------
    Unavailable
        It is none, or the service says that it broke off.
    ContentFiltered
        The service filtered it, or the model refused.
    ModelError
        It is an error of the service under HTTP 200; its class is that of the status it names.
    """
    try:
        body = read_json(content)
        if isinstance(body, Mapping) and body.get("error") and not body.get("choices"):
            raise error_within(name, content)
        choice = body["choices"][0]
        message = choice["message"]
        told = message.get("content")
        text = "".join(texts(told))
        refused = message.get("refusal") or "".join(texts(told, ("refusal",), "refusal"))
        called = tuple(tool_calls(message))
        end = finish.finish_reason(choice.get("finish_reason")) or finish.STOP
        reply = Reply(
            text=well_formed(text),
            finish_reason=well_formed(end),
            usage=read_usage(body.get("usage"), wrote=bool(text or called)),
            latency=latency,
            model=well_formed(body.get("model") or ""),
            fingerprint=well_formed(body.get("system_fingerprint") or ""),
            first_token=first_token(choice),
            tool_calls=called,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        start = content[:60].decode(errors="replace")
        why = problem.aside if isinstance(problem, Unreadable) else ""
        raise Unavailable(f"{name}: the reply is not a chat completion{why}: {start!r}", usage=Usage()) from problem
    if refused:
        raise ContentFiltered(f"{name}: the model refused: {line(str(refused))}", reply.usage)
    if end == finish.FILTERED:
        raise ContentFiltered(f"{name}: the completion was filtered{_as_told(choice)}", reply.usage)
    if end == finish.FAILED:
        raise Unavailable(f"{name}: the service broke off its reply{_as_told(choice)}")
    return reply


def tool_calls(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    """The tools that a message asks to be called; also in the form before tools, ``function_call``.

    Raises
    ------
    KeyError, TypeError, AttributeError
        It is no call of a function.

    Examples
    --------
    >>> list(tool_calls({"tool_calls": [{"id": "1", "function": {"name": "now", "arguments": {"zone": "KST"}}}]}))
    [ToolCall(name='now', arguments='{"zone": "KST"}', id='1')]
    """
    for call in message.get("tool_calls") or ():
        own = call.get("function") or call.get("custom")  # a custom tool takes a text, which stands under input
        yield tool_call(own["name"], own.get("arguments", own.get("input")), call.get("id"))
    if function := message.get("function_call"):
        yield tool_call(function["name"], function.get("arguments"), None)


def tool_call(name: Any, arguments: Any, identifier: Any) -> ToolCall:
    """A call as it was sent; some services send its arguments as an object, which most send as a text.

    Raises
    ------
    TypeError
        It has no name.
    """
    if not isinstance(name, str):
        raise TypeError(f"a tool's name of the type {type(name).__name__}")
    told = "" if arguments is None else arguments
    written = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    return ToolCall(well_formed(name), well_formed(written), well_formed(str(identifier or "")))


def texts(content: Any, types: tuple[str, ...] = _SPOKEN, key: str = "text") -> Iterator[str]:
    """The texts of a message's content, which is one text, one part, or a list of either.

    Raises
    ------
    TypeError
        It is something else.
    """
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            if key == "text":
                yield part
        elif isinstance(part, Mapping):
            text = part.get(key) if part.get("type", key) in types else None
            if text is not None:
                yield text["value"] if isinstance(text, Mapping) else text  # the Assistants API wraps it once more
        elif part is not None:
            raise TypeError(f"content of the type {type(part).__name__}")


def _as_told(choice: Mapping[str, Any]) -> str:
    """The service's own words for the end, where they say more than its meaning does, and its error."""
    told = choice.get("finish_reason")
    words = [str(told)] if isinstance(told, str) and told not in (finish.FILTERED, finish.FAILED) else []
    if isinstance(error := choice.get("error"), Mapping | str):
        words.append(read_words(json.dumps({"error": error}).encode()).message)
    return f" ({'; '.join(line(word) for word in words if word)})" if any(words) else ""


def error_within(name: str, content: bytes) -> Exception:
    """The error that a service sends under HTTP 200, as gateways do once they have begun to answer."""
    words = read_words(content)
    status = int(words.code) if re.fullmatch("[45][0-9]{2}", words.code) else 502
    return refusal(name, "", status, content, {})


def first_token(choice: Mapping[str, Any]) -> dict[str, float] | None:
    """Read the first token's log-probabilities from a chat completion's choice, without those of probability 0.

    Returns
    -------
    dict or None
        None where there are none, or where one of them is no log-probability: the others are then worth nothing either.

    Examples
    --------
    >>> top = [{"token": "A", "logprob": -0.5}, {"token": "B", "logprob": float("-inf")}]
    >>> first_token({"logprobs": {"content": [{"top_logprobs": top}]}})
    {'A': -0.5}
    >>> first_token({"logprobs": {"content": [{"top_logprobs": [*top, {"token": "C", "logprob": 3.0}]}]}}) is None
    True
    """
    content = (choice.get("logprobs") or {}).get("content") or []
    if not content:
        return None
    given = {well_formed(entry["token"]): entry["logprob"] for entry in content[0].get("top_logprobs") or []}
    if not all(map(_is_logprob, given.values())):
        return None
    return {token: min(0.0, float(logprob)) for token, logprob in given.items() if math.isfinite(logprob)}


def _is_logprob(told: Any) -> bool:
    return isinstance(told, int | float) and not isinstance(told, bool) and told <= _ROUNDED


_ROUNDED = 1e-3
"""How far above 0, the logarithm of certainty, rounding may bring one."""
