"""Read what a service sends as JSON, trusting nothing of it but its form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

_DEEPEST = 100
"""Lists and objects within each other; no service's reply has a tenth of it."""


class Unreadable(ValueError):
    """It is no JSON that says one thing."""

    @property
    def aside(self) -> str:
        """What is wrong with it though it looks like JSON, for a message; empty where anybody sees that it is none."""
        return "" if self.__cause__ else f" ({self})"


def read_json(content: bytes | str) -> Any:
    """The value that a text in JSON says.

    ``NaN`` and the infinities, which services send though JSON has none, and numbers beyond a double are read as floats
    that are no finite numbers; who takes a number has to look.

    Raises
    ------
    Unreadable
        It is no JSON or no text, is nested more than a hundred deep, or says two things under one name.

    Examples
    --------
    >>> read_json(b'{"a": 1e400, "b": 12}')
    {'a': inf, 'b': 12}
    >>> read_json("[" * 900 + "]" * 900)
    Traceback (most recent call last):
    driftgate.flows.network._json.Unreadable: it is nested more than 100 deep
    >>> read_json('{"cost": 1, "cost": 2}')
    Traceback (most recent call last):
    driftgate.flows.network._json.Unreadable: it says two things under 'cost'
    """
    try:
        value = json.loads(content, parse_int=whole, object_pairs_hook=_said_once)
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    except Unreadable:
        raise
    except ValueError as problem:
        raise Unreadable(str(problem)) from problem
    if _is_deep(value):
        raise Unreadable(_TOO_DEEP)
    return value


_TOO_DEEP = f"it is nested more than {_DEEPEST} deep"


def whole(digits: str) -> int | float:
    """A number of a hundred digits and more, which Python may refuse to read as a whole one, is as good as infinite.

    >>> whole("12"), whole("9" * 5000)
    (12, inf)
    """
    return int(digits) if len(digits) < 100 else float(digits)


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        for name, value in pairs:
            if said[name] is not value and not _same(said[name], value):
                raise Unreadable(f"it says two things under {name[:60]!r}")
    return said


def _same(first: Any, second: Any) -> bool:
    try:
        return type(first) is type(second) and bool(first == second)
    except RecursionError:
        return False


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _within(one)]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def _within(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
