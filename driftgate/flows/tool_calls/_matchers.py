"""Does an argument fit what was wanted: equal through the normaliser, a number, a pattern, one of several, anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.wording import same

SECONDS = 1.0
"""How long one text may be searched for a pattern."""
MATCHERS = ("$equal", "$exact", "$numeric", "$regex", "$one_of", "$ignored", "$optional")
_BESIDE = {"$numeric": {"$within", "$relative"}}
_ANY = object()


def fits(said: Any, wanted: Any) -> bool:
    """Whether an argument is what was wanted.

    Texts are equal through the normaliser (:func:`driftgate.flows.wording.same`), numbers by value; lists and objects
    are compared item by item. An object with one of these names matches in another way: ``{"$exact": v}`` (to the
    character), ``{"$numeric": 3, "$within": 0.1}`` or ``"$relative"``, ``{"$regex": "[A-Z]{3}"}`` (of the whole text),
    ``{"$one_of": [...]}``, ``{"$ignored": true}``, ``{"$optional": v}`` (may be left out), ``{"$equal": v}``.

    Examples
    --------
    >>> fits("25,000원", "2만 5천 원"), fits("서울시", "서울"), fits(3, 3.0), fits("3", 3), fits(True, 1)
    (True, True, True, True, False)
    >>> fits(36.6, {"$numeric": 36.5, "$within": 0.1}), fits("ICN", {"$regex": "[A-Z]{3}"}), fits("-5도", "5도")
    (True, True, False)
    """
    name = matcher_of(wanted)
    if name is None:
        return _alike(said, wanted, fits)
    inner = wanted[name]
    match name:
        case "$ignored":
            return True
        case "$optional" | "$equal":
            return fits(said, inner) if name == "$optional" else alike(said, inner)
        case "$exact":
            return type(said) is type(inner) and bool(said == inner)
        case "$one_of":
            return any(fits(said, one) for one in inner)
        case "$regex":
            return _matches(said, inner)
        case _:
            return _close(said, wanted)


def alike(one: Any, other: Any) -> bool:
    """Whether two arguments say the same, as :func:`fits` has it without matchers."""
    return _alike(one, other, alike)


def matcher_of(wanted: Any) -> str | None:
    """The matcher's name in an object that is one."""
    if not isinstance(wanted, Mapping):
        return None
    return next((name for name in MATCHERS if name in wanted), None)


def check_matchers(wanted: Any, where: str) -> None:
    """Refuse an object with a name that looks like a matcher's and is none, or with something beside one.

    Raises
    ------
    DriftgateError
        It would match otherwise than was meant.
    """
    if isinstance(wanted, Mapping):
        own = [str(name) for name in wanted if str(name).startswith("$")]
        name = matcher_of(wanted)
        beside = _BESIDE.get(name or "", set())
        if unknown := [one for one in own if one != name and one not in beside]:
            raise DriftgateError(f"{where} has the matcher '{unknown[0]}'", nearest(unknown[0], [*MATCHERS, *beside]))
        if own and len(own) < len(wanted):
            raise DriftgateError(f"{where} has a matcher and other names in one object", "write the matcher alone")
        if name == "$numeric" and _number(wanted[name]) is None:
            raise DriftgateError(f"{where}: $numeric is {wanted[name]!r}", "give a number")
        if name == "$one_of" and not isinstance(wanted[name], list):
            raise DriftgateError(f"{where}: $one_of is {wanted[name]!r}", "give a list")
        if name == "$regex":
            _pattern(wanted[name], where)
        for inner in wanted.values():
            check_matchers(inner, where)
    elif isinstance(wanted, list):
        for inner in wanted:
            check_matchers(inner, where)


def _alike(one: Any, other: Any, compare: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return type(one) is type(other) and bool(one == other)
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-9)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return not names_amiss(one, other) and all(compare(one[name], other[name]) for name in other if name in one)
    if _is_list(one) and _is_list(other):
        return len(one) == len(other) and all(compare(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, (str, int, float)) and isinstance(other, (str, int, float)):
        ours, theirs = _text(one), _text(other)
        return ours.strip() == theirs.strip() or same(ours, theirs)
    return bool(one == other)


def names_amiss(said: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Names that one of the two lacks, those that may be left out aside."""
    free = {name for name, value in wanted.items() if matcher_of(value) in ("$optional", "$ignored")}
    return sorted((set(said) ^ set(wanted)) - (free - set(said)))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.12g}" if isinstance(value, float) else str(value)


def _close(said: Any, wanted: Mapping[str, Any]) -> bool:
    number, target = _number(said), _number(wanted["$numeric"])
    if number is None or target is None:
        return False
    room = max(float(wanted.get("$within", 0.0)), float(wanted.get("$relative", 0.0)) * abs(target))
    return abs(number - target) <= room + 1e-9 * abs(target)


def _number(value: Any) -> float | None:
    """A number, or the one that a text states."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        from driftgate.flows.quantities import read_quantity

        read = read_quantity(value)
        return None if read is None or read.value is None else float(read.value)
    return None


def _matches(said: Any, pattern: Any) -> bool:
    if isinstance(said, bool) or not isinstance(said, (str, int, float)):
        return False
    return _pattern(pattern, "").fullmatch(_text(said), timeout=SECONDS) is not None


def _pattern(pattern: Any, where: str) -> Any:
    import regex

    try:
        return regex.compile(str(pattern))
    except regex.error as problem:
        raise DriftgateError(f"{where}: $regex {pattern!r} is no pattern: {problem}", "correct it") from problem
