"""A prompt flow of the workspace as an evaluator: its inputs are the evaluator's, its outputs are the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flows.definition import FlowDefinition, load_flow
from flows.engines import ENGINES, Engine
from flows.errors import DriftgateError
from flows.evaluators._context import EvaluatorContext
from flows.line import Line

PREFIX = "flow"
_ENGINE = "promptflow"
"""Evaluation flows were written for prompt flow's own executor."""


class EvaluationFlowFailed(Exception):
    """The evaluation flow failed on a line; it costs the sample this evaluation."""


@dataclass(frozen=True)
class FlowEvaluator:
    """An evaluation flow; one line of it evaluates one sample. Its aggregation nodes are not run."""

    flow: FlowDefinition

    @cached_property
    def _engine(self) -> Engine:
        return ENGINES.get(_ENGINE)(self.flow)

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
        return {name: _number(value) for name, value in result.output.items()}


def make_flow(path: str, context: EvaluatorContext, settings: Mapping[str, Any]) -> FlowEvaluator:
    """The evaluator of a flow's folder in the workspace.

    Raises
    ------
    DriftgateError
        There is no such flow, it lies outside the workspace, or settings were given, which a flow has none of.
    """
    if settings:
        raise DriftgateError("an evaluation flow has no settings", "give its inputs under inputs")
    return FlowEvaluator(load_flow(path, context.folder))


def _number(value: Any) -> Any:
    # Prompt flow's evaluation templates write grades as text: "1", "4.0".
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
