"""Is the number that a text arrives at the right one?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from typing import Any

from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import bounded
from driftgate.flows.quantities import Quantity, after_correction, found_quantity, read_quantity
from driftgate.flows.quantities.prose import Stated, stated_in
from driftgate.flows.wording import is_ending, plain, tokens

_FINAL = re.compile(
    r"####|(?:(?:최종\s?)?(?:정답|해답|(?<![가-힣])답|결론)\s?(?:은|는|이|:|=|→)\s?:?|정답\s|(?i:(?<![a-z])answer(?:\s?is|\s?:|\s?=)?\s?:?))"
)
_MATHS = re.compile(r"\\|[√∛π^]|루트|파이")
_SENTENCE_END = re.compile(r"(?<=[^\d\s])[.!?。](?=\s|$)|(?<=\d)[.!?。](?=\s+\D|$)|\n")
_NOT = re.compile(r"\s?(?:이|가|은|는)?\s?(?:아니(?!면)|아닙|아닌)")
_ONE_OF = re.compile(
    r"\s?(?:이?거나|또는|혹은|아니면|이나|나|or|,|/|와|과|및|and|(?:일|인)지|(?:일|인)?\s?수도\s?있고,?)\s?"
)
_LONGEST = 400
"""Characters of an announced number; a model that repeats one digit for ever announces none."""
_ASIDE = re.compile(r"\([^()\n]*\)")


def numeric(
    *, response: Any, ground_truth: Any, relative: float = 1e-6, absolute: float = 1e-9, percent: bool = False
) -> dict[str, float | str]:
    r"""Compare the final number of a text with the wanted one.

    Parameters
    ----------
    response : str or number
        Of a text the first number after its last ``정답``, ``답:``, ``answer`` or ``####`` counts, else its last
        number. Korean numerals (``2만 5천``, ``스물다섯``), thousands with commas, fractions and exponents are read. A
        box, and an expression with a root, count as a whole. What a text takes back ("아니, 26입니다") it does not
        arrive at. A limit, a range, a date, a number that is denied and
        one of several are no number.
    ground_truth : str or number
        A number as a whole; a unit may stand after it. Where both have one, they must measure the same.
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
    {'correct': 1.0, 'read': '70,000원'}
    >>> numeric(response=r"따라서 \boxed{\frac{1}{3}} 입니다.", ground_truth="1/3")
    {'correct': 1.0, 'read': '1/3'}
    >>> numeric(response="1만 5천 원입니다.", ground_truth="2만 5천 원")
    {'correct': 0.0, 'read': '1만 5천 원'}
    >>> numeric(response="모르겠습니다", ground_truth=18)
    {'correct': 0.0, 'read': ''}
    """
    if reason := unfit("ground_truth", ground_truth):
        raise ValueError(reason)
    wanted = _wanted(ground_truth, percent)
    found = _read(response, percent)
    if found is None or wanted is None:
        return {"correct": 0.0, "read": ""}
    return {"correct": float(_same(found, wanted, relative, absolute)), "read": found.written}


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as it was written, with what it measures."""

    number: Fraction
    measure: str
    factor: Fraction
    """How many of the base unit of its measure one of it is."""
    written: str
    other: str = ""
    """A word directly behind it that is no unit which is known here (뺨)."""


def _same(one: _Number, other: _Number, relative: float, absolute: float) -> bool:
    if one.measure and other.measure:
        if one.measure != other.measure:
            return False
        return _close(one.number * one.factor, other.number * other.factor, relative, absolute)
    for known, unknown in ((one, other), (other, one)):
        if unknown.other and known.measure and not known.measure.startswith(("count", "ordinal", "place")):
            return False  # 5뺨 is not 5 cm, and 3대륙 may be 3
    return _close(one.number, other.number, relative, absolute)


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


def _wanted(value: Any, percent: bool) -> _Number | None:
    """The number that a wanted value is as a whole."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _plain(value)
    text = str(value or "")
    said = tokens(text)
    stated = [token.stated for token in said if token.stated is not None]
    if len(stated) == 1 and all(token.stated is not None or not token.stem for token in said):
        return _of_stated(stated[0], plain(text), percent)
    quantity = read_quantity(text) if re.search("[0-9]", text) else None
    return None if quantity is None or quantity.value.rational is None else _of_quantity(quantity, percent)


def _plain(value: float) -> _Number | None:
    return _Number(Fraction(str(value)), "", Fraction(1), str(value)) if isfinite(value) else None


def _of_quantity(quantity: Quantity, percent: bool) -> _Number:
    """The number of a quantity, about where it is irrational."""
    number = quantity.value.rational
    number = Fraction(float(quantity.value)) if number is None else number
    measure, factor = (quantity.unit.measures, quantity.unit.factor) if quantity.unit else ("", Fraction(1))
    return _measured(number, _MEASURES.get(measure, measure), factor, quantity.text, percent)


def _of_stated(stated: Stated, text: str, percent: bool) -> _Number | None:
    written = text[stated.begin : stated.end].strip()
    parts = [part for part in stated.key if isinstance(part, int)]
    if stated.kind == "time" and len(parts) == 2:  # 15시 is 15, and 15시 30분 neither 15 nor 30
        return _Number(parts[0] + Fraction(parts[1], 60), "o'clock", Fraction(1), written)
    if stated.kind == "date" and len(parts) == 1:
        return _Number(Fraction(parts[0]), "", Fraction(1), written)
    if stated.kind != "number" or stated.number is None:
        return None
    measure = "count" if stated.measure.startswith("count") else stated.measure
    base = stated.key[1]
    factor = base / stated.number if isinstance(base, Fraction) and stated.number else Fraction(1)
    found = _measured(stated.number, measure, factor, written, percent)
    return found if found.measure else replace(found, other=_word_behind(text, stated))


_BEHIND = re.compile(r"(?P<word>(?![이일인임라로여])[가-힣]{1,6})|[A-Za-z]{0,6}/[A-Za-z가-힣]+")


def _word_behind(text: str, stated: Stated) -> str:
    """What a number without a unit goes on with, where that is no particle or ending: 뺨, ``ft/min``."""
    behind = _BEHIND.match(text, stated.end)
    if behind is None or (behind["word"] and is_ending(behind["word"], text[stated.begin : stated.end])):
        return ""
    return behind[0]


_MEASURES = {"angle": "degree", "celsius": "degree", "rank": "count"}
"""What the reader of answers tells apart and prose does not."""


def _measured(number: Fraction, measure: str, factor: Fraction, written: str, percent: bool) -> _Number:
    if percent and measure == "share":
        return _Number(number / 100, "", Fraction(1), written)
    return _Number(number, measure, factor, written)


def _read(value: Any, percent: bool) -> _Number | None:
    """The number that a reply arrives at."""
    if isinstance(value, (int, float)):
        return _plain(value)
    said = bounded(str(value or ""))
    text = plain(said)
    if _MATHS.search(text) or _MATHS.search(said):
        settled = found_quantity(said)
        whole = read_quantity(settled.answer) if settled.answer else None
        if whole is not None:
            return _of_quantity(whole, percent)
        if settled.rule != "none":
            return None
    after = after_correction(text)
    if stated_in(after):
        return _arrived_at(after, percent)
    return _arrived_at(text, percent)


def _arrived_at(text: str, percent: bool) -> _Number | None:
    """The number that a text which takes nothing back arrives at."""
    finals = list(_FINAL.finditer(text))
    announced = _first_sentence(text, finals[-1].end()) if finals else ""
    found = _settled(announced, percent, last="=" in announced) if stated_in(announced) else None
    if stated_in(announced):
        return found if found is None or len(found.written) <= _LONGEST else None
    outside = _ASIDE.sub(lambda match: " " * len(match[0]), text)
    return _settled(outside if stated_in(outside) else text, percent, last=True)


def _first_sentence(text: str, begin: int) -> str:
    rest = text[begin:].lstrip()
    end = _SENTENCE_END.search(rest)
    return rest[: end.start()] if end else rest


def _settled(text: str, percent: bool, *, last: bool) -> _Number | None:
    """The first or the last number of a text that is not denied, unless another stands beside it as an alternative."""
    stated = [one for one in stated_in(text) if not _NOT.match(text, one.end)]
    if not stated:
        return None
    chosen = stated[-1] if last else stated[0]
    beside = stated[-2:] if last else stated[:2]
    if len(beside) == 2 and beside[0] != beside[1] and _ONE_OF.fullmatch(text[beside[0].end : beside[1].begin]):
        return None
    return _of_stated(chosen, text, percent)


def _close(one: Fraction, other: Fraction, relative: float, absolute: float) -> bool:
    """As :func:`math.isclose`, of numbers that no float can hold as well."""
    return abs(one - other) <= max(Fraction(relative) * max(abs(one), abs(other)), Fraction(absolute))


@dataclass(frozen=True)
class NumericEvaluator:
    """:func:`numeric` with its settings."""

    relative: float
    absolute: float
    percent: bool

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read and compared."""
        return reading_id("numeric")

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
