"""The last JSON object in a judge's reply that holds a grade."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_FINAL = (
    "finalscore", "overallscore", "totalscore", "finalgrade", "overallgrade", "finalrating", "overallrating",
    "최종점수", "종합점수", "총점", "최종등급", "최종평점", "종합평점",
)  # fmt: skip
_GRADES = (
    "score", "grade", "rating", "stars", "mark", "points",
    "점수", "등급", "평점", "별점", "평가점수", "채점점수", "채점", "평가", "결과", "result", "verdict", "overall",
)  # fmt: skip
_ATTEMPTS = 400
_DEEP = 4
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})


class Several:
    """More than one grade where one is expected."""


def plain_key(name: object) -> str:
    """A key without case, spaces and marks.

    >>> plain_key("**최종 점수**"), plain_key("Final_Score")
    ('최종점수', 'finalscore')
    """
    return re.sub(r"[^0-9a-z가-힣]", "", unicodedata.normalize("NFKC", str(name)).casefold())


def grade_keys(key: str) -> tuple[str, ...]:
    """The names that a grade may have, the surest first."""
    own = plain_key(key)
    return (*_FINAL, own, f"{own}score", *_GRADES)


def last_graded(said: str, key: str) -> Mapping[str, Any] | type[Several] | None:
    """The last object in a text that holds a grade, :class:`Several` where it stands in a list of such; None without.

    Examples
    --------
    >>> last_graded('First {"score": 2}, no: ```{"score": 4, "reason": "r"}```', "score")
    {'score': 4, 'reason': 'r'}
    >>> last_graded("{'점수': 4,}", "score"), last_graded('[{"score": 4}, {"score": 1}]', "score") is Several
    ({'점수': 4}, True)
    """
    for text in _mended(said):
        if found := [one for value in _values(text) if (one := _graded(value, key)) is not None]:
            return found[-1]
    return None


def last_object(said: str, keys: Sequence[str]) -> Mapping[str, Any] | None:
    """The last object in a text that has one of the keys; None without.

    >>> last_object('{"winner": "A"} or rather {"winner": "B"}', ["winner"])
    {'winner': 'B'}
    """
    for text in _mended(said):
        objects = (one for value in _values(text) for one in (value if isinstance(value, list) else [value]))
        found = [one for one in objects if isinstance(one, Mapping) and {plain_key(name) for name in one} & {*keys}]
        if found:
            return found[-1]
    return None


def _mended(said: str) -> Sequence[str]:
    """A text as it is, with plain quotes and digits, and without commas before an end."""
    usual = unicodedata.normalize("NFKC", said).translate(_QUOTES)
    return list(dict.fromkeys((said, usual, re.sub(r",\s*([}\]])", r"\1", usual))))


def spoken_value(found: Mapping[str, Any], key: str, deep: int = 0) -> Any:
    """The value of an object's grade; :class:`Several` where it is a list or there are several; None without one."""
    by_key = {plain_key(name): value for name, value in found.items()}
    for name in grade_keys(key):
        if name not in by_key:
            continue
        value = by_key[name]
        if isinstance(value, Mapping):
            inner = spoken_value({"score": value.get("value"), **value}, key, deep + 1) if deep < _DEEP else None
            if inner is not None:
                return inner
            if len([one for one in value.values() if isinstance(one, (int, float))]) > 1:
                return Several
        elif isinstance(value, list):
            return value[0] if len(value) == 1 and not isinstance(value[0], (list, dict)) else Several
        elif value is not None or name == "score":
            return value
    inside = [
        value
        for one in found.values()
        if isinstance(one, Mapping) and deep < _DEEP and (value := spoken_value(one, key, deep + 1)) is not None
    ]
    return Several if len(inside) > 1 else inside[0] if inside else None


def _graded(value: Any, key: str) -> Mapping[str, Any] | type[Several] | None:
    if isinstance(value, list):
        inner = [one for one in value if isinstance(one, Mapping) and _graded(one, key) is not None]
        if len(inner) == 1:
            return inner[0]
        return Several if inner else None
    if "status" in value and "score" in value:
        return value  # type: ignore[no-any-return]
    return value if spoken_value(value, key) is not None else None


def _values(text: str) -> Iterator[Any]:
    """Every object, and list of objects or numbers alone, in a text, one after the other."""
    place, attempts = 0, 0
    decoder = json.JSONDecoder()
    while attempts < _ATTEMPTS and (found := _BEGINS.search(text, place)):
        attempts += 1
        try:
            value, place = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            value, place = _python(text, found.start())
        if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value)):
            yield value
        elif isinstance(value, list) and text.strip() == text[found.start() : place]:
            yield {"score": value}


_BEGINS: Final = re.compile(r"[{\[]")
_FLAT: Final = re.compile(r"\{[^{}]{1,4000}\}")


def _python(text: str, start: int) -> tuple[Any, int]:
    """A mapping as Python writes it; None where it is none, and where to look on."""
    if found := _FLAT.match(text, start):
        try:
            value = ast.literal_eval(found[0])
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None, start + 1
        if isinstance(value, dict):
            return value, found.end()
    return None, start + 1
