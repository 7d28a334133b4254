"""The plan of a flow scheduled on the event loop: no thread for an async tool, no task for a node without a rival.

A flow of templates and of our own tools is read directly; prompt flow loads, validates and resolves any other. What is
left to do for a line is to hand each node its inputs, in the order of the plan that was compiled once. The rules are
prompt flow's own (its ``DAGManager`` and ``FlowExecutor``); ``tests/flows/conformance`` holds both engines to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._aggregate import (
    aggregate_returned,
    logged_metrics,
    over_all_lines,
    references_of,
    taken_of_line,
    transposed,
)
from driftgate.flows.engines._connections import connections_seen
from driftgate.flows.engines._direct import Unfit, explained, read_directly
from driftgate.flows.engines._engine import NODE_TIMEOUT, Aggregation, FinishedLine, LineResult, NodeResult
from driftgate.flows.engines._plain import as_mapping, named_outputs, plain_output, storable
from driftgate.flows.engines._plan import Plan, Step, compile_outputs, compile_plan, follow
from driftgate.flows.engines._promptflow import described
from driftgate.flows.engines._resolve import resolve_flow
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._templates import renderer
from driftgate.flows.engines._threads import ToolThreads
from driftgate.flows.engines._tools import Workshop
from driftgate.flows.engines._watch import NodeWatch
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extras import installed
from driftgate.flows.foreign import is_its_own, own_copy
from driftgate.flows.line import Line, entered
from driftgate.flows.tracing import flow_span, node_span


@dataclass
class NativeEngine:
    """Runs lines over a compiled plan; see :class:`driftgate.flows.engines.ReplayingEngine`."""

    name: str
    plan: Plan
    read_inputs: Callable[[Mapping[str, Any]], dict[str, Any]]
    outputs: Sequence[tuple[str, Callable[..., Any]]]
    workshop: Workshop
    resolved: Resolved
    aggregation: Plan
    references: Sequence[tuple[str, Any]] = ()
    """What the aggregation nodes take of a line."""

    async def run_line(
        self, inputs: Mapping[str, Any], line: Line, *, given: Mapping[str, Any] | None = None
    ) -> LineResult:
        """Take one line through the flow; see :class:`driftgate.flows.engines.ReplayingEngine`."""
        results: dict[str, NodeResult] = {}
        line.given(inputs)
        try:
            with entered(line), flow_span(self.name, line.sample_id), connections_seen(self.resolved.connections):
                values = self.read_inputs(inputs)
                run = _Run(self.plan, values, results, given or {}, self.resolved.result)
                await run.all()
                output = self._output(values, run.outputs)
                aggregated = self._aggregated(run.outputs)
        except _NodeFailed as failed:
            return LineResult(None, results, failed.reason, failed.kind)
        except Exception as problem:  # a reference into what is not there, an input of the wrong type
            return LineResult(None, results, *described(problem))
        return LineResult(output, results, aggregated=aggregated)

    def _aggregated(self, given: list[Any]) -> Mapping[str, Any]:
        if self.resolved.aggregate is not None:
            return {self.resolved.result: given[self._result]}
        if not self.references:
            return {}
        return taken_of_line(self.references, dict(zip((step.name for step in self.plan.steps), given, strict=True)))

    @cached_property
    def _result(self) -> int:
        return next(step.place for step in self.plan.steps if step.name == self.resolved.result)

    def _output(self, values: Mapping[str, Any], given: list[Any]) -> dict[str, Any]:
        if self.resolved.result:
            taken = named_outputs(given[self._result])
        else:
            taken = {name: take(values, given) for name, take in self.outputs}
        return {name: plain_output(name, value) for name, value in taken.items()}

    def node_inputs(
        self, node: str, inputs: Mapping[str, Any], given: Mapping[str, NodeResult]
    ) -> Mapping[str, Any] | None:
        """What a node would be run with; see :class:`driftgate.flows.engines.ReplayingEngine`."""
        run = _Run(self.plan, self.read_inputs(inputs), {}, {})
        for step in self.plan.steps:
            if (result := given.get(step.name)) is not None:
                run.state[step.place] = _BYPASSED if result.status == "bypassed" else result.output
        step = next(step for step in self.plan.steps if step.name == node)
        return None if run._bypassed(step) else run._inputs_of(step)

    async def aggregate(self, lines: Sequence[FinishedLine]) -> Aggregation:
        """Run the aggregation nodes; see :class:`driftgate.flows.engines.AggregatingEngine`."""
        if self.resolved.aggregate is not None:
            return await aggregate_returned(self.resolved, self.workshop, lines)
        results: dict[str, NodeResult] = {}
        with logged_metrics() as metrics, connections_seen(self.resolved.connections):
            try:
                inputs, references = transposed(self.resolved.flow, lines)
                await _Run(self.aggregation, {**inputs, **references}, results, {}).all()
            except _NodeFailed as failed:
                return Aggregation(metrics, results, failed.reason, failed.kind)
            except Exception as problem:
                return Aggregation(metrics, results, *described(problem))
        return Aggregation(metrics, results)

    async def aclose(self) -> None:
        """End the idle threads and what the flow needed from outside."""
        self.workshop.threads.close()
        self.resolved.scope.close()


def create(flow: FlowDefinition, *, node_timeout: float = NODE_TIMEOUT) -> NativeEngine:
    """Load, validate, resolve and compile ``flow`` with its chosen variants.

    Raises
    ------
    DriftgateError
        Prompt flow refuses the flow, whose reason is given, or is needed and not installed.
    """
    resolved = _resolved(flow)
    workshop = Workshop(ToolThreads(), NodeWatch(node_timeout), resolved.folder if flow.workspace else None)
    nodes = resolved.flow.nodes
    templates = {
        node.name: renderer(resolved.tool(node.name))
        for node in nodes
        if node.type.value == "prompt" and node.name not in resolved.asks
    }
    calls = {
        node.name: workshop.awaitable(node.name, resolved.tool(node.name))
        for node in nodes
        if node.name not in templates
    }
    plan = compile_plan([node for node in nodes if not node.aggregation], calls, templates)
    aggregation = compile_plan(over_all_lines(resolved.flow), calls, templates)
    places = {step.name: step.place for step in plan.steps}
    outputs = compile_outputs(resolved.flow, places)
    references = references_of(resolved.flow)
    return NativeEngine(flow.name, plan, resolved.read_inputs, outputs, workshop, resolved, aggregation, references)


def _resolved(flow: FlowDefinition) -> Resolved:
    if flow.kind == "dag":
        try:
            return read_directly(flow)
        except Unfit as unfit:
            if not installed("promptflow"):
                raise explained(flow, unfit) from unfit
    return resolve_flow(flow)


class _NodeFailed(Exception):
    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


_NOT_YET = object()
_BYPASSED = object()


@dataclass(slots=True)
class _Run:
    """One line under way."""

    plan: Plan
    inputs: Mapping[str, Any]
    results: dict[str, NodeResult]
    given: Mapping[str, Any]
    result: str = ""
    """The node that gives all outputs, of a dataclass its fields."""
    state: list[Any] = field(init=False)
    """By node: its output, or that it was bypassed or not reached."""
    waiting: list[int] = field(init=False)
    group: asyncio.TaskGroup | None = None

    def __post_init__(self) -> None:
        self.state = [_NOT_YET] * len(self.plan.steps)
        self.waiting = list(self.plan.waiting)
        if self.given and (unknown := set(self.given) - {step.name for step in self.plan.steps}):
            name = min(unknown)
            raise DriftgateError(f"the flow has no node '{name}'", nearest(name, [s.name for s in self.plan.steps]))

    @property
    def outputs(self) -> list[Any]:
        """By node: its output; None where it was bypassed."""
        return [None if value is _BYPASSED else value for value in self.state]

    async def all(self) -> None:
        """Run every node, or raise what failed the line, with nothing left under way."""
        if not self.plan.parallel:
            await self._strand(self.plan.roots)
            return
        try:
            async with asyncio.TaskGroup() as self.group:
                await self._strand(self.plan.roots)
        except BaseExceptionGroup as problems:
            raise _first(problems) from None

    async def _strand(self, ready: Sequence[int]) -> None:
        """Run these nodes and what becomes ready after them: one in this task, its rivals in tasks of their own."""
        steps = self.plan.steps
        while ready:
            slow: list[Step] = []
            now = list(ready)
            while now:
                step = steps[now.pop(0)]
                if self._at_once(step):
                    now += self._freed(step)
                else:
                    slow.append(step)
            for rival in slow[1:]:
                assert self.group is not None  # the plan says which flows have rivals
                self.group.create_task(self._begin(rival))
            if not slow:
                return
            await self._call(slow[0])
            ready = self._freed(slow[0])

    async def _begin(self, step: Step) -> None:
        await self._call(step)
        await self._strand(self._freed(step))

    def _freed(self, step: Step) -> list[int]:
        freed = []
        for place in step.dependents:
            self.waiting[place] -= 1
            if not self.waiting[place]:
                freed.append(place)
        return freed

    def _at_once(self, step: Step) -> bool:
        """Do what needs no waiting: a given node, one that is bypassed, a template."""
        if step.name in self.given:
            result = self.given[step.name]
            if not isinstance(result, NodeResult):
                result = NodeResult(step.name, "completed", result, 0.0)
            self.results[step.name] = result
            bypassed = result.status == "bypassed"
            self.state[step.place] = _BYPASSED if bypassed else self._rendered_again(step, own_copy(result.output))
            return True
        if self._bypassed(step):
            self.results[step.name] = NodeResult(step.name, "bypassed", None, 0.0)
            self.state[step.place] = _BYPASSED
            return True
        if step.render is None:
            return False
        inputs = self._inputs_of(step)
        began = perf_counter()
        try:
            with node_span(step.name):
                output = step.render(**inputs)
        except Exception as problem:
            raise self._failed(step, problem, began) from problem
        self._completed(step, output, began)
        return True

    async def _call(self, step: Step) -> None:
        assert step.call is not None
        inputs = self._inputs_of(step)
        began = perf_counter()
        try:
            output = await step.call(**inputs)
        except BaseException as problem:
            if not is_its_own(problem):
                raise
            raise self._failed(step, problem, began) from problem
        self._completed(step, output, began)

    def _completed(self, step: Step, output: Any, began: float) -> None:
        self.state[step.place] = output
        kept = own_copy(storable(as_mapping(output) if step.name == self.result else output))
        self.results[step.name] = NodeResult(step.name, "completed", kept, perf_counter() - began)

    def _rendered_again(self, step: Step, text: Any) -> Any:
        """A prompt that was stored as a text, with its parts known again where it is rendered alike."""
        if step.render is None or type(text) is not str:
            return text
        try:
            prompt = step.render(**self._inputs_of(step))
        except Exception:  # of another configuration, or of a line that went otherwise
            return text
        return prompt if prompt == text else text

    def _failed(self, step: Step, problem: BaseException, began: float) -> _NodeFailed:
        reason, kind = described(problem)
        self.results[step.name] = NodeResult(step.name, "failed", None, perf_counter() - began, reason, kind)
        return _NodeFailed(reason, kind)

    def _inputs_of(self, step: Step) -> dict[str, Any]:
        inputs = dict(step.constants)
        for name, flow_input in step.from_inputs:
            if flow_input in self.inputs:  # a flex flow's entry itself says what it misses
                inputs[name] = self.inputs[flow_input]
        for source in step.from_nodes:
            output = self.state[source.node]
            if output is not _BYPASSED:
                inputs[source.name] = follow(source, output) if source.path else output
            elif not source.omitted:
                inputs[source.name] = None
        return inputs

    def _bypassed(self, step: Step) -> bool:
        condition = step.condition
        if condition is None:
            # A node all of whose sources are bypassed is bypassed; one with an activate condition is not.
            return bool(step.from_nodes) and all(self.state[source.node] is _BYPASSED for source in step.from_nodes)
        reference = condition.reference
        if reference is None:
            found = condition.literal
        elif isinstance(reference, str):
            found = self.inputs[reference]
        else:
            output = self.state[reference.node]
            if output is _BYPASSED:
                return True
            found = follow(reference, output)
        return bool(found != condition.value)


def _first(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    problem = problems.exceptions[0]
    return _first(problem) if isinstance(problem, BaseExceptionGroup) else problem
