"""The calls that a sample wants, as its dataset says them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.tool_calls._items import arguments_of
from driftgate.flows.tool_calls._matchers import check_matchers

Order = Literal["exact", "any"]
_NAMES = ("calls", "order", "forbidden", "extra")
_OF_A_CALL = ("name", "arguments", "optional")


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """A call that is wanted, or that may be made."""

    name: str
    arguments: Mapping[str, Any] | None = None
    """By name, a value or a matcher; None where any will do."""
    optional: bool = False
    place: int = 0
    """Where it stands in the order; calls of one place may come in any."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """All that is wanted of the calls of one sample."""

    calls: tuple[ExpectedCall, ...]
    order: Order = "exact"
    forbidden: tuple[ExpectedCall, ...] = ()
    extra: bool = False
    """Whether other calls may be made too."""


def read_expectation(value: Any, order: Order = "exact", extra: bool = False) -> Expectation:
    """What a dataset says is wanted.

    Parameters
    ----------
    value
        A list of calls, empty where none is wanted, or an object with ``calls`` and, as far as wanted, ``order``,
        ``forbidden`` and ``extra``; or the JSON text of either. A call is a name, an object with ``name``,
        ``arguments`` and ``optional``, or OpenAI's form. A list within the list holds calls that may come in any order
        among themselves.
    order, extra
        Where the value does not say.

    Raises
    ------
    DriftgateError
        It cannot be read, or has a name that nobody reads.

    Examples
    --------
    >>> wanted = read_expectation([{"name": "find", "arguments": {"city": "서울"}}, ["book", "pay"]])
    >>> [(call.name, call.place) for call in wanted.calls]
    [('find', 0), ('book', 1), ('pay', 1)]
    """
    told = _parsed(value)
    if isinstance(told, Mapping) and not {"name", "function"} & set(told):
        if unknown := [name for name in told if name not in _NAMES]:
            raise DriftgateError(f"expected has '{unknown[0]}'", nearest(str(unknown[0]), _NAMES))
        order, extra = told.get("order", order), told.get("extra", extra)
        forbidden, told = told.get("forbidden", ()), told.get("calls", [])
    else:
        forbidden, told = (), [told] if isinstance(told, Mapping) else told
    if order not in get_args(Order):
        raise DriftgateError(f"expected has the order '{order}'", "give exact or any")
    if not isinstance(extra, bool):
        raise DriftgateError(f"expected has extra: {extra!r}", "give true or false")
    if not isinstance(told, list) or not isinstance(forbidden, (list, tuple)):
        raise DriftgateError(f"expected is {type(told).__name__}", "give a list of calls, or an object with calls")
    calls = [
        _call(one, place) for place, item in enumerate(told) for one in (item if isinstance(item, list) else [item])
    ]
    return Expectation(tuple(calls), order, tuple(_call(one, 0) for one in forbidden), extra)


def _parsed(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise DriftgateError("expected is empty", "give a list of calls, [] where none is wanted")
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as problem:
        raise DriftgateError(f"expected is the text {value[:60]!r}, no JSON", "give a list of calls") from problem


def _call(told: Any, place: int) -> ExpectedCall:
    if isinstance(told, str):
        return ExpectedCall(told, place=place)
    if isinstance(told, Mapping) and isinstance(told.get("function"), Mapping):
        told = {"optional": told.get("optional", False), **told["function"]}
    if not isinstance(told, Mapping) or not isinstance(told.get("name"), str):
        raise DriftgateError(f"expected has the call {str(told)[:60]!r}", "give a name, or an object with name")
    if unknown := [name for name in told if name not in _OF_A_CALL]:
        raise DriftgateError(f"the expected call of {told['name']} has '{unknown[0]}'", nearest(unknown[0], _OF_A_CALL))
    arguments = arguments_of(told["arguments"]) if "arguments" in told and told["arguments"] is not None else None
    if arguments is not None and not isinstance(arguments, Mapping):
        raise DriftgateError(f"the arguments of the expected {told['name']} are no object", "give them by name")
    check_matchers(arguments, f"the expected call of {told['name']}")
    return ExpectedCall(told["name"], arguments, bool(told.get("optional", False)), place)
