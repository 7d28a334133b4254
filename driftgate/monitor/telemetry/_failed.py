"""Whether a call failed, in the words of whoever wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftgate.monitor.telemetry._content import clean

_FINE = {
    *("", "0", "false", "no", "none", "null", "nil", "nan", "na", "n/a", "-", "--", "[]", "{}", "()", "undefined"),
    *("ok", "okay", "success", "successful", "succeeded", "completed", "complete", "good", "fine", "passed"),
    *("no error", "no_error", "no-error", "noerror"),
}
"""What stands where nothing went wrong, in lower case."""
_UNTOLD = frozenset({"unknown", "?", "unset", "pending"})
"""What stands where nobody knows."""
_SUCCESS = range(200, 300)
"""Status codes of HTTP for a request that succeeded (RFC 9110, section 15.3)."""
_LIMIT = 256


def error_of(value: Any) -> str | None:
    """What went wrong with a call, by the value that its row has for an error.

    Applications write down that nothing did in many ways: false, 0, null, ``""``, ``"none"``, ``"ok"``, an empty list
    or object, an HTTP status from 200 to 299. Whatever else stands there is an error, and of an object or a list that
    holds an error, what it calls its type or code; its message is not kept, as it may quote the prompt.

    Parameters
    ----------
    value : object
        As it stands in the row.

    Returns
    -------
    str or None
        Empty: nothing. None: the value does not tell.

    Examples
    --------
    >>> [error_of(value) for value in (False, 0, None, "", "None", {}, [], "OK", 200, {"code": None})]
    ['', '', '', '', '', '', '', '', '', '']
    >>> [error_of(value) for value in (True, 1, "timeout", 500, {"code": 429, "message": "slow down"}, ["boom"])]
    ['error', '1', 'timeout', '500', '429', 'boom']
    >>> error_of("unknown") is None
    True
    """
    if value is None or value is False or value != value:
        return ""
    if value is True:
        return "error"
    if isinstance(value, int | float):
        return "" if value == 0 or value in _SUCCESS else f"{value:g}"
    if isinstance(value, Mapping):
        return _of_object(value)
    if isinstance(value, list | tuple):
        found = [error_of(item) for item in value]
        return next((error for error in found if error), None if None in found else "")
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if word in _UNTOLD:
        return None
    number = _number(word)
    if word in _FINE or (number is not None and (number == 0 or number in _SUCCESS)):
        return ""
    return "error" if word == "true" else clean(value.strip()[:_LIMIT])


def _of_object(value: Mapping[Any, Any]) -> str | None:
    found = {str(key).lower(): error_of(item) for key, item in value.items()}
    if not any(found.values()):
        return None if None in found.values() else ""
    return next((told for key in ("type", "code", "name", "status") if (told := found.get(key))), "error")


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
