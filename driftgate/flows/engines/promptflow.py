"""Prompt flow's own executor, created once per flow and reused for every line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, Literal
from uuid import uuid4

from driftgate.flows import foreign
from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._aggregate import aggregate_returned, transposed
from driftgate.flows.engines._connections import connections_seen
from driftgate.flows.engines._engine import NODE_TIMEOUT, Aggregation, FinishedLine, LineResult, NodeResult
from driftgate.flows.engines._place import in_a_thread
from driftgate.flows.engines._plain import as_mapping, named_outputs, storable
from driftgate.flows.engines._promptflow import described, one_line
from driftgate.flows.engines._resolve import resolve_flow
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._templates import renderer
from driftgate.flows.engines._threads import ToolThreads
from driftgate.flows.engines._tools import Workshop
from driftgate.flows.engines._watch import NodeWatch
from driftgate.flows.errors import DriftgateError
from driftgate.flows.flex import NODE
from driftgate.flows.line import Line, enter_line
from driftgate.flows.tracing import flow_span, node_span
from driftgate.flows.turns import Prompt

_LONGEST_ABORT = 10.0
"""Seconds a cancelled line may take to end; a tool that blocks its thread is left behind."""
_STATUS: Mapping[str, Literal["completed", "failed", "bypassed"]] = {
    "Completed": "completed",
    "Failed": "failed",
    "Bypassed": "bypassed",
}


@dataclass
class PromptflowEngine:
    """Runs lines with ``FlowExecutor.exec_line_async``."""

    name: str
    executor: Any
    run_id: str
    workshop: Workshop
    resolved: Resolved
    read_inputs: Callable[[Mapping[str, Any]], dict[str, Any]]
    lines: int = 0

    async def run_line(self, inputs: Mapping[str, Any], line: Line) -> LineResult:
        """Take one line through the flow; see :class:`driftgate.flows.engines.Engine`."""
        enter_line(line)
        line.given(inputs)
        self.lines += 1
        try:
            values = self.read_inputs(inputs)  # in prompt flow's words, but without the number of the line
        except Exception as problem:
            return LineResult(None, {}, one_line(str(problem)), type(problem).__name__)
        task = asyncio.ensure_future(self._in_a_span(values, self.lines, line.sample_id))
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            # Prompt flow's task is not cancelled: the line's model calls are, and the line then fails of itself.
            line.abort()
            await asyncio.wait([task], timeout=_LONGEST_ABORT)
            raise
        except Exception as problem:  # a tool may raise anything, and it concerns this line alone
            return LineResult(None, {}, *described(problem))
        infos = result.node_run_infos.items()
        nodes = {name: _node_result(name, info) for name, info in infos if info.status.value in _STATUS}
        # Prompt flow adds the number of the line to what the flow declares.
        given = result.output
        given = {k: v for k, v in given.items() if k != "line_number"} if isinstance(given, dict) else given
        if node := self.resolved.result:  # a flex flow has no nodes in prompt flow
            done = _node_result(node, result.run_info)
            if done.error_type == "FlowOutputUnserializable":  # not what the entry did, but what became of it
                done = replace(done, status="completed", error="", error_type="")
            kept = storable(as_mapping(given)) if done.status == "completed" else None
            nodes = {node: replace(done, output=kept)}
        if result.run_info.status.value == "Completed":
            aggregated = result.aggregation_inputs or {}
            if self.resolved.aggregate is not None:
                aggregated = {self.resolved.result: given}
            return LineResult(named_outputs(given), nodes, aggregated=aggregated)
        return LineResult(None, nodes, *_reason(result.run_info.error))

    async def _in_a_span(self, values: Mapping[str, Any], index: int, sample_id: str) -> Any:
        with flow_span(self.name, sample_id), connections_seen(self.resolved.connections):
            return await self.executor.exec_line_async(values, index=index, run_id=self.run_id)

    async def aggregate(self, lines: Sequence[FinishedLine]) -> Aggregation:
        """Run the aggregation nodes; see :class:`driftgate.flows.engines.AggregatingEngine`."""
        if self.resolved.aggregate is not None:
            return await aggregate_returned(self.resolved, self.workshop, lines)
        try:
            inputs, references = transposed(self.executor._flow, lines)
            done = await self.workshop.threads.run(partial(self._aggregated, inputs, references))
        except Exception as problem:
            kind = type(problem).__name__
            return Aggregation({}, {}, one_line(str(problem)) or kind, kind)
        nodes = {name: _node_result(name, info) for name, info in done.node_run_infos.items()}
        failed = next((node for node in nodes.values() if node.status == "failed"), None)
        return Aggregation(done.metrics, nodes, failed.error if failed else "", failed.error_type if failed else "")

    def _aggregated(self, inputs: Mapping[str, Any], references: Mapping[str, Any]) -> Any:
        with in_a_thread(self.workshop.folder), connections_seen(self.resolved.connections):
            return self.executor.exec_aggregation(inputs, references)

    async def aclose(self) -> None:
        """End the idle threads and what the flow needed from outside."""
        self.workshop.threads.close()
        self.resolved.scope.close()


def create(flow: FlowDefinition, *, node_timeout: float = NODE_TIMEOUT) -> PromptflowEngine:
    """Load, validate and resolve ``flow`` with its chosen variants.

    Raises
    ------
    DriftgateError
        Prompt flow refuses the flow; its reason is given.
    """
    if flow.kind == "prompty":
        raise DriftgateError(
            f"the flow '{flow.name}' is a prompty, and prompt flow's executor cannot ask a model of the workspace",
            "set engine: native",
        )
    resolved = resolve_flow(flow)
    executor = resolved.executor
    from promptflow.executor._async_nodes_scheduler import AsyncNodesScheduler

    AsyncNodesScheduler.cancel = _go_on_living
    workshop = Workshop(ToolThreads(), NodeWatch(node_timeout), resolved.folder if flow.workspace else None)
    if flow.kind == "flex":
        executor._func_async = _guarded(NODE, resolved.tool(NODE), workshop)
    for node in resolved.flow.nodes if flow.kind == "dag" else ():
        if node.aggregation:
            continue
        if node.name in resolved.asks:
            executor._tools_manager.load_tools({node.name: resolved.asks[node.name]})
        if node.type.value == "prompt" and node.name not in resolved.asks:
            executor._tools_manager.wrap_tool(node.name, partial(_on_the_loop, node.name))
        else:
            executor._tools_manager.wrap_tool(node.name, partial(_guarded, node.name, workshop=workshop))
    return PromptflowEngine(
        flow.name, executor, f"driftgate-{uuid4().hex[:12]}", workshop, resolved, resolved.read_inputs
    )


def _on_the_loop(node: str, tool: Callable[..., str]) -> Callable[..., Awaitable[str]]:
    """Render on the event loop: prompt flow starts a thread for every line's template, and waits until it runs."""

    template = renderer(tool)

    @wraps(tool.func if isinstance(tool, partial) else tool)
    async def render(**inputs: Any) -> str:
        with node_span(node):
            return template(**inputs)

    return render


class ToolEnded(Exception):
    """A tool called ``sys.exit``, or raised what asyncio takes for the end of the task or of the process."""


def _guarded(node: str, tool: Callable[..., Any], workshop: Workshop) -> Callable[..., Awaitable[Any]]:
    """As :meth:`Workshop.awaitable`, for a task of prompt flow's, out of which such an exception would end the loop."""
    run = workshop.awaitable(node, tool)

    @wraps(run)
    async def call(**inputs: Any) -> Any:
        try:
            return await run(**inputs)
        except Exception:
            raise
        except BaseException as ended:
            if not foreign.is_its_own(ended):
                raise
            raise ToolEnded(foreign.described(ended)) from ended

    return call


async def _go_on_living(scheduler: Any) -> None:
    """In place of prompt flow's own answer to a cancelled line: a thread that ends the whole process, with exit 0."""


def _node_result(name: str, info: Any) -> NodeResult:
    seconds = (info.end_time - info.start_time).total_seconds() if info.end_time and info.start_time else 0.0
    error, kind = _reason(info.error) if info.error else ("", "")
    output = str(info.output) if isinstance(info.output, Prompt) else info.output
    return NodeResult(name, _STATUS[info.status.value], output, seconds, error, kind)


def _reason(error: Mapping[str, Any] | None) -> tuple[str, str]:
    """The innermost message of prompt flow's nested error description, and the class of the exception."""
    error = error or {}
    inner = (error.get("additionalInfo") or [{}])[0].get("info") or {}
    code: Mapping[str, Any] = error
    while code.get("innerError"):
        code = code["innerError"]
    kind = str(inner.get("type") or code.get("code") or "")
    message = inner.get("message", error.get("message", "the line failed"))
    return one_line(str(message)) or kind, kind
