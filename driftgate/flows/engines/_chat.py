"""Templates with roles: rendered, and split into turns as prompt flow does, with the values told from the template."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from driftgate.flows.engines._sandbox import rendered
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.line import current_line
from driftgate.flows.models import Message
from driftgate.flows.turns import Prompt, unmarked, with_roles

_NEEDS_A_CONNECTION = ("functions", "tools")
_TO_ESCAPE = "_inputs_to_escape"
"""An input in which prompt flow tells its tools what else they were given from the flow's inputs."""


class JinjaTemplateError(Exception):
    """A template failed; prompt flow's name and words for it."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(
            f"Failed to render jinja template: {type(problem).__name__}: {problem}. "
            "Please modify your prompt to fix the issue."
        )


def render_for_a_tool(template: str, inputs: Mapping[str, Any]) -> str:
    """Render the template of a prompt or llm node.

    Raises
    ------
    JinjaTemplateError
        It cannot be parsed or rendered.
    """
    if _TO_ESCAPE in inputs:
        inputs = {name: value for name, value in inputs.items() if name != _TO_ESCAPE}
    try:
        return rendered(template, inputs)
    except DriftgateError:
        raise
    except Exception as problem:
        raise JinjaTemplateError(problem) from problem


def split(prompt: str, parse: Callable[[str], Any]) -> Any:
    """Split a rendered prompt with a parser of prompt flow's, which sees the values only as words.

    Raises
    ------
    DriftgateError
        A heading takes a role from a value that data may not give.
    Exception
        The parser refuses the prompt; in its words for the text as it is.
    """
    if not isinstance(prompt, Prompt):
        return parse(prompt)
    marked = with_roles(prompt.marked, bare=True)
    try:
        found = parse(marked)
    except Exception:
        parse(prompt)
        raise
    return unmarked(found)


def build_messages(
    prompt: str, images: Sequence[Any] | None = None, image_detail: str = "auto", **inputs: Any
) -> list[dict[str, Any]]:
    """In place of prompt flow's own ``build_messages``.

    That one puts other words in the place of headings in some inputs before it renders: not in what comes from a node,
    such as documents that were found, and where a template measures or compares a text it sees another one.
    """
    from promptflow.tools.common import parse_chat

    return _turns(parse_chat, prompt, images, image_detail, inputs)


def build_prompty_messages(
    prompt: str, images: Sequence[Any] | None = None, image_detail: str = "auto", **inputs: Any
) -> list[dict[str, Any]]:
    """In place of the one that prompt flow's ``Prompty`` has, which code may load and call as it likes.

    That one looks for headings in the texts that it is given, and not into lists and mappings, such as a history.
    """
    from promptflow.core._prompty_utils import parse_chat

    return _turns(parse_chat, prompt, images, image_detail, inputs)


def _turns(
    parse_chat: Callable[..., Any], prompt: str, images: Sequence[Any] | None, detail: str, inputs: Mapping[str, Any]
) -> list[dict[str, Any]]:
    def parse(text: str) -> Any:
        return parse_chat(text, images=list(images or ()), image_detail=detail)

    turns: list[dict[str, Any]] = split(render_for_a_tool(prompt, inputs), parse)
    return turns


def render_open_model(
    template: str, trim_blocks: bool = True, keep_trailing_newline: bool = True, **inputs: Any
) -> str:
    """In place of the renderer of prompt flow's tool for open models: what it returns knows its values."""
    return render_for_a_tool(template, inputs)


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
            messages = [Message("user", str(render_for_a_tool(template, inputs)))]
        else:
            messages = [Message(turn["role"], str(turn["content"])) for turn in build_messages(template, **inputs)]
        return (await line.complete(model, messages)).text

    return ask
