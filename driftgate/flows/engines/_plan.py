"""A flow compiled once: which node waits for which, and where each of its inputs comes from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from driftgate.flows.errors import DriftgateError

_PROPERTY = re.compile(r"(\w+)|(\['.*?'\])|(\[\d+\])")
"""Source: prompt flow's ``_input_assignment_parser.property_pattern``."""
Path = tuple[tuple[bool, str | int], ...]
"""Steps into a node's output: whether the step is an index (else a name: a key or an attribute), and the step."""


@dataclass(frozen=True, slots=True)
class FromNode:
    """An input taken from a node's output."""

    name: str
    node: int
    source: str
    """The node's name."""
    property: str
    """The part of the output as the flow writes it."""
    path: Path
    omitted: bool
    """Where the node was bypassed the tool's own default is used, else None."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a node is run at all."""

    reference: FromNode | str | None
    """A node's output, or the name of a flow input; None for a literal."""
    literal: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One node, ready to be run."""

    place: int
    name: str
    render: Callable[..., Any] | None
    """Set where the node is done at once on the event loop: a template."""
    call: Callable[..., Awaitable[Any]] | None
    """Set for every other node."""
    constants: Mapping[str, Any]
    from_inputs: tuple[tuple[str, str], ...]
    """Parameter and flow input."""
    from_nodes: tuple[FromNode, ...]
    condition: Condition | None
    waits_for: int
    dependents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The nodes of a flow in an order in which they could run."""

    steps: tuple[Step, ...]
    roots: tuple[int, ...]
    waiting: tuple[int, ...]
    """For each step the number of nodes it waits for."""
    parallel: bool
    """Two nodes that take time may be under way at once."""


def compile_plan(nodes: Sequence[Any], tools: Mapping[str, Callable[..., Any]], templates: Mapping[str, Any]) -> Plan:
    """Compile resolved nodes.

    Parameters
    ----------
    nodes : sequence of promptflow.contracts.flow.Node or driftgate.flows.engines._dag.Node
        In topological order. References to nodes that are not among them are an error of the caller.
    tools : Mapping
        Awaitable tool by node.
    templates : Mapping
        Renderer by node, for the nodes that have no tool.
    """
    places = {node.name: place for place, node in enumerate(nodes)}
    sources = [sorted({places[name] for name in _references(node)}) for node in nodes]
    steps = tuple(
        _step(node, place, places, tools.get(node.name), templates.get(node.name), sources)
        for place, node in enumerate(nodes)
    )
    return Plan(
        steps=steps,
        roots=tuple(step.place for step in steps if not step.waits_for),
        waiting=tuple(step.waits_for for step in steps),
        parallel=_parallel(steps, sources),
    )


def _references(node: Any) -> list[str]:
    assignments = [*node.inputs.values(), *([node.activate.condition] if node.activate else [])]
    return [a.value for a in assignments if a.value_type.value == "NodeReference"]


def _step(
    node: Any,
    place: int,
    places: Mapping[str, int],
    call: Callable[..., Awaitable[Any]] | None,
    render: Callable[..., Any] | None,
    sources: Sequence[Sequence[int]],
) -> Step:
    parameters = inspect.signature(call).parameters if call is not None else {}
    constants: dict[str, Any] = {}
    from_inputs: list[tuple[str, str]] = []
    from_nodes: list[FromNode] = []
    for name, assignment in node.inputs.items():
        kind = assignment.value_type.value
        if kind == "Literal":
            constants[name] = assignment.value
        elif kind == "FlowInput":
            from_inputs.append((name, assignment.value))
        else:
            default = parameters[name].default if name in parameters else inspect.Parameter.empty
            from_nodes.append(_from_node(name, assignment, places, default is not inspect.Parameter.empty))
    return Step(
        place=place,
        name=node.name,
        render=render,
        call=call,
        constants=constants,
        from_inputs=tuple(from_inputs),
        from_nodes=tuple(from_nodes),
        condition=_condition(node.activate, places),
        waits_for=len(sources[place]),
        dependents=tuple(other for other, needed in enumerate(sources) if place in needed),
    )


def _from_node(name: str, assignment: Any, places: Mapping[str, int], omitted: bool) -> FromNode:
    if assignment.section != "output":
        raise DriftgateError(
            f"the reference to node '{assignment.value}' asks for its '{assignment.section}'",
            f"write ${{{assignment.value}.output}}",
        )
    path = parse_path(assignment.property)
    return FromNode(name, places[assignment.value], assignment.value, assignment.property, path, omitted)


def _condition(activate: Any, places: Mapping[str, int]) -> Condition | None:
    if not activate:
        return None
    when = activate.condition
    kind = when.value_type.value
    reference = (
        _from_node("when", when, places, False)
        if kind == "NodeReference"
        else when.value
        if kind == "FlowInput"
        else None
    )
    return Condition(reference, when.value if kind == "Literal" else None, activate.condition_value)


def parse_path(property_: str) -> Path:
    """Read what follows ``output`` in a reference, in prompt flow's grammar.

    Examples
    --------
    >>> parse_path("a.b[0]['c d']")
    ((False, 'a'), (False, 'b'), (True, 0), (True, 'c d'))
    """
    path: list[tuple[bool, str | int]] = []
    for groups in _PROPERTY.findall(property_):
        step = next(filter(None, groups))
        if not step.startswith("["):
            path.append((False, step))
        elif step[1:-1].isdigit():
            path.append((True, int(step[1:-1])))
        else:
            path.append((True, step[2:-2]))
    return tuple(path)


def follow(source: FromNode, output: Any) -> Any:
    """The part of a node's output that a reference asks for.

    Raises
    ------
    InvalidReferenceProperty
        The output has no such part.
    """
    value = output
    try:
        for indexed, step in source.path:
            value = value[step] if indexed or isinstance(value, dict) else getattr(value, str(step))
    except (KeyError, IndexError, AttributeError) as problem:
        raise InvalidReferenceProperty(source) from problem
    return value


class InvalidReferenceProperty(Exception):
    """A node's output has no such part; prompt flow's name and words for it."""

    def __init__(self, source: FromNode) -> None:
        super().__init__(
            f"Flow execution failed. Invalid property '{source.property}' when accessing the node '{source.source}'. "
            "Please check the property and try again."
        )


def _parallel(steps: Sequence[Step], sources: Sequence[Sequence[int]]) -> bool:
    """Whether some two nodes that take time have no order between them."""
    before: list[set[int]] = []
    for needed in sources:
        before.append(set(needed).union(*(before[place] for place in needed)))
    slow = [step.place for step in steps if step.call is not None]
    return any(first not in before[second] for index, first in enumerate(slow) for second in slow[index + 1 :])


def compile_outputs(flow: Any, places: Mapping[str, int]) -> list[tuple[str, Callable[..., Any]]]:
    """For each output of the flow a function of the line's inputs and its nodes' outputs, by place."""
    found: list[tuple[str, Callable[..., Any]]] = []
    for name, output in flow.outputs.items():
        reference = output.reference
        kind = reference.value_type.value
        if kind == "Literal":
            found.append((name, partial(_literal, reference.value)))
        elif kind == "FlowInput":
            found.append((name, partial(_input, reference.value)))
        else:
            found.append((name, partial(_node, _from_node(name, reference, places, False))))
    return found


def _literal(value: Any, inputs: Mapping[str, Any], outputs: Sequence[Any]) -> Any:
    return value


def _input(name: str, inputs: Mapping[str, Any], outputs: Sequence[Any]) -> Any:
    return inputs[name]


def _node(source: FromNode, inputs: Mapping[str, Any], outputs: Sequence[Any]) -> Any:
    return follow(source, outputs[source.node])
