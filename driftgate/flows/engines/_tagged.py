"""A node's output as JSON that gives it back: keys that are no texts, NaN, tuples, sets, dataclasses.

What aggregation nodes take of each line is kept until the last line is done, and by then another process may go on with
the run. JSON alone would make texts of a mapping's integer keys and of NaN, and lose the class of an object.
"""

from __future__ import annotations

import base64
import datetime
import importlib
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from types import ModuleType
from typing import Any

from driftgate.flows.errors import DriftgateError

_TAG = "$driftgate"
_SEQUENCES: Mapping[str, Callable[[list[Any]], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset}
_TEXTS: Mapping[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "datetime": (datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    "date": (datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "bytes": (bytes, lambda data: base64.b64encode(data).decode(), base64.b64decode),
}


def tagged(value: Any) -> Any:
    """A value as JSON, from which :func:`untagged` makes it again.

    Examples
    --------
    >>> untagged(tagged({1: (2.5, None), "a": [{"b"}, float("inf")]}))
    {1: (2.5, None), 'a': [{'b'}, inf]}
    """
    if value is None or isinstance(value, (bool, str)):
        return value if value is None or isinstance(value, bool) else str(value)
    if isinstance(value, Enum):
        return _as("enum", **_named(value), value=value.name)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _as("float", text=str(float(value)))
    kind = type(value)
    if kind is list:
        return [tagged(item) for item in value]
    if kind is dict:
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: tagged(item) for key, item in value.items()}
        return _as("map", items=[[tagged(key), tagged(item)] for key, item in value.items()])
    if kind.__name__ in _SEQUENCES and kind in (tuple, set, frozenset):
        return _as(kind.__name__, items=[tagged(item) for item in value])
    for name, (known, write, _) in _TEXTS.items():
        if kind is known:
            return _as(name, text=write(value))
    if is_dataclass(value) and not isinstance(value, type):
        held = {one.name: tagged(getattr(value, one.name)) for one in fields(value)}
        return _as("dataclass", **_named(value), fields=held)
    return _as("lost", of=kind.__name__)


def untagged(value: Any) -> Any:
    """The value that :func:`tagged` was given.

    Raises
    ------
    DriftgateError
        It held an object that JSON cannot give back, or whose class is no longer there.
    """
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_TAG)
    if kind is None:
        return {key: untagged(item) for key, item in value.items()}
    if kind == "map":
        return {untagged(key): untagged(item) for key, item in value["items"]}
    if kind in _SEQUENCES:
        return _SEQUENCES[kind]([untagged(item) for item in value["items"]])
    if kind in _TEXTS:
        return _TEXTS[kind][2](value["text"])
    if kind == "float":
        return float(value["text"])
    if kind == "enum":
        return _class_of(value)[value["value"]]
    if kind == "dataclass":
        made = object.__new__(_class_of(value))
        for name, item in value["fields"].items():
            object.__setattr__(made, name, untagged(item))
        return made
    raise DriftgateError(
        f"an output of the class '{value['of']}' was not kept when the run stopped, and its aggregation needs it",
        "run it anew, or let its node return texts, numbers, lists, mappings or dataclasses",
    )


def _as(kind: str, **parts: Any) -> dict[str, Any]:
    return {_TAG: kind, **parts}


def _named(value: Any) -> dict[str, str]:
    """Where the class of a value is: by its file where it has one, as a flow's modules have names of the process."""
    module = sys.modules.get(type(value).__module__)
    file = getattr(module, "__file__", None)
    return {"of": type(value).__qualname__, "module": type(value).__module__, "file": str(file or "")}


def _class_of(value: Mapping[str, Any]) -> Any:
    loaded: list[ModuleType] = [
        one for one in list(sys.modules.values()) if value["file"] and getattr(one, "__file__", None) == value["file"]
    ]
    if not loaded:
        try:
            loaded = [importlib.import_module(value["module"])]
        except ImportError:
            loaded = []
    for module in loaded:
        found: Any = module
        for name in value["of"].split("."):
            found = getattr(found, name, None)
        if isinstance(found, type):
            return found
    raise DriftgateError(
        f"an output is of the class '{value['of']}', which is no longer in {value['file'] or value['module']}",
        "define it at the top of its module",
    )
