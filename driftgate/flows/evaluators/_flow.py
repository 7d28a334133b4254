"""A prompt flow of the workspace as an evaluator: its inputs are the evaluator's, its outputs are the metrics."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.engines import ENGINES, AggregatingEngine, Aggregation, FinishedLine
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.flex import flex_sources
from driftgate.flows.line import Line
from driftgate.flows.reach import asks_elsewhere

PREFIX = "flow"
_REFERENCE = re.compile(r"\$\{\s*(?:inputs|flow)\.([^.}\[\s]+)")
_NOTHING: Mapping[str, Any] = {"string": "", "list": [], "object": {}}
"""What an input that no aggregation node reads is kept as, by its declared type; others are small."""


class EvaluationFlowFailed(Exception):
    """The evaluation flow failed on a line; it costs the sample this evaluation."""


class FlowMetrics(dict[str, Any]):
    """The metrics of one line, with what the flow's aggregation nodes need of it; None where it has none."""

    line: FinishedLine | None = None


@dataclass(frozen=True)
class FlowEvaluator:
    """An evaluation flow; one line of it evaluates one sample, its aggregation nodes take all lines together."""

    flow: FlowDefinition

    @cached_property
    def _engine(self) -> AggregatingEngine:
        # They were written for prompt flow's own executor, which runs no prompty with connections of the workspace.
        name = "native" if self.flow.kind == "prompty" else "promptflow"
        return cast(AggregatingEngine, ENGINES.get(name)(self.flow))

    @cached_property
    def _read(self) -> frozenset[str]:
        """Inputs that the aggregation nodes refer to."""
        found = [_REFERENCE.findall(str(node)) for node in self.flow.resolved_nodes() if node.get("aggregation")]
        return frozenset(name for names in found for name in names)

    @property
    def aggregates(self) -> bool:
        """Whether it has aggregation nodes."""
        return self.flow.aggregates

    @property
    def asks(self) -> bool:
        """Whether a line of it may ask a service."""
        return bool(asks_elsewhere(self.flow))

    def content_hash(self) -> str:
        """Hash of every file in the flow's folder and of what it includes, or of a prompty: 12 hexadecimal digits."""
        if self.flow.kind == "prompty":  # beside which others may lie
            return self.flow.content_hash()
        digest = hashlib.sha256(self.flow.content_hash().encode())
        for file in flex_sources(self.flow.folder):
            inside = file.relative_to(self.flow.folder).as_posix()
            digest.update(f"{inside}:{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()[:12]

    def open(self) -> None:
        """Load the flow.

        Raises
        ------
        DriftgateError
            Prompt flow refuses it.
        """
        assert self._engine is not None

    async def __call__(self, **inputs: Any) -> Mapping[str, Any]:
        """Run one line; the flow's outputs are the metrics.

        Raises
        ------
        EvaluationFlowFailed
            A node failed.
        """
        result = await self._engine.run_line(inputs, Line({}))
        if result.output is None:
            raise EvaluationFlowFailed(result.error)
        metrics = FlowMetrics({name: _number(value) for name, value in result.output.items()})
        if self.aggregates:
            kept = {name: self._kept(name, value) for name, value in inputs.items()}
            metrics.line = FinishedLine(kept, result.aggregated)
        return metrics

    async def aggregate(self, lines: Sequence[FinishedLine]) -> Aggregation:
        """Run the aggregation nodes over the lines that completed; a failing tool never raises."""
        return await self._engine.aggregate(lines)

    def _kept(self, name: str, value: Any) -> Any:
        # Prompt flow checks that all inputs are there; what no aggregation node reads need not be kept with its text.
        declared = (self.flow.dag.get("inputs") or {}).get(name)
        kind = declared.get("type") if isinstance(declared, dict) else None
        return value if name in self._read else _NOTHING.get(str(kind), value)


def make_flow(path: str, context: EvaluatorContext, settings: Mapping[str, Any]) -> FlowEvaluator:
    """The evaluator of a flow's folder in the workspace.

    Parameters
    ----------
    settings : Mapping
        What the class of a flex flow is made with.

    Raises
    ------
    DriftgateError
        There is no such flow, it lies outside the workspace, it is given settings that it does not take, or one of its
        llm nodes has no connection that the workspace defines.
    """
    flow = load_flow(path, context.folder, context.connections)
    told = next((name for name in ("judge", "model_config") if name in settings), "")
    if told and told not in (flow.dag.get("makes") or ()):
        raise DriftgateError(
            f"the evaluation flow '{flow.name}' is given a {told} by its settings, and takes none: what a flow asks "
            "has no pin, no deadline and no price",
            "name a connection of the workspace in its node; or bind a class or function that takes model_config "
            "(evaluator: module:name) with settings: {judge: NAME}",
        )
    if told == "judge" and settings[told] in context.models:
        raise DriftgateError(
            f"the evaluation flow '{flow.name}' is given the judge '{settings[told]}' by its settings, and what a flow "
            "asks has no pin, no deadline and no price",
            "bind its class (evaluator: module:name) with the same settings: it is then asked as every judge is",
        )
    if settings and flow.kind != "flex":
        raise DriftgateError("an evaluation flow has no settings", "give its inputs under inputs")
    if settings:
        flow = flow.with_init(settings)
    flow.check_connections()
    for node in flow.resolved_nodes():
        if node.get("type") == "llm" and not flow.connection_of(node):
            raise DriftgateError(
                f"the evaluation flow '{flow.name}' has an llm node '{node['name']}' that names no connection, and a "
                "model under test is not to grade itself",
                "name a connection of the workspace in it",
            )
    return FlowEvaluator(flow)


def _number(value: Any) -> Any:
    # Prompt flow's evaluation templates write grades as text: "1", "4.0".
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
