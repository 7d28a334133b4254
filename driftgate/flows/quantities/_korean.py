"""Korean numerals: ``2만 5천``, ``3억 2,500만``, ``이만 오천``, ``스물다섯``, ``삼분의 이``, ``영점 오``.

Source: National Institute of Korean Language, rules of Hangul orthography, article 44 (numbers are written by units of
만), and Standard Korean Dictionary for the native numerals and the forms that stand before a counter.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from driftgate.flows.quantities._expression import NUMBER

_DIGITS = {"영": 0, "공": 0, "일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "륙": 6, "칠": 7, "팔": 8, "구": 9}
_SMALL = {"천": 1000, "백": 100, "십": 10}
_LARGE = {"조": 10**12, "억": 10**8, "만": 10**4}
_TENS = {
    "열": 10, "스물": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90,
}  # fmt: skip
_ONES = {
    "하나": 1, "둘": 2, "셋": 3, "넷": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
_BEFORE_COUNTER = {"한": 1, "두": 2, "세": 3, "석": 3, "네": 4, "넉": 4}
"""Forms of the first four that stand before a counter only; alone each is another word."""

LETTERS = "영공일이삼사오육륙칠팔구십백천만억조"
"""Syllables of Sino-Korean numerals."""
_NATIVE = re.compile(
    rf"(?P<tens>{'|'.join(_TENS)}|스무)?(?P<ones>{'|'.join((*_ONES, *_BEFORE_COUNTER))})?"
)  # 스무 is 스물 before a counter
_SIGN = re.compile(r"(?:마이너스|음수|[-−])\s*")
_SPACE = re.compile(r"\s+")
_TWO = re.compile(r"\d\s+[\d.,]")
"""Two numbers side by side."""
_PART = re.compile(rf"(?P<number>{NUMBER})|(?P<digit>[{''.join(_DIGITS)}])|(?P<small>[천백십])|(?P<large>[조억만])")


@lru_cache(maxsize=65536)
def read_korean(text: str, *, counted: bool = False) -> Fraction | None:
    """The number that a text is as a whole; None where it is none.

    Parameters
    ----------
    text : str
        In form NFKC.
    counted : bool
        Whether a unit or a counter follows: only then is ``한`` a number, or one syllable such as ``삼``.

    Examples
    --------
    >>> [int(read_korean(t)) for t in ("2만 5천", "3억 2,500만", "이만 오천", "스물다섯", "2.5만", "12만 3456")]
    [25000, 325000000, 25000, 25, 25000, 123456]
    >>> [str(read_korean(t)) for t in ("삼분의 이", "2와 3분의 1", "영점 오", "마이너스 3", "한", "이", "서울")]
    ['2/3', '7/3', '1/2', '-3', 'None', 'None', 'None']
    >>> int(read_korean("스무", counted=True)), int(read_korean("세", counted=True))
    (20, 3)
    """
    sign = _SIGN.match(text)
    if sign:
        found = read_korean(text[sign.end() :], counted=counted) if not _SIGN.match(text, sign.end()) else None
        return None if found is None else -found
    if _TWO.search(text):
        return None
    joined = _SPACE.sub("", text)
    whole, below, above = _fraction(joined)
    if below:
        parts = [_plain(part, counted=True) for part in (below, above)]
        extra = _plain(whole, counted=True) if whole else Fraction(0)
        if parts[0] is None or parts[1] is None or not parts[0] or extra is None:
            return None
        return extra + parts[1] / parts[0]
    whole, point, decimals = joined.partition("점")
    if point and whole and decimals and set(decimals) <= set(_DIGITS):
        before = _plain(whole, counted=True)
        digits = "".join(str(_DIGITS[syllable]) for syllable in decimals)
        return None if before is None else before + Fraction(int(digits), 10 ** len(digits))
    return _plain(joined, counted=counted)


def _fraction(text: str) -> tuple[str, str, str]:
    """The whole number before a fraction, its denominator and its numerator; all empty where there is none."""
    before, of, above = text.partition("분의")
    if not of or not before or not above:
        return "", "", ""
    for word in ("와", "과", "하고"):
        whole, between, below = before.rpartition(word)
        if between and whole and below:
            return whole, below, above
    return "", before, above


def _plain(text: str, *, counted: bool) -> Fraction | None:
    """A numeral without sign, fraction or decimals in words, and without spaces."""
    if re.fullmatch(NUMBER, text):
        return Fraction(text.replace(",", ""))
    if len(text) == 1 and not counted and text not in _LARGE and text not in _SMALL:
        return None
    found = _native(text, counted=counted)
    return found if found is not None else _sino(text)


def _native(text: str, *, counted: bool) -> Fraction | None:
    """Native numerals up to 99, with hundreds before them."""
    head = re.match(r"[천백일이삼사오육칠팔구]*[천백]", text)
    above = _sino(head[0]) if head else Fraction(0)
    match = _NATIVE.fullmatch(text, head.end() if head else 0)
    if match is None or above is None or not (match["tens"] or match["ones"]):
        return None
    tens, ones = match["tens"] or "", match["ones"] or ""
    if not counted and (tens == "스무" or ones in _BEFORE_COUNTER):
        return None
    if tens == "스무" and ones:
        return None
    return above + _TENS.get(tens.replace("스무", "스물"), 0) + {**_ONES, **_BEFORE_COUNTER}.get(ones, 0)


def _sino(text: str) -> Fraction | None:
    """Sino-Korean numerals and digits with 십, 백, 천, 만, 억, 조."""
    total = group = Fraction(0)
    number: Fraction | None = None  # what the next unit multiplies
    small, large, place = 10**4, 10**16, 0
    while place < len(text):
        match = _PART.match(text, place)
        if match is None:
            return None
        place = match.end()
        if match["number"] or match["digit"]:
            if number is not None:
                return None
            number = (
                Fraction(match["number"].replace(",", "")) if match["number"] else Fraction(_DIGITS[match["digit"]])
            )
            continue
        if match["small"]:
            unit = _SMALL[match["small"]]
            if unit >= small or number == 0 or (number is not None and group and number >= 10):
                return None
            group += (Fraction(1) if number is None else number) * unit
            small, number = unit, None
            continue
        unit = _LARGE[match["large"]]
        group += number or 0
        if unit >= large or (not group and (total or number == 0 or match["large"] != "만")):
            return None
        if total and group >= 10**4:
            return None
        total += (group or Fraction(1)) * unit
        group, number, small, large = Fraction(0), None, 10**4, unit
    if number is not None:
        if number >= (small if small < 10**4 else large if total else number + 1):
            return None
        if number.denominator != 1 and (total or group):
            return None
        group += number
    if total and group >= 10**4:
        return None
    return total + group
