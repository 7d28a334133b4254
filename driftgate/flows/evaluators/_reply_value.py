"""One grade as a judge writes it: a number, ``4/5``, ``4점``, ``네 점``, ``four stars``, ``★★★★☆``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = r"\d+(?:\.\d+)?"
_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_OF = re.compile(rf"([+-]?{_NUMBER})\s*점?\s*(?:/|out of|of)\s*({_NUMBER})\s*점?", re.IGNORECASE)
_FULL = re.compile(rf"({_NUMBER})\s*점?\s*(?:만점에서?|만점\s*(?:중에?|기준)|점?\s*중에?)\s*({_NUMBER})\s*점?")
_BRACKETED = re.compile(rf"({_NUMBER})\s*점?\s*[(\[]\s*({_NUMBER})\s*점?\s*만점")
_ALONE = re.compile(rf"([+-]?{_NUMBER})\s*(?:점|stars?|points?)?", re.IGNORECASE)
_RANGE = re.compile(rf"{_NUMBER}\s*점?\s*(?:~|-|–|to|에서)\s*{_NUMBER}\s*점?(?:\s*사이)?", re.IGNORECASE)
_LIST = re.compile(rf"[\[(]?\s*{_NUMBER}점?(?:\s*,\s*{_NUMBER}점?)+\s*[\])]?")
_PERCENT = re.compile(rf"{_NUMBER}\s*(?:%|percent|퍼센트|프로)", re.IGNORECASE)
_USUAL = (5.0, 7.0, 10.0, 20.0, 100.0)
"""Highest grades of scales that judges know; three of four facts are no grade."""
_DECORATION = " \t\n\"'`*_.!()[]{}<>|:="
_ENDING = re.compile(r"\s*(?:입니다|이다|이에요|예요|을 드립니다|을 줍니다|을 부여합니다|드립니다)$")


@dataclass(frozen=True)
class Scale:
    """The grades that there are.

    >>> str(Scale(1, 5)), str(Scale(0, 0.5))
    ('1 to 5', '0 to 0.5')
    """

    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.lowest:g} to {self.highest:g}"


@dataclass(frozen=True)
class Value:
    """A grade, or why what was written is none of the scale."""

    grade: float | None
    why: str = ""


def read_value(said: object, scale: Scale) -> Value | None:
    """What a grade is, as it was written; None where it is none.

    Examples
    --------
    >>> five = Scale(1, 5)
    >>> [read_value(said, five).grade for said in (4, "4점입니다.", "네 점", "4/5", "5점 만점에 4점", "four stars")]
    [4.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    >>> read_value("7/10", five).why, read_value("80%", five).why, read_value("3~4점", five).why
    ('gave 7 of 10', 'gave 80%', "gave a range, '3~4점'")
    >>> read_value("좋음", five)
    """
    if isinstance(said, (int, float)):
        return Value(float(said)) if math.isfinite(said) else None
    text = _ENDING.sub("", str(said).strip(_DECORATION)).strip(_DECORATION)
    if re.fullmatch("★+☆*", text):
        return _of(float(text.count("★")), float(len(text) if "☆" in text else scale.highest), scale)
    if found := _OF.fullmatch(text):
        return _of(float(found[1]), float(found[2]), scale)
    if found := _BRACKETED.fullmatch(text):
        return _of(float(found[1]), float(found[2]), scale)
    if found := _FULL.fullmatch(text):
        return _of(float(found[2]), float(found[1]), scale)
    if found := _ALONE.fullmatch(text):
        return Value(float(found[1]))
    if _PERCENT.fullmatch(text):
        return Value(None, f"gave {text}")
    if _RANGE.fullmatch(text):
        return Value(None, f"gave a range, '{text}'")
    if _LIST.fullmatch(text):
        return Value(None, f"gave a list, '{text}'")
    return _in_words(text, scale)


def _in_words(text: str, scale: Scale) -> Value | None:
    found = re.fullmatch(r"([a-z]+)(?:\s+(?:stars?|points?))?(?:\s+out of\s+([a-z]+|\d+))?", text.lower())
    if found and found[1] in _ENGLISH:
        of = found[2] or f"{scale.highest:g}"
        if of in _ENGLISH or of.isdigit():
            most = _ENGLISH.index(of) if of in _ENGLISH else int(of)
            return _of(float(_ENGLISH.index(found[1])), float(most), scale)
    if not re.fullmatch(r"[가-힣]{1,4}(?:\s*점)?", text):
        return None
    from driftgate.flows.quantities import read_quantity

    quantity = read_quantity(text)
    if quantity is None or (quantity.unit is not None and quantity.unit.name != "점"):
        return None
    terms = quantity.value.terms
    return Value(float(terms[0][1]) if terms else 0.0)


def _of(grade: float, most: float, scale: Scale) -> Value:
    return Value(grade) if most == scale.highest else Value(None, f"gave {grade:g} of {most:g}")


def denominators(said: str, grade: float) -> list[float]:
    """The highest grades of usual scales that a judge says its own is of, as in ``3 out of 10``, ``10점 만점에 3점``.

    Examples
    --------
    >>> denominators('{"score": 3, "reason": "3 out of 10, as 2/4 facts are wrong"}', 3)
    [10.0]
    """
    pairs = [(float(m[1]), float(m[2])) for m in _OF.finditer(said)]
    pairs += [(float(m[2]), float(m[1])) for m in _FULL.finditer(said)]
    return [most for given, most in pairs if given == grade and most in _USUAL]
