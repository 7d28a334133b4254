"""The Responses API (``POST …/responses``), the only one that some reasoning models answer on.

Source: OpenAI, "Create a model response", https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from driftgate.flows import finish
from driftgate.flows.models._capabilities import CAPS, EFFORT, FORM, LOGPROBS, RESPONSES
from driftgate.flows.models._completion import error_within, first_token, texts, tool_call
from driftgate.flows.models._errors import ContentFiltered, Unavailable
from driftgate.flows.models._refusal import line, read_words, refusal, well_formed
from driftgate.flows.models._types import Message, Reply, ToolCall
from driftgate.flows.models._usage import Usage, read_usage
from driftgate.flows.models._wire import Spoken, Wire
from driftgate.flows.network import Unreadable, read_json

_CAP = "max_output_tokens"
_STORE = "store"
"""The service keeps what is asked and answered for a month unless it is told not to."""
_KEPT_UNDER: Mapping[str, str] = MappingProxyType(
    {**dict.fromkeys(CAPS, _CAP), "reasoning": EFFORT, "text": FORM, "include": LOGPROBS}
)
_STATUS = MappingProxyType({"rate_limit_exceeded": 429, "invalid_prompt": 400})
"""What the codes of a response that failed would be over HTTP; of any other the service broke off."""


def _speak(parameters: Mapping[str, Any], refused: Collection[str]) -> Spoken:
    """Say what is written for Chat Completions as this API has it.

    Examples
    --------
    >>> spoken = _speak({"max_tokens": 5, "reasoning_effort": "low", "temperature": 0}, {"temperature"})
    >>> dict(spoken.body)
    {'max_output_tokens': 5, 'reasoning': {'effort': 'low'}, 'store': False}
    """
    body: dict[str, Any] = {}
    said: dict[str, str] = {}
    for name, value in parameters.items():
        kept = _KEPT_UNDER.get(name, name)
        if kept in refused:
            continue
        said[kept] = name
        if name in CAPS:
            body[_CAP] = value
        elif name == EFFORT:
            body["reasoning"] = {**body.get("reasoning", {}), "effort": value}
        elif name == FORM:
            body["text"] = {**body.get("text", {}), "format": _format(value)}
        elif name == LOGPROBS:
            if value:
                body["include"] = [*body.get("include", []), "message.output_text.logprobs"]
        elif name == "tools" and isinstance(value, list):
            body[name] = [_tool(tool) for tool in value]
        elif isinstance(value, Mapping) and isinstance(body.get(name), Mapping):
            body[name] = {**value, **body[name]}
        else:
            body[name] = value
    if _STORE not in refused and _STORE not in body:
        body[_STORE], said[_STORE] = False, ""
    return Spoken(body, said)


def _format(wanted: Any) -> Any:
    """A ``response_format``; a schema stands one level higher here."""
    schema = wanted.get("json_schema") if isinstance(wanted, Mapping) else None
    return {"type": "json_schema", **schema} if isinstance(schema, Mapping) else wanted


def _tool(wanted: Any) -> Any:
    """A tool that may be called; what describes a function stands one level higher here."""
    function = wanted.get("function") if isinstance(wanted, Mapping) else None
    return {"type": "function", **function} if isinstance(function, Mapping) else wanted


def _messages(messages: Sequence[Message]) -> dict[str, Any]:
    return {"input": [{"role": message.role, "content": message.content} for message in messages]}


def _refused(parameter: str) -> str:
    first = re.split(r"[.\[]", parameter)[0]
    return _KEPT_UNDER.get(first, first)


def read_response(name: str, content: bytes, latency: float) -> Reply:
    """Read a response of the Responses API.

    Items of reasoning are no part of the answer, not even where nothing else was said.

    Raises
    ------
    Unavailable
        It is none, or the service says that it broke off or has not ended.
    ContentFiltered
        The service filtered it, or the model refused.
    ModelError
        It failed; the class is that of the error that it names.
    """
    try:
        body = read_json(content)
        if body.get("error") and not isinstance(body.get("output"), list):
            raise error_within(name, content)
        status = str(body.get("status") or "completed")
        if status == "failed":
            raise _failed(name, content)
        parts = list(_parts(body["output"]))
        text, called = "".join(texts(parts)), tuple(_called(body["output"]))
        refused = "".join(texts(parts, ("refusal",), "refusal"))
        why = (body.get("incomplete_details") or {}).get("reason")
        end = finish.finish_reason(why if status == "incomplete" and why else status)
        if status == "incomplete" and end not in (finish.LENGTH, finish.FILTERED):
            end = finish.LENGTH  # cut, for whatever reason
        reply = Reply(
            text=well_formed(text),
            finish_reason=well_formed(end),
            usage=read_usage(body.get("usage"), wrote=bool(text or called)),
            latency=latency,
            model=well_formed(body.get("model") or ""),
            first_token=next((found for part in parts if (found := _first_token(part)) is not None), None),
            tool_calls=called,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        start = content[:60].decode(errors="replace")
        why = problem.aside if isinstance(problem, Unreadable) else ""
        raise Unavailable(
            f"{name}: the reply is no response of the Responses API{why}: {start!r}", usage=Usage()
        ) from problem
    if refused:
        raise ContentFiltered(f"{name}: the model refused: {line(refused)}", reply.usage)
    if end == finish.FILTERED:
        raise ContentFiltered(f"{name}: the response was filtered", reply.usage)
    if end not in (finish.STOP, finish.LENGTH):
        raise Unavailable(f"{name}: the service says that its response is {line(status)}")
    return reply


def _parts(output: Sequence[Any]) -> Iterator[Any]:
    """The parts of all messages among the items of an output."""
    for item in output:
        if item.get("type", "message") == "message":
            told = item.get("content")
            yield from told if isinstance(told, list) else [told]


def _called(output: Sequence[Any]) -> Iterator[ToolCall]:
    """The tools that are asked to be called among the items of an output."""
    for item in output:
        if item.get("type") in ("function_call", "custom_tool_call"):
            yield tool_call(item["name"], item.get("arguments", item.get("input")), item.get("call_id"))


def _first_token(part: Any) -> dict[str, float] | None:
    told = part.get("logprobs") if isinstance(part, Mapping) else None
    return first_token({"logprobs": {"content": told}}) if told else None


def _failed(name: str, content: bytes) -> Exception:
    words = read_words(content)
    if words.code or words.message:
        return refusal(name, "", _STATUS.get(words.code, 502), content, {})
    return Unavailable(f"{name}: the service says that its response failed, and not why")


RESPONSES_WIRE = Wire(RESPONSES, "responses", _speak, _messages, _refused, (_CAP,), read_response)
