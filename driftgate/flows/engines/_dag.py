"""A DAG flow's file in values: prompt flow's contracts, as far as templates and Python tools need them.

The names are those of :mod:`promptflow.contracts.flow`, so that a plan is compiled alike from either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Origin(Enum):
    """Where an input comes from."""

    LITERAL = "Literal"
    FLOW_INPUT = "FlowInput"
    NODE_REFERENCE = "NodeReference"


class NodeType(Enum):
    """What a node is."""

    PYTHON = "python"
    PROMPT = "prompt"


class ValueType(Enum):
    """What a flow's input or a tool's parameter is."""

    INT = "int"
    DOUBLE = "double"
    BOOL = "bool"
    STRING = "string"
    LIST = "list"
    OBJECT = "object"

    @classmethod
    def of(cls, annotation: object) -> ValueType:
        """The type of a parameter with this annotation.

        Source: ``promptflow.contracts.tool.ValueType.from_type``; what it does not know is an object.
        """
        known = {int: cls.INT, float: cls.DOUBLE, bool: cls.BOOL, str: cls.STRING, list: cls.LIST}
        return known.get(annotation, cls.OBJECT) if isinstance(annotation, type) else cls.OBJECT

    def parse(self, value: Any) -> Any:
        """Convert a value as ``promptflow.contracts.tool.ValueType.parse`` does.

        Raises
        ------
        ValueError, TypeError
            It is not of this type.

        Examples
        --------
        >>> ValueType.INT.parse("3"), ValueType.LIST.parse("[1]"), ValueType.OBJECT.parse("{")
        (3, [1], '{')
        """
        if self in _PLAIN:
            return _PLAIN[self](value)
        if self is ValueType.BOOL:
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true"
            if not isinstance(value, bool):
                raise ValueError(f"Invalid boolean value {value!r}")
        elif isinstance(value, str):
            try:
                value = json.loads(value)
            except RecursionError:
                raise ValueError("the value is nested too deeply") from None
            except ValueError:
                if self is ValueType.LIST:
                    raise
        if self is ValueType.LIST and not isinstance(value, list):
            raise ValueError(f"Invalid list value {value!r}")
        return value


_PLAIN = {ValueType.INT: int, ValueType.DOUBLE: float, ValueType.STRING: str}


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value of a node's input or of the flow's output, or where it comes from."""

    value: Any
    value_type: Origin = Origin.LITERAL
    section: str = ""
    property: str = ""

    @classmethod
    def read(cls, value: Any) -> Assignment:
        """Read what the file says.

        Source: ``promptflow.contracts.flow.InputAssignment.deserialize``.

        Examples
        --------
        >>> Assignment.read("${inputs.x}").value_type, Assignment.read("${a.output.b[0]}").property
        (<Origin.FLOW_INPUT: 'FlowInput'>, 'b[0]')
        >>> Assignment.read("${a}").section, Assignment.read("$ 5").value
        ('output', '$ 5')
        """
        if not (isinstance(value, str) and value.startswith("${") and value.endswith("}") and len(value) > 2):
            return cls(value)
        reference = value[2:-1]
        for prefix in ("flow.", "inputs."):
            if reference.startswith(prefix):
                return cls(reference.removeprefix(prefix), Origin.FLOW_INPUT)
        node, _, rest = reference.partition(".")
        section, _, inside = rest.partition(".")
        return cls(node, Origin.NODE_REFERENCE, section if "." in reference else "output", inside)


@dataclass(frozen=True, slots=True)
class Activate:
    """When a node is run at all."""

    condition: Assignment
    condition_value: Any


@dataclass(frozen=True, slots=True)
class Node:
    """A template or a Python tool."""

    name: str
    type: NodeType
    inputs: Mapping[str, Assignment]
    activate: Activate | None = None
    aggregation: bool = False

    @property
    def sources(self) -> frozenset[str]:
        """Nodes that it refers to."""
        named = [*self.inputs.values(), *([self.activate.condition] if self.activate else [])]
        return frozenset(str(one.value) for one in named if one.value_type is Origin.NODE_REFERENCE)


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the flow."""

    type: ValueType
    default: Any = None


@dataclass(frozen=True, slots=True)
class Output:
    """An output of the flow."""

    reference: Assignment


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow, its nodes in an order in which they could run."""

    nodes: Sequence[Node]
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
