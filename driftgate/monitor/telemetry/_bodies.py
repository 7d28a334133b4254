"""Requests and replies of a model's interface, where an instrumentation keeps them whole.

Chat Completions, Completions and Responses, as their services' documents describe them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftgate.monitor.telemetry._messages import Content, Message, listed, message, parsed, text_of


def content_of(request: Any, reply: Any) -> Content:
    """What was asked and answered, of a request and its reply; either may be anything.

    Examples
    --------
    >>> asked = {"model": "m", "instructions": "Be brief.", "input": "Hi"}
    >>> said = {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]}]}
    >>> content_of(asked, said).answered[0].text, content_of(asked, said).system
    ('A', 'Be brief.')
    """
    request, reply = parsed(request), parsed(reply)
    return Content(_sent(request) or None, _answered(reply) or None, _system(request))


def unfolded(request: Any, reply: Any) -> dict[str, Any]:
    """What a request and its reply say of the call, under names of the conventions."""
    found: dict[str, Any] = {}
    if isinstance(request := parsed(request), Mapping):
        found["request.model"] = request.get("model")
        found["request.user"] = request.get("user")
    if isinstance(reply := parsed(reply), Mapping):
        found["reply.model"] = reply.get("model")
        found["reply.id"] = reply.get("id")
        found["reply.fingerprint"] = reply.get("system_fingerprint")
        found["reply.finish_reason"] = _finish_reason(reply)
        usage = reply.get("usage")
        if isinstance(usage, Mapping):
            found["reply.input_tokens"] = usage.get("prompt_tokens", usage.get("input_tokens"))
            found["reply.output_tokens"] = usage.get("completion_tokens", usage.get("output_tokens"))
            for side in ("prompt_tokens_details", "input_tokens_details"):
                if isinstance(details := usage.get(side), Mapping):
                    found["reply.cached_tokens"] = details.get("cached_tokens")
            for side in ("completion_tokens_details", "output_tokens_details"):
                if isinstance(details := usage.get(side), Mapping):
                    found["reply.reasoning_tokens"] = details.get("reasoning_tokens")
    return found


def _sent(request: Any) -> list[Message]:
    if not isinstance(request, Mapping):
        return listed(request)
    for key in ("messages", "input", "prompt"):
        if request.get(key):
            return listed(parsed(request[key]))
    return []


def _system(request: Any) -> str:
    return text_of(parsed(request.get("instructions"))) if isinstance(request, Mapping) else ""


def _answered(reply: Any) -> list[Message]:
    if not isinstance(reply, Mapping):
        return listed(reply)
    choices = reply.get("choices")
    if isinstance(choices, list) and choices:
        return [_of_choice(choice) for choice in choices if isinstance(choice, dict)]
    if isinstance(output := reply.get("output"), list) and output:
        return response_items(output)
    return [message(reply, "assistant")] if reply.keys() & {"content", "parts", "text", "tool_calls"} else []


def response_items(output: list[Any]) -> list[Message]:
    """The answer in the items of a Responses reply; reasoning is none of it."""
    said = [item for item in output if not isinstance(item, dict) or item.get("type", "message") == "message"]
    calls = sum(isinstance(item, dict) and str(item.get("type", "")).endswith("_call") for item in output)
    return [Message("assistant", "\n".join(filter(None, map(text_of, said))), "", calls)]


def _of_choice(choice: Mapping[str, Any]) -> Message:
    said = message(choice.get("message", {"content": choice.get("text")}), "assistant")
    reason = choice.get("finish_reason")
    return Message("assistant", said.text, reason[:64] if isinstance(reason, str) else "", said.tool_calls)


def _finish_reason(reply: Mapping[str, Any]) -> Any:
    choices = reply.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0].get("finish_reason")
    details = reply.get("incomplete_details")
    if isinstance(details, dict) and details.get("reason"):
        return details["reason"]
    return reply.get("status")
