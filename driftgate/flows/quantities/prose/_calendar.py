"""Dates, times of day and ratios, which look like numbers and are none."""

from __future__ import annotations

import re

from driftgate.flows.quantities._korean import read_korean
from driftgate.flows.quantities.prose._stated import HALF_DAY, Stated

_YEAR = r"(?P<year>(?:1[0-9]|20|21)\d\d|\d\d)\s?년"
_KOREAN = re.compile(
    rf"(?:{_YEAR}(?!도?간|동안)(?:\s?(?P<month>1[0-2]|0?[1-9])\s?월(?:\s?(?P<day>[12]\d|3[01]|0?[1-9])\s?일)?)?)"
    r"|(?P<month_only>1[0-2]|0?[1-9])\s?월(?:\s?(?P<day_only>[12]\d|3[01]|0?[1-9])\s?일)?(?![가-힣]*\s?수익)"
)
_SIGNS = re.compile(
    r"(?P<year>(?:19|20|21)\d\d)\s?(?P<sign>[-./])\s?(?P<month>1[0-2]|0?[1-9])"
    r"(?:\s?(?P=sign)\s?(?P<day>[12]\d|3[01]|0?[1-9]))?\.?(?![\d-])"
)
_HALF_DAY = r"(?P<half>오전|오후|새벽|아침|저녁|밤|낮)?\s?"
_HOUR = r"(?P<hour>2[0-4]|1\d|0?\d|열두|열한|열|아홉|여덟|일곱|여섯|다섯|네|세|두|한)"
_TIME = re.compile(
    rf"{_HALF_DAY}{_HOUR}\s?시(?!간|[가-힣]*[간장청])(?:\s?(?P<minute>[0-5]?\d)\s?분|\s?(?P<thirty>반)(?![가-힣]))?"
)
_COLON = re.compile(
    r"(?P<half>오전|오후)?\s?(?P<hour>2[0-4]|1\d|0?\d):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?!\d|\s?:)"
    r"(?:\s?(?P<latin>[aApP]\.?[mM]\.?))?"
)
_LATIN = re.compile(r"(?P<hour>1[0-2]|0?\d)\s?(?P<latin>[aApP]\.?[mM]\.?)(?![A-Za-z])")
_RATIO = re.compile(r"(?P<one>\d{1,9}(?:\.\d+)?)\s?(?::|대(?=\s?\d))\s?(?P<other>\d{1,9}(?:\.\d+)?)(?!\d|살)")
_NOON = re.compile(r"정오|자정")
_LATER = frozenset({"오후", "저녁"})


def _korean_date(text: str, place: int) -> Stated | None:
    match = _KOREAN.match(text, place)
    if match is None or _inside(text, place):
        return None
    year = match["year"]
    month, day = match["month"] or match["month_only"], match["day"] or match["day_only"]
    if year and len(year) == 2 and not month:
        return None  # 24년 is as often a time that something took
    full = None if year is None else int(year) + (2000 if len(year) == 2 else 0)
    return Stated("date", (full, _int(month), _int(day)), place, match.end())


def _signed_date(text: str, place: int) -> Stated | None:
    match = _SIGNS.match(text, place)
    if match is None or _inside(text, place) or (match["day"] is None and match["sign"] != "-"):
        return None
    if match["day"] is None and len(match["month"]) < 2:
        return None
    return Stated("date", (int(match["year"]), int(match["month"]), _int(match["day"])), place, match.end())


def _time(text: str, place: int) -> Stated | None:
    if _inside(text, place):
        return None
    if noon := _NOON.match(text, place):
        return Stated("time", (12 if noon[0] == "정오" else 0, 0), place, noon.end())
    match = _TIME.match(text, place) or _COLON.match(text, place) or _LATIN.match(text, place)
    if match is None:
        return None
    parts = match.groupdict()
    hour = parts["hour"]
    value = int(hour) if hour.isdigit() else int(read_korean(hour, counted=True) or 0)
    half, latin = parts.get("half") or "", (parts.get("latin") or "").lower()
    night = half == "밤" and value >= 6
    day = half == "낮" and value < 6
    if (half in _LATER or night or day or latin.startswith("p")) and value < 12:
        value += 12
    elif ((half in ("오전", "새벽", "아침", "밤") and not night) or latin.startswith("a")) and value == 12:
        value = 0
    minute = 30 if parts.get("thirty") else int(parts.get("minute") or 0)
    return Stated("time", (value, minute), place, match.end(), measure=HALF_DAY if half or latin else "")


def _ratio(text: str, place: int) -> Stated | None:
    match = _RATIO.match(text, place)
    if match is None or _inside(text, place):
        return None
    return Stated("ratio", (match["one"], match["other"]), place, match.end())


def _inside(text: str, place: int) -> bool:
    """Whether a number or a word goes on here, so that nothing begins."""
    before = text[place - 1 : place] if place else ""
    here = text[place : place + 1]
    if here.isdigit():
        return before.isdigit() or (before != "" and before in ".,-/:") or (before.isascii() and before.isalpha())
    return "가" <= before <= "힣"


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)


FORMS = (_korean_date, _signed_date, _time, _ratio)
"""Readers of what begins at one place."""
FORMS_IN_WORDS = (_time,)
"""Those of them that may begin with something else than a digit."""
