"""azure-ai-evaluation's evaluators, called one by one inside our event loop."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models import Message, Reply
from driftgate.flows.network import rule_azure, rule_openai
from driftgate.flows.turns import hidden, unmarked

PACKAGE = "azure-ai-evaluation"
Ask = Callable[[Sequence[Message], Mapping[str, Any]], Awaitable[Reply]]
"""Answers a conversation under the parameters of the prompt that it comes from."""
_asking: ContextVar[Ask] = ContextVar("driftgate_judge")
_NOT_SENT = ("messages", "model", "timeout", "extra_headers", "extra_body", "extra_query")
"""Of the arguments that the package gives its client: what is no parameter of the model."""


def package_version() -> str:
    """Version of azure-ai-evaluation, which an evaluator's prompt and rules come with."""
    return version(PACKAGE)


def require(name: str) -> None:
    """See to it that azure-ai-evaluation is installed.

    Raises
    ------
    MissingExtra
        It is not.
    """
    if not installed("azure.ai.evaluation"):
        raise MissingExtra("judges", f"the evaluator '{name}'")


def azure_class(name: str) -> Any:
    """A class of azure-ai-evaluation; the import takes seconds and is put off until an evaluator is made.

    It is kept, as prompt flow is, from sending telemetry, from printing a traceback for every failed request, which
    is an error of its evaluation already, and from following redirects.
    """
    if installed("promptflow"):  # it uses it where it is there
        from driftgate.flows.engines._promptflow import quiet_promptflow

        quiet_promptflow()
    rule_openai()
    rule_azure()
    logging.getLogger("azure.ai.evaluation").setLevel(logging.ERROR)  # it announces each class that is experimental
    import azure.ai.evaluation

    take_turns_from_templates()
    _ask_through_providers()
    return getattr(azure.ai.evaluation, name)


def take_turns_from_templates() -> None:
    """Let no value begin a turn of a judge's prompt: what is graded must not instruct who grades it.

    azure-ai-evaluation renders a prompt and splits it at role headings, names and images, wherever they come from.
    """
    from azure.ai.evaluation._legacy.prompty import _prompty

    _prompty.build_messages = _build_messages  # type: ignore[attr-defined]


def _build_messages(*, prompt: str, working_dir: Path, image_detail: str = "auto", **inputs: Any) -> Any:
    """In place of azure-ai-evaluation's own: the same, with the values between marks until the prompt is split."""
    from azure.ai.evaluation._legacy.prompty._exceptions import PromptyException
    from azure.ai.evaluation._legacy.prompty._utils import _parse_chat

    try:
        text = _template(prompt).render(**inputs)
    except Exception as problem:
        raise PromptyException(f"Failed to render jinja template - {type(problem).__name__}: {problem}") from problem
    return unmarked(_parse_chat(text, working_dir, image_detail))


@contextmanager
def asked_by(ask: Ask) -> Iterator[None]:
    """Let ``ask`` answer what the package's evaluators ask their judge within the body of a ``with``."""
    before = _asking.set(ask)
    try:
        yield
    finally:
        _asking.reset(before)


@cache
def _ask_through_providers() -> None:
    """Let the judge be asked as every other model is: in the form that its service wants, and with what it takes.

    The package's own client knows Chat Completions alone, has its parameters fixed, and wants to be told which models
    reason.
    """
    from azure.ai.evaluation._legacy.prompty import _prompty

    plain = _prompty.AsyncPrompty._send_with_retries

    async def send(prompty: Any, *, params: Mapping[str, Any], **settings: Any) -> Any:
        ask = _asking.get(None)
        if ask is None:
            return await plain(prompty, params=params, **settings)
        parameters = {name: value for name, value in params.items() if name not in _NOT_SENT}
        return _completion(await ask([_message(turn) for turn in params["messages"]], parameters))

    _prompty.AsyncPrompty._send_with_retries = send  # type: ignore[assignment, method-assign]


def _message(turn: Mapping[str, Any]) -> Message:
    content = turn.get("content") or ""
    text = content if isinstance(content, str) else "\n".join(str(part.get("text") or "") for part in content)
    return Message(str(turn["role"]), text)


def _completion(reply: Reply) -> Any:
    """A reply as the package's client would have given it."""
    from openai.types.chat import ChatCompletion

    taken, written = reply.usage.input_tokens, reply.usage.output_tokens
    usage = None
    if taken is not None and written is not None:
        usage = {"prompt_tokens": taken, "completion_tokens": written, "total_tokens": taken + written}
    return ChatCompletion.model_validate(
        {
            "id": "",
            "created": 0,
            "object": "chat.completion",
            "model": reply.model,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "length" if reply.finish_reason == "length" else "stop",
                    "message": {"role": "assistant", "content": reply.text},
                }
            ],
            "usage": usage,
        }
    )


@cache
def _template(source: str) -> Any:
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(trim_blocks=True, keep_trailing_newline=True, finalize=hidden).from_string(source)


async def call(evaluator: Any, **inputs: Any) -> Mapping[str, Any]:
    """Call an evaluator of azure-ai-evaluation on this event loop.

    Its plain call starts a thread with a loop of its own for each sample, which takes ten times as long and cannot be
    ended at a deadline. ``_to_async`` is what its own ``evaluate()`` goes through.
    """
    result: Mapping[str, Any] = await evaluator._to_async()(**inputs)
    return result
