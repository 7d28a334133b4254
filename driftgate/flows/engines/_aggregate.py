"""Aggregation nodes: run once, over all lines that completed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from typing import Any

from driftgate.flows.engines._connections import connections_seen
from driftgate.flows.engines._engine import Aggregation, FinishedLine
from driftgate.flows.engines._inputs import LineInputs
from driftgate.flows.engines._promptflow import described
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._tools import Workshop
from driftgate.flows.flex import AGGREGATE
from driftgate.flows.foreign import is_its_own

_METRICS: ContextVar[dict[str, Any] | None] = ContextVar("driftgate_metrics", default=None)


def transposed(flow: Any, lines: Sequence[FinishedLine]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """The lines' inputs, and what the aggregation nodes refer to, each as one list by name or reference.

    Parameters
    ----------
    flow : promptflow.contracts.flow.Flow
        The resolved flow.
    """
    from promptflow.executor._input_assignment_parser import parse_value

    read = LineInputs(flow)
    inputs = [read(line.inputs) for line in lines]

    def taken(text: str, one: Any, line: FinishedLine) -> Any:
        return line.outputs[text] if text in line.outputs else parse_value(one, line.outputs, {})

    return (
        {name: [values[name] for values in inputs] for name in flow.inputs},
        {text: [taken(text, one, line) for line in lines] for text, one in references_of(flow)},
    )


def references_of(flow: Any) -> list[tuple[str, Any]]:
    """What aggregation nodes take of a line: each reference as it is written, and as prompt flow reads it."""
    if not any(node.aggregation for node in flow.nodes):
        return []
    from promptflow._utils.execution_utils import get_aggregation_inputs_properties
    from promptflow.contracts.flow import InputAssignment

    return [(text, InputAssignment.deserialize(text)) for text in sorted(get_aggregation_inputs_properties(flow))]


def taken_of_line(references: Sequence[tuple[str, Any]], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What aggregation nodes take of a line with these outputs by node."""
    if not references:
        return {}
    from promptflow.executor._input_assignment_parser import parse_value

    return {text: parse_value(one, outputs, {}) for text, one in references}


def over_all_lines(flow: Any) -> list[Any]:
    """The aggregation nodes, with their references to other nodes as inputs that are given.

    Their names are the references as they are written, so that :func:`transposed` gives their values.
    """
    nodes = []
    for node in flow.nodes:
        if node.aggregation:  # prompt flow has read it: a flow that has such a node is not read without it
            from promptflow.contracts.flow import InputAssignment, InputValueType

            node = copy(node)
            node.inputs = {
                name: InputAssignment(one.serialize(), InputValueType.FLOW_INPUT)
                if one.value_type is InputValueType.NODE_REFERENCE and flow.is_normal_node(one.value)
                else one
                for name, one in node.inputs.items()
            }
            nodes.append(node)
    return nodes


@contextmanager
def logged_metrics() -> Iterator[dict[str, Any]]:
    """What tools give to prompt flow's ``log_metric`` in the body of a ``with``, and in its tasks and threads."""
    from promptflow._core.metric_logger import add_metric_logger

    add_metric_logger(_log)  # once: it knows its loggers
    metrics: dict[str, Any] = {}
    token = _METRICS.set(metrics)
    try:
        yield metrics
    finally:
        _METRICS.reset(token)


async def aggregate_returned(resolved: Resolved, workshop: Workshop, lines: Sequence[FinishedLine]) -> Aggregation:
    """Give what the lines returned to a flex flow's ``__aggregate__``; the metrics are what it returns and logs."""
    assert resolved.aggregate is not None
    aggregate = workshop.awaitable(AGGREGATE, resolved.aggregate)
    with logged_metrics() as metrics, connections_seen(resolved.connections):
        try:
            made = await aggregate(returned=[_as_prompt_flow_gives(line.outputs[resolved.result]) for line in lines])
        except BaseException as problem:
            if not is_its_own(problem):
                raise
            return Aggregation(metrics, {}, *described(problem))
    return Aggregation({**metrics, **(made if isinstance(made, dict) else {})}, {})


def _as_prompt_flow_gives(returned: Any) -> Any:
    """What a line returned; a mapping's items are attributes as well."""
    from promptflow._utils.utils import AttrDict

    return AttrDict(returned) if isinstance(returned, dict) else returned


def _log(key: str, value: Any) -> None:
    metrics = _METRICS.get()
    if metrics is not None:
        metrics[key] = value


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are numbers; prompt flow logs whatever a tool gives it.

    Examples
    --------
    >>> numbers({"accuracy": 0.5, "n": 3, "note": "x", "flag": True})
    {'accuracy': 0.5, 'n': 3.0, 'flag': 1.0}
    """
    return {str(key): float(value) for key, value in metrics.items() if isinstance(value, (int, float))}
