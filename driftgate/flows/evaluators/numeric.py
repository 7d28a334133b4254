"""Is the number that a text arrives at the right one?"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import isclose, isfinite
from typing import Any

from driftgate.flows.evaluators._text import normal

_NUMBER = r"(?:(?<![\w)])[-+])?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d{1,3})?"
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
    same = found[0] == wanted[0] or isclose(float(found[0]), float(wanted[0]), rel_tol=relative, abs_tol=absolute)
    return {"correct": float(same), "read": found[1]}


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
    if below and not int(below):
        return None
    found = Fraction(number.replace(",", "")) / int(below or 1)
    return found / 100 if hundredths and percent else found, match.group()


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
