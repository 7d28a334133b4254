"""What a flow would ask its model, without asking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftgate.flows.engines import Engine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line, write_chat
from driftgate.flows.models import Message, Reply, RequestRejected
from driftgate.flows.retrieval import Retriever


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
