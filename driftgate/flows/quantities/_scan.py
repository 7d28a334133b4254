"""Every quantity that stands in a sentence, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from driftgate.flows.quantities._expression import NUMBER, read_expression
from driftgate.flows.quantities._korean import LETTERS
from driftgate.flows.quantities._quantity import COPULA, Quantity, read_quantity
from driftgate.flows.quantities._units import UNIT
from driftgate.flows.quantities._value import Value

_SINO = f"[{LETTERS}]"
_NATIVE_TENS = "열|스물|스무|서른|마흔|쉰|예순|일흔|여든|아흔"
_NATIVE_ONES = "하나|둘|셋|넷|한|두|세|네|다섯|여섯|일곱|여덟|아홉"
_WORD_END = "(?![가-힣])|(?=[이가은는을를의로와과도만씩입])"
_MIXED = rf"(?:{NUMBER})\s?[십백천만억조](?:\s?(?:{NUMBER})?\s?[십백천만억조])*(?:\s?\d[\d,]*(?![\d.]))?"
_PARTED = rf"(?:(?:{NUMBER}|{_SINO}+)[와과]\s?)?(?:{NUMBER}|{_SINO}+)\s?분의\s?(?:{NUMBER}|{_SINO}+)"
_SPELLED = (
    rf"(?:(?:{_SINO}+\s?)?(?:(?:{_NATIVE_TENS})(?:{_NATIVE_ONES})?|(?:{_NATIVE_ONES}))(?=\s?(?:{UNIT})(?:{_WORD_END}))"
    rf"|(?={_SINO}\s?{_SINO}){_SINO}+(?:\s{_SINO}+)*(?=\s?(?:{UNIT}|{COPULA}|[.]|$)))"
)
_COMMANDS = r"\\(?:[dtc]?frac|sqrt|pi|times|cdot|div)(?![a-zA-Z])"
_EXPRESSION = rf"(?:[-+]\s?)?(?:{NUMBER}|{_COMMANDS}|[(√∛π])(?:\s?(?:{NUMBER}|{_COMMANDS}|[-+*/^(){{}}\[\]√∛π]))*"
_CANDIDATE = re.compile(
    rf"(?P<spelled>(?<![가-힣])(?:마이너스\s)?(?:{_PARTED}|{_SPELLED}))|(?P<mixed>(?<![\d.])(?:{_PARTED}|-?{_MIXED}))"
    rf"|(?P<expression>{_EXPRESSION})"
)
_UNIT_AFTER = re.compile(rf"\s?(?:{UNIT})")
_UNKNOWN = re.compile(r"[a-zA-Zα-ωΑ-Ω_]")
_OPERATED = re.compile(r"[a-zA-Zα-ωΑ-Ω)\]}!\d]\s?$")
_DATES = {("o'clock", "time"), ("months", "month of a year"), ("month of a year", "time")}
_LABEL = re.compile(r"(?:질문|문제|문항|보기|단계|(?i:question|step|problem|no\.))\s?(?:\([^()]*\)\s?)?$")
"""What makes a number the name of something."""
_PIECE = re.compile(rf"{NUMBER}|{_COMMANDS}|\S")


_LOOKED_BACK = 40
"""Characters before a number that can make it something else; a bound on the time that a long line takes."""
_LIMIT = re.compile(r"\s?(?:이상|이하|미만|초과|이내)|\s?[~:]\s?\d")
"""What makes a number a limit, a range or a ratio."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A quantity and where it stands."""

    begin: int
    end: int
    quantity: Quantity


def quantities_in(text: str) -> list[Standing]:
    """The quantities of a text that was cleaned, in its order; an expression with an unknown in it is none.

    Examples
    --------
    >>> [s.quantity.text for s in quantities_in("3상자에 4개씩이므로 모두 12개, 곧 이만 오천 원이다.")]
    ['3 상자', '4 개', '12 개', '25000 원']
    >>> [s.quantity.text for s in quantities_in("2x - 3 = 7이므로 y는 -5")]
    ['7', '-5']
    """
    return [found for found in _standing(text) if found is not None]


def unread_in(text: str) -> bool:
    """Whether a text holds numbers that are no quantity: of a limit, a ratio, a point, an expression with an unknown.

    Examples
    --------
    >>> [unread_in(text) for text in ("12개", "12개 이상", "2x + 1", "3:2", "(2, 3)")]
    [False, True, True, True, True]
    """
    return any(found is None for found in _standing(text))


def _standing(text: str) -> Iterator[Standing | None]:
    """Each candidate in its order, None where it could not be read; ``1시간 30분`` is one, and ``7시 30분`` none."""
    before: Standing | None = None
    for found in _candidates(text):
        if before is None or found is None or text[before.end : found.begin].strip():
            if before is not None:
                yield before
            if found is None:
                yield None
            before = found
            continue
        joined = _joined(before, found)
        if joined is None and _clock(before, found):
            yield None
            before = None
            continue
        if joined is None:
            yield before
        before = joined or found
    if before is not None:
        yield before


def _joined(one: Standing, other: Standing) -> Standing | None:
    """Two quantities side by side as one, where the second is in a smaller unit of the same."""
    ours, theirs = one.quantity.unit, other.quantity.unit
    if ours is None or theirs is None or ours.measures != theirs.measures or ours.factor <= theirs.factor:
        return None
    value = one.quantity.value + other.quantity.value * Value.of(theirs.factor / ours.factor)
    return Standing(one.begin, other.end, Quantity(value, ours))


def _clock(one: Standing, other: Standing) -> bool:
    """Whether two quantities side by side tell a date or the time of a day, which is no quantity."""
    ours, theirs = one.quantity.unit, other.quantity.unit
    return ours is not None and theirs is not None and (ours.measures, theirs.measures) in _DATES


def _candidates(text: str) -> Iterator[Standing | None]:
    """Each candidate by itself."""
    place = 0
    while match := _CANDIDATE.search(text, place):
        found = _read(text, match)
        yield found
        place = max(match.end(), match.start() + 1) if found is None else found.end


def _read(text: str, match: re.Match[str]) -> Standing | None:
    begin, end = match.span()
    before = text[max(0, begin - _LOOKED_BACK) : begin]
    if match.lastgroup == "expression":
        if _OPERATED.search(before) and (text[begin] in "-+(" or _UNKNOWN.match(text[begin - 1])):
            return None
        longest = _longest(text, begin, end)
        if longest is None:
            return None
        end = longest
    if _LABEL.search(before):
        return None
    unit = _UNIT_AFTER.match(text, end)
    after = unit.end() if unit else end
    if (unit is None and _UNKNOWN.match(text, end)) or _LIMIT.match(text, after):
        return None
    found = read_quantity(text[begin:after])
    if found is None and unit is not None:
        after = end
        found = read_quantity(text[begin:end])
    return Standing(begin, after, found) if found is not None else None


def _longest(text: str, begin: int, end: int) -> int | None:
    """The end of the longest beginning of a run that is an expression."""
    ends = [begin + piece.end() for piece in _PIECE.finditer(text[begin:end])]
    return next((e for e in reversed(ends[-16:]) if read_expression(text[begin:e]) is not None), None)
