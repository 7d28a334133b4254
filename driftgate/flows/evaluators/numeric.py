"""Is the number that a text arrives at the right one?"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import isfinite
from typing import Any

from driftgate.flows.evaluators._text import normal

_NUMBER = r"(?:(?<![\w)])[-+])?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d{1,3})?"
_LONGEST = 400
"""Digits of a number that are read."""
_FRACTION = re.compile(r"\\d?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_VALUE = re.compile(rf"({_NUMBER})(?:\s*/\s*(\d+))?\s*(%)?")
_FINAL = re.compile(r"(?:\\boxed\s*\{|####|정답[은:이]?|답[은:]|final answer(?: is)?|answer(?: is)?:?)\s*")


def numeric(
    *, response: Any, ground_truth: Any, relative: float = 1e-6, absolute: float = 1e-9, percent: bool = False
) -> dict[str, float | str]:
    r"""Compare the final number of a text with the wanted one.

    Parameters
    ----------
    response, ground_truth : str or number
        Texts or numbers. Of a text the first number after its last ``정답``, ``답:``, ``answer``, ``####`` or
        ``\boxed{`` counts, else its last number. Thousands with commas, fractions and exponents are read.
    relative, absolute : float
        Tolerances; one of them must be kept.
    percent : bool
        Read ``50%`` as 0.5 instead of 50.

    Returns
    -------
    dict
        ``correct`` (1 or 0), ``read`` (the number that was read, empty where there is none).

    Raises
    ------
    ValueError
        The wanted value holds no number.

    Examples
    --------
    >>> numeric(response="3개씩 4상자이므로 12개. 정답: 70,000원", ground_truth="70,000.0")
    {'correct': 1.0, 'read': '70,000'}
    >>> numeric(response=r"따라서 \boxed{\frac{1}{3}} 입니다.", ground_truth="1/3")
    {'correct': 1.0, 'read': '1/3'}
    >>> numeric(response="모르겠습니다", ground_truth=18)
    {'correct': 0.0, 'read': ''}
    """
    wanted = _read(ground_truth, percent)
    if wanted is None:
        raise ValueError(f"the wanted value {ground_truth!r} holds no number")
    found = _read(response, percent)
    if found is None:
        return {"correct": 0.0, "read": ""}
    return {"correct": float(_close(found[0], wanted[0], relative, absolute)), "read": found[1]}


def _read(value: Any, percent: bool) -> tuple[Fraction, str] | None:
    """The number and how it was written."""
    if isinstance(value, (int, float)):
        return (Fraction(str(value)), str(value)) if isfinite(value) else None
    text = _FRACTION.sub(r"\1/\2", normal(str(value or "")).replace("−", "-").replace("$", ""))
    finals = list(_FINAL.finditer(text))
    match = _VALUE.search(text, finals[-1].end()) if finals else None
    if match is None:
        every = list(_VALUE.finditer(text))
        match = every[-1] if every else None
    if match is None:
        return None
    number, below, hundredths = match.groups()
    if below and not below.strip("0"):
        return None
    found = _exact(number.replace(",", "")) / _exact(below or "1")
    return found / 100 if hundredths and percent else found, match.group()


def _close(one: Fraction, other: Fraction, relative: float, absolute: float) -> bool:
    """As :func:`math.isclose`, of numbers that no float can hold as well."""
    return abs(one - other) <= max(Fraction(relative) * max(abs(one), abs(other)), Fraction(absolute))


def _exact(number: str) -> Fraction:
    """The value of a number in digits; of one longer than anybody writes, with noughts for all but its beginning.

    Python refuses to read more than 4,300 digits, and a model that repeats one digit for ever is wrong, not unreadable.
    """
    if len(number) <= _LONGEST:
        return Fraction(number)
    digits = "0" + number.lstrip("+-0")
    whole = digits.partition(".")[0]
    scale: int = 10 ** max(0, len(whole) - _LONGEST)
    size = Fraction(digits[:_LONGEST].rstrip(".e+-")) * scale
    return -size if number.startswith("-") else size


def make(relative: float = 1e-6, absolute: float = 1e-9, percent: bool = False) -> Callable[..., Any]:
    """Make the evaluator.

    Parameters
    ----------
    relative : float
        Relative tolerance.
    absolute : float
        Absolute tolerance.
    percent : bool
        Read ``50%`` as 0.5 instead of 50.
    """
    return partial(numeric, relative=relative, absolute=absolute, percent=percent)
