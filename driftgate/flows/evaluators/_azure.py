"""azure-ai-evaluation's evaluators, called one by one inside our event loop."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models import refuse_in_azure, refuse_in_openai
from driftgate.flows.turns import hidden, unmarked

PACKAGE = "azure-ai-evaluation"


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
    refuse_in_openai()
    refuse_in_azure()
    logging.getLogger("azure.ai.evaluation").setLevel(logging.ERROR)  # it announces each class that is experimental
    import azure.ai.evaluation

    take_turns_from_templates()
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
