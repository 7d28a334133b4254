"""Is the number that a text arrives at the right one?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any

from driftgate.flows.evaluators._text import normal
from driftgate.flows.quantities import Quantity, found_quantity, read_quantity

_NUMBER = r"(?:(?<![\w)])[-+])?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d{1,3})?"
_LONGEST = 400
"""Digits of a number that are read."""
_FRACTION = re.compile(r"\\d?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_VALUE = re.compile(rf"({_NUMBER})(?:\s*/\s*(\d+))?\s*(%)?")
_BOXED = re.compile(r"\\boxed\s*\{")
_FINAL = re.compile(r"(?:\\boxed\s*\{|####|정답[은:이]?|답[은:]|final answer(?: is)?|answer(?: is)?:?)\s*")


def numeric(
    *, response: Any, ground_truth: Any, relative: float = 1e-6, absolute: float = 1e-9, percent: bool = False
) -> dict[str, float | str]:
    r"""Compare the final number of a text with the wanted one.

    Parameters
    ----------
    response : str or number
        Of a text the first number after its last ``정답``, ``답:``, ``answer`` or ``####`` counts, else its last
        number. Thousands with commas, fractions and exponents are read. A box, and an expression with a root, count
        as a whole; where what is announced is no quantity, there is no number.
    ground_truth : str or number
        A number as a whole, in digits; a unit may stand after it.
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
        The wanted value is no number: a word, an expression with an unknown, several numbers.

    Examples
    --------
    >>> numeric(response="3개씩 4상자이므로 12개. 정답: 70,000원", ground_truth="70,000.0")
    {'correct': 1.0, 'read': '70,000'}
    >>> numeric(response=r"따라서 \boxed{\frac{1}{3}} 입니다.", ground_truth="1/3")
    {'correct': 1.0, 'read': '1/3'}
    >>> numeric(response="모르겠습니다", ground_truth=18)
    {'correct': 0.0, 'read': ''}
    """
    if reason := unfit("ground_truth", ground_truth):
        raise ValueError(reason)
    wanted = _wanted(ground_truth, percent)
    found = _read(response, percent)
    if found is None or wanted is None:
        return {"correct": 0.0, "read": ""}
    same = found[0] == wanted or _close(found[0], wanted, relative, absolute)
    return {"correct": float(same), "read": found[1]}


def unfit(name: str, value: Any) -> str:
    """Why a wanted value cannot be compared with; empty where it can.

    Examples
    --------
    >>> [unfit("ground_truth", value) for value in ("70,000.0원", 18, r"\\frac{1}{2}")]
    ['', '', '']
    >>> unfit("ground_truth", "2x + 3"), unfit("ground_truth", "없음")
    ("the wanted value '2x + 3' is no number", "the wanted value '없음' holds no number")
    """
    if name != "ground_truth" or _wanted(value, False) is not None:
        return ""
    return f"the wanted value {value!r} {'is' if re.search('[0-9]', str(value)) else 'holds'} no number"


def _wanted(value: Any, percent: bool) -> Fraction | None:
    """The number that a wanted value is as a whole."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return Fraction(str(value)) if isfinite(value) else None
    text = str(value or "")
    quantity = read_quantity(text) if re.search("[0-9]", text) else None
    return None if quantity is None or quantity.value.rational is None else _number_of(quantity, percent)


def _number_of(quantity: Quantity, percent: bool) -> Fraction:
    """The number of a quantity, about where it is irrational."""
    number = quantity.value.rational
    number = Fraction(float(quantity.value)) if number is None else number
    hundredths = quantity.unit is not None and quantity.unit.measures == "share"
    return number / 100 if hundredths and percent else number


def _read(value: Any, percent: bool) -> tuple[Fraction, str] | None:
    """The number and how it was written."""
    if isinstance(value, (int, float)):
        return (Fraction(str(value)), str(value)) if isfinite(value) else None
    settled = found_quantity(str(value or ""))
    whole = read_quantity(settled.answer) if settled.answer else None
    boxed = _BOXED.search(str(value or "")) and settled.rule in ("boxed", "several")
    if boxed or settled.rule == "unread" or (whole is not None and whole.value.rational is None):
        # The first number of an expression, such as the 2 of 2√3, is not what was answered.
        return None if whole is None else (_number_of(whole, percent), whole.text)
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


@dataclass(frozen=True)
class NumericEvaluator:
    """:func:`numeric` with its settings."""

    relative: float
    absolute: float
    percent: bool

    def __call__(self, *, response: Any, ground_truth: Any) -> dict[str, float | str]:
        """Compare the final number of a text with the wanted one; see :func:`numeric`."""
        return numeric(
            response=response,
            ground_truth=ground_truth,
            relative=self.relative,
            absolute=self.absolute,
            percent=self.percent,
        )

    def unfit(self, name: str, value: Any) -> str:
        """Why a right answer cannot be graded by; empty where it can."""
        return unfit(name, value)


def make(relative: float = 1e-6, absolute: float = 1e-9, percent: bool = False) -> NumericEvaluator:
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
    return NumericEvaluator(relative, absolute, percent)
