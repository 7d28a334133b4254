"""llm nodes without a connection of their own: the line's model is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.line import current_line
from driftgate.flows.models import Message

_NEEDS_A_CONNECTION = ("functions", "tools")


def ask_the_model(node: str, api: str, template: str, given: bool = False) -> Callable[..., Awaitable[str]]:
    """What an llm node does: render, split into turns as prompt flow does, ask, return the text.

    Its ``model`` or ``deployment_name`` may name a model of the workspace; otherwise the cell's own model is asked.
    Temperature and the like are the model's, from the workspace: a benchmark asks a model in one way.

    Parameters
    ----------
    given : bool
        The name comes from the flow's inputs or another node: one that is unknown fails the line, for nobody has seen
        that the cell's own model would take its place.
    """

    async def ask(**inputs: Any) -> str:
        from promptflow.tools.common import build_messages, render_jinja_template

        if used := [name for name in _NEEDS_A_CONNECTION if inputs.get(name)]:
            raise DriftgateError(f"node '{node}' gives its model {used[0]}", "define the node's connection")
        line = current_line()
        named = str(inputs.get("model") or inputs.get("deployment_name") or "")
        if given and named and named not in line.models:
            raise DriftgateError(f"node '{node}' asks for model '{named}'", nearest(named, filter(None, line.models)))
        model = line.models.get(named) or line.models.get("")
        if model is None:
            raise DriftgateError(f"node '{node}' has neither a connection nor a model", "run it in a suite")
        if api == "completion":
            text = render_jinja_template(template, trim_blocks=True, keep_trailing_newline=True, **inputs)
            messages = [Message("user", text)]
        else:
            messages = [Message(turn["role"], str(turn["content"])) for turn in build_messages(template, **inputs)]
        return (await line.complete(model, messages)).text

    return ask
