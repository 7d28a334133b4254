"""What an engine is: it takes one line's inputs through a flow and tells what every node did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from driftgate.flows.engines._tagged import tagged, untagged
from driftgate.flows.registry import Registry
from driftgate.flows.scrubbing import told

if TYPE_CHECKING:
    from driftgate.flows.definition import FlowDefinition
    from driftgate.flows.line import Line

NODE_TIMEOUT = 900.0
"""Seconds a node may take, unless a suite says otherwise: longer than a patient client goes on asking a model."""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one node on one line."""

    node: str
    status: Literal["completed", "failed", "bypassed"]
    output: Any
    seconds: float
    error: str = ""
    error_type: str = ""
    """Class of the exception that ended the node; empty unless it failed."""

    def __post_init__(self) -> None:
        if self.error:  # a tool's own words
            object.__setattr__(self, "error", told(self.error))


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of one line; nodes that were never reached, or were under way when another failed, are absent."""

    output: Mapping[str, Any] | None
    nodes: Mapping[str, NodeResult]
    error: str = ""
    """Why the line failed, in the failing tool's words; empty when it completed."""
    error_type: str = ""
    """Class of the exception that ended the line; empty when it completed."""
    aggregated: Mapping[str, Any] = field(default_factory=dict)
    """What the flow's aggregation nodes take of a line that completed, by the reference as it is written, as the nodes
    gave it; of a flex flow with ``__aggregate__`` what it returned, by its node."""

    def __post_init__(self) -> None:
        if self.error:
            object.__setattr__(self, "error", told(self.error))


@dataclass(frozen=True, slots=True)
class FinishedLine:
    """A line that completed, as aggregation nodes need it."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    """:attr:`LineResult.aggregated`; or outputs by node, None for one that was bypassed."""

    def tagged(self) -> FinishedLine:
        """In JSON that gives it back."""
        return FinishedLine(tagged(dict(self.inputs)), tagged(dict(self.outputs)))

    def untagged(self) -> FinishedLine:
        """What was :meth:`tagged`.

        Raises
        ------
        DriftgateError
            It held what JSON cannot give back.
        """
        return FinishedLine(untagged(dict(self.inputs)), untagged(dict(self.outputs)))


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What the aggregation nodes of a flow made of its lines."""

    metrics: Mapping[str, Any]
    """What they logged, by name."""
    nodes: Mapping[str, NodeResult]
    error: str = ""
    """Why one of them failed; empty when all completed."""
    error_type: str = ""


class Engine(Protocol):
    """Runs lines of one flow. Lines may run concurrently and do not know each other."""

    async def run_line(self, inputs: Mapping[str, Any], line: Line) -> LineResult:
        """Take one line through the flow; a failing tool fails the line and never raises."""

    async def aclose(self) -> None:
        """Give back what the engine holds."""


class ReplayingEngine(Engine, Protocol):
    """An engine that can be given some nodes' outputs instead of computing them: the native one."""

    async def run_line(
        self, inputs: Mapping[str, Any], line: Line, *, given: Mapping[str, Any] | None = None
    ) -> LineResult:
        """Take one line through the flow; nodes in ``given`` are not run.

        Parameters
        ----------
        given : Mapping, optional
            Output by node, or the node's :class:`NodeResult` of an earlier line (a bypassed one stays bypassed).
            Activate conditions of these nodes are not looked at. Every other node runs. A name that is no node
            fails the line.
        """

    def node_inputs(
        self, node: str, inputs: Mapping[str, Any], given: Mapping[str, NodeResult]
    ) -> Mapping[str, Any] | None:
        """What a node would be run with, or None where it would be bypassed.

        Parameters
        ----------
        inputs : Mapping
            Of the line.
        given : Mapping
            What the nodes did that it takes something from.

        Raises
        ------
        Exception
            A reference into what is not there, or an input of the wrong type.
        """


class AggregatingEngine(Engine, Protocol):
    """An engine that runs a flow's aggregation nodes: the native one and prompt flow's."""

    async def aggregate(self, lines: Sequence[FinishedLine]) -> Aggregation:
        """Run the flow's aggregation nodes over lines that completed; a failing tool never raises."""


class EngineFactory(Protocol):
    """Loads a flow once, so that its lines need not."""

    def __call__(self, flow: FlowDefinition, *, node_timeout: float = NODE_TIMEOUT) -> Engine:
        """Prepare an engine for ``flow`` with its chosen variants.

        Parameters
        ----------
        node_timeout : float
            Seconds after which a node that has not ended fails its line.

        Raises
        ------
        DriftgateError
            The flow is not valid: a cycle, a missing file, a tool that cannot be imported.
        """


ENGINES: Registry[EngineFactory] = Registry("engine", "driftgate.flows.engines", "create")
