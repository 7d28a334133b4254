"""What may be kept of a node's output, and what may be the output of a flow."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from driftgate.flows.turns import Prompt

_SCALARS = frozenset({str, int, float, bool, type(None)})
_DEEPEST = 200
"""Levels from which a value is left to JSON's own encoder, which finds one that holds itself."""


def is_plain(value: Any, *, depth: int = 0) -> bool:
    """Whether a value holds nothing but JSON's own types, and not itself.

    Examples
    --------
    >>> is_plain({"a": [1, "b", None]}), is_plain({"a": {1, 2}}), is_plain({1: 2})
    (True, False, False)
    """
    kind = type(value)
    if kind in _SCALARS:
        return True
    if depth > _DEEPEST:
        return False
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or (type(item) not in _SCALARS and not is_plain(item, depth=depth + 1)):
                return False
        return True
    if kind is list:
        return all(type(item) in _SCALARS or is_plain(item, depth=depth + 1) for item in value)
    return False


def storable(value: Any) -> Any:
    """A node's output as prompt flow records it: itself where JSON can hold it, else in words.

    Examples
    --------
    >>> storable({"a": 1}), storable({3})
    ({'a': 1}, '{3}')
    """
    if is_plain(value):
        return value
    if isinstance(value, (Iterator, AsyncIterator, Prompt)):
        return str(value)
    if _is_connection(value):
        from promptflow.contracts.tool import ConnectionType

        return ConnectionType.serialize_conn(value)
    try:
        _dumped(value)
    except Exception:
        return repr(value)
    return value


def plain_output(name: str, value: Any) -> Any:
    """An output of the flow: what was streamed as one text, everything else as it stands.

    Raises
    ------
    FlowOutputUnserializable
        JSON cannot hold it.
    """
    if is_plain(value):
        return value
    if isinstance(value, (Iterator, Prompt)):
        return str(value)
    if _is_connection(value):
        return value
    try:
        _dumped(value)
    except Exception as problem:
        raise FlowOutputUnserializable(name, problem) from problem
    return value


class FlowOutputUnserializable(Exception):
    """JSON cannot hold an output of the flow; prompt flow's name and words for it."""

    def __init__(self, name: str, problem: Exception) -> None:
        super().__init__(
            f"The output '{name}' for flow is incorrect. The output value is not JSON serializable. JSON dump failed: "
            f"({type(problem).__name__}) {problem}. Please verify your flow output and make sure the value "
            "serializable."
        )


def named_outputs(value: Any) -> dict[str, Any]:
    """The outputs of a flow whose only result is ``value``: its items, or ``output``.

    Source: prompt flow's ``convert_eager_flow_output_to_dict``.

    Examples
    --------
    >>> named_outputs({"answer": "B"}), named_outputs("B")
    ({'answer': 'B'}, {'output': 'B'})
    """
    value = as_mapping(value)
    return dict(value) if isinstance(value, dict) else {"output": value}


def as_mapping(value: Any) -> Any:
    """What an entry returned, a dataclass by its fields.

    Source: prompt flow's ``convert_dataclass_to_dict``.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    return value


def _is_connection(value: Any) -> bool:
    """Whether it is one of prompt flow's connections, of which there is none before prompt flow is imported."""
    if "promptflow" not in sys.modules:
        return False
    from promptflow.contracts.tool import ConnectionType

    return bool(ConnectionType.is_connection_value(value))


def _dumped(value: Any) -> str:
    if "promptflow" not in sys.modules:
        return json.dumps(value)
    from promptflow._utils.utils import default_json_encoder

    return json.dumps(value, default=default_json_encoder)
