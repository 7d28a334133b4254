"""What an engine is: it takes one line's inputs through a flow and tells what every node did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from flows.definition import FlowDefinition
from flows.line import Line
from flows.registry import Registry


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one node on one line."""

    node: str
    status: Literal["completed", "failed", "bypassed"]
    output: Any
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of one line; nodes that were never reached are absent."""

    output: Mapping[str, Any] | None
    nodes: Mapping[str, NodeResult]
    error: str = ""
    """Why the line failed, in the failing tool's words; empty when it completed."""


class Engine(Protocol):
    """Runs lines of one flow. Lines may run concurrently and do not know each other."""

    async def run_line(self, inputs: Mapping[str, Any], line: Line) -> LineResult:
        """Take one line through the flow; a failing tool fails the line and never raises."""

    async def aclose(self) -> None:
        """Give back what the engine holds."""


class EngineFactory(Protocol):
    """Loads a flow once, so that its lines need not."""

    def __call__(self, flow: FlowDefinition) -> Engine:
        """Prepare an engine for ``flow`` with its chosen variants.

        Raises
        ------
        DriftgateError
            The flow is not valid: a cycle, a missing file, a tool that cannot be imported.
        """


ENGINES: Registry[EngineFactory] = Registry("engine", "flows.engines", "create")
