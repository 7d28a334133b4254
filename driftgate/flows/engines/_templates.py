"""Prompt nodes: a template that was parsed once, rendered on the event loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from driftgate.flows.engines._resolve import Resolved
from driftgate.flows.engines._sandbox import sandbox

_ESCAPED = "_inputs_to_escape"
"""Prompt flow's ``INPUTS_TO_ESCAPE_PARAM_KEY``."""


class JinjaTemplateError(Exception):
    """A template failed; prompt flow's name and words for it."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(
            f"Failed to render jinja template: {type(problem).__name__}: {problem}. "
            "Please modify your prompt to fix the issue."
        )


def renderer(resolved: Resolved, node: Any) -> Callable[..., Any]:
    """A function of a prompt node's inputs that returns the prompt.

    Prompt flow renders a second time wherever an input holds a heading of a chat (``system:``), so that an llm node
    after it does not take that for a turn. Where the flow has no such node this is left out, and so is the
    ``str`` subclass that carries it.
    """
    tool = resolved.tool(node.name)
    assert isinstance(tool, partial)
    chats = resolved.asks or any(other.type.value in ("llm", "custom_llm") for other in resolved.flow.nodes)
    if chats or os.environ.get("PF_USE_SANDBOX_FOR_JINJA", "true").lower() == "false":
        return tool
    try:
        template = sandbox(trim_blocks=True, keep_trailing_newline=True).from_string(tool.keywords["template"])
    except Exception:  # prompt flow fails the line, not the flow
        return tool
    template.globals = dict(template.globals)  # a context copies them for every line, and a ChainMap is slow to copy
    node.inputs.pop(_ESCAPED, None)

    def render(**inputs: Any) -> str:
        try:
            return str(template.render(inputs))
        except Exception as problem:
            raise JinjaTemplateError(problem) from problem

    return render
