"""A quantity: an exact value and, where one is stated, its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from driftgate.flows.quantities._clean import cleaned
from driftgate.flows.quantities._expression import NUMBER, read_expression
from driftgate.flows.quantities._korean import read_korean
from driftgate.flows.quantities._units import UNIT, UNITS, Unit, find_unit, plain_unit
from driftgate.flows.quantities._value import NoValue, Value

COPULA = (
    r"(?:(?:이|가)?\s?(?:되겠습니다|됩니다|된다|되므로|되어|돼요|됨)|이라고 할 수 있습니다|입니다|입니까|이다|"
    r"이에요|예요|이야|이므로|이며|이고|이라|임|였습니다|이었습니다)"
)
"""What a Korean sentence ends in after its answer."""
_AROUND = " \t\n*_\"'“”‘’「」『』《》〈〉"
_BEFORE = re.compile(r"(?:약|대략|총|모두|전부|합계|바로)\s+")
_AFTER = re.compile(rf"\s*(?:정도|쯤|가량)?\s*{COPULA}?\s*(?:[.。,;]|(?<!\d)!)*$")
_IN_BRACKETS = re.compile(r"\(\s*([^()]{1,12})\s*\)$")
_COMPOUND = re.compile(rf"(?:({NUMBER})\s*({UNIT})\s*){{2,}}")
_PIECE = re.compile(rf"({NUMBER})\s*({UNIT})")
_NO_UNIT = re.compile(
    r"(?:이상|이하|미만|초과|이내|내외|안팎|까지|부터|보다|또는|이나|혹은|아님|제외|및)$|(?:[다요음함까죠네])$"
)
"""Ends of words that are no unit: limits, alternatives, predicates."""
_SEVERAL = re.compile(r"또는|혹은|거나|이고|,(?!\d{3})|(?<![a-zA-Z])(?:or|and)(?![a-zA-Z])")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact value and its unit; without a unit, the one that the question asks for is meant.

    Examples
    --------
    >>> read_quantity("1시간 30분").text, read_quantity(r"2\\sqrt{3}\\text{ cm}").text, read_quantity("2만 5천 원").text
    ('3/2 시간', '2*√3 cm', '25000 원')
    """

    value: Value
    unit: Unit | None = None

    @property
    def text(self) -> str:
        """How it is written, from which it can be read again; equal quantities with one unit are written alike."""
        return self.value.text + (f" {self.unit.name}" if self.unit else "")


@lru_cache(maxsize=65536)
def read_quantity(text: str) -> Quantity | None:
    r"""The quantity that a text is as a whole; None where it is none, more than one, or could be two.

    Examples
    --------
    >>> [read_quantity(t).text for t in ("18.0", "x = 3", r"$\frac{1}{3}$", "이만 오천", "3분의 2", "세 개")]
    ['18', '3', '1/3', '25000', '2/3', '3 개']
    >>> [read_quantity(t) for t in ("A", "3, 5", "12 이상", "2n+1", "서울", "3과 4")]
    [None, None, None, None, None, None]
    """
    if len(text) > _LONGEST:
        return None
    try:
        return _read_whole(_AFTER.sub("", _BEFORE.sub("", cleaned(text).strip(_AROUND), count=1)).strip(_AROUND))
    except NoValue:
        return None


def same_quantity(one: Quantity, other: Quantity, relative: Fraction = Fraction(0)) -> bool:
    """Whether two quantities are the same.

    With a unit on either side they must measure the same; where one side states none, its number is taken in the
    other's unit, as the question asks for it. A percentage also is the number that it means.

    Parameters
    ----------
    relative : Fraction
        How far apart they may lie, as a share of the first.

    Examples
    --------
    >>> def same(*texts):
    ...     return same_quantity(*map(read_quantity, texts))
    >>> same("3 m", "300cm"), same("3 m", "3 cm"), same("18", "18원"), same("50%", "0.5"), same("0.333", "1/3")
    (True, False, True, True, False)
    """
    if one.unit and other.unit:
        if one.unit.measures != other.unit.measures:
            return False
        return _close(_in_base(one), _in_base(other), relative)
    if _close(one.value, other.value, relative):
        return True
    shares = [q for q in (one, other) if q.unit and q.unit.measures == "share"]
    return bool(shares) and _close(_in_base(one), _in_base(other), relative)


def _in_base(quantity: Quantity) -> Value:
    return quantity.value * Value.of(quantity.unit.factor) if quantity.unit else quantity.value


def _close(one: Value, other: Value, relative: Fraction) -> bool:
    if one == other:
        return True
    if not relative:
        return False
    apart = abs(float(one + -other))
    return apart <= float(relative) * abs(float(one))


def _read_whole(text: str) -> Quantity | None:
    if "≈" in text:  # what stands before it is exact
        exact, _, about = text.partition("≈")
        return _read_whole(exact.strip()) or _read_whole(about.strip())
    if "=" in text:
        left, _, right = text.rpartition("=")
        return None if _SEVERAL.search(left) else _read_whole(right.strip())
    if not text:
        return None
    if (value := _number(text, counted=False)) is not None:
        return Quantity(value)
    return _with_unit(text) or _compound(text)


def _number(text: str, *, counted: bool) -> Value | None:
    value = read_expression(text)
    if value is not None:
        return value
    found = read_korean(text, counted=counted)
    return None if found is None else Value.of(found)


def _with_unit(text: str) -> Quantity | None:
    """A number and a unit after it; the longest unit that leaves a number is the unit."""
    bracket = _IN_BRACKETS.search(text)
    if bracket and (unit := UNITS.get(plain_unit(bracket[1]))):
        inner = _number(text[: bracket.start()].strip(), counted=True)
        return None if inner is None else Quantity(inner, unit)
    for known in (True, False):
        for place in range(1, len(text)):
            tail, head = text[place:], text[:place].strip()
            if tail[0].isspace() or (unit := find_unit(tail)) is None or known != (unit.name in UNITS):
                continue
            if not known and _NO_UNIT.search(tail):
                continue
            value = _number(head, counted=True) if known else read_expression(head)  # 삼각형 is no three of anything
            if value is not None:
                return Quantity(value, unit)
    return None


def _compound(text: str) -> Quantity | None:
    """``1시간 30분``, ``2 m 50 cm``: one quantity in units that get smaller."""
    if _COMPOUND.fullmatch(text) is None:
        return None
    pieces = [(Value.of(Fraction(n.replace(",", ""))), UNITS[plain_unit(u)]) for n, u in _PIECE.findall(text)]
    first = pieces[0][1]
    units = [unit for _, unit in pieces]
    if any(a.measures != b.measures or a.factor <= b.factor for a, b in pairwise(units)):
        return None
    total = Value.of(0)
    for value, unit in pieces:
        total = total + value * Value.of(unit.factor / first.factor)
    return Quantity(total, first)
