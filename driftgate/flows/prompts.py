"""What a flow would ask its model, without asking it, and what the model ought to reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines import Engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS
from driftgate.flows.line import Line, write_chat
from driftgate.flows.models import Message, Reply, RequestRejected
from driftgate.flows.retrieval import Retriever

TARGET_FILE = "target.jinja2"
"""In a flow's folder: what its model ought to reply to a sample, rendered with the sample's columns and ``words``."""


@dataclass
class _Listener:
    """A model that notes what it is asked and declines."""

    name: str = "listener"
    identity: Mapping[str, Any] = field(default_factory=dict)
    heard: list[Sequence[Message]] = field(default_factory=list)

    async def complete(self, messages: Sequence[Message]) -> Reply:
        self.heard.append(tuple(messages))
        raise RequestRejected("only the prompt is wanted")

    async def aclose(self) -> None:
        """Nothing is held open."""


async def prompt_of(engine: Engine, inputs: Mapping[str, Any], retriever: Retriever | None = None) -> str:
    """The first prompt a flow puts to its model for these inputs, in prompt flow's chat form.

    A flow that searches documents searches those of ``retriever``.

    Raises
    ------
    DriftgateError
        The flow fails before it asks its model.
    """
    listener = _Listener()
    result = await engine.run_line(inputs, Line({"": listener}, retriever=retriever))
    if not listener.heard:
        raise DriftgateError(
            f"the flow failed before it asked its model: {result.error}", "try it with driftgate bench"
        )
    return str(write_chat(listener.heard[0]))


def target_of(flow: FlowDefinition, data: Mapping[str, Any], prompt: str) -> str:
    """What a flow's model ought to reply to a sample: what a model is trained on.

    A flow says so with ``target.jinja2`` in its folder. Without it: the right answer as the sample has it, and where it
    is the letter of a choice that the prompt does not show, the words of that choice.

    Raises
    ------
    DriftgateError
        The template fails, or renders nothing.

    Examples
    --------
    >>> from driftgate.flows.definition import load_flow
    >>> data = {"question": "연차는?", "choices": ["17일", "12일"], "answer": "A"}
    >>> flow = load_flow("rag_qa", Path())
    >>> target_of(flow, data, "연차는? A. 17일 B. 12일 정답:"), target_of(flow, data, "연차는? 정답:")
    ('A', '17일')
    """
    choices, answer = [str(choice) for choice in data.get("choices") or ()], str(data["answer"])
    place = LETTERS.find(answer) if len(answer) == 1 else -1
    words = choices[place] if 0 <= place < len(choices) else answer
    file = flow.folder / TARGET_FILE
    if file.is_file():
        return _rendered(file, {**data, "words": words})
    said = " ".join(prompt.split())
    shown = sum(" ".join(choice.split()) in said for choice in choices)
    return answer if 2 * shown >= len(choices) else words


def _rendered(file: Path, values: Mapping[str, Any]) -> str:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    try:
        text = (
            SandboxedEnvironment(undefined=StrictUndefined).from_string(file.read_text(encoding="utf-8")).render(values)
        )
    except (TemplateError, OSError, ValueError, TypeError) as problem:
        raise DriftgateError(
            f"{file} renders no target: {problem}", "it gets the sample's columns, and words"
        ) from problem
    if not text.strip():
        raise DriftgateError(f"{file} renders nothing for a sample", "a model learns nothing from an empty reply")
    return text.strip()
