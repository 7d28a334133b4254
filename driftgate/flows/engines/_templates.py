"""Prompt nodes: a template that was parsed once, rendered on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from driftgate.flows.engines._chat import render_for_a_tool
from driftgate.flows.line import keep_prompt


def renderer(tool: Callable[..., Any]) -> Callable[..., str]:
    """A function of a prompt node's inputs that returns the prompt, in the place of prompt flow's tool."""
    assert isinstance(tool, partial)
    template = tool.keywords["template"]

    def render(**inputs: Any) -> str:
        return keep_prompt(render_for_a_tool(template, inputs))

    return render
