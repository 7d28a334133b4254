r"""Read an expression of numbers, plain or LaTeX: ``70,000``, ``-3/4``, ``2\sqrt{3}``, ``\frac{5\pi}{6}``, ``3×10^5``.

No letters stand for numbers but π: an expression with an unknown in it is no quantity. What two readers could read in
two ways (``1/2π``) is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from driftgate.flows.quantities._value import NoValue, Value

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3}(?![\d.]))?|\.\d+"
_TOKEN = re.compile(rf"\s*(?:(?P<number>{NUMBER})|(?P<command>\\[a-zA-Z]+)|(?P<sign>[-+*/^(){{}}\[\]√∛π]))")
_SPAN = re.compile(r"\d+(?:-\d+)+|\d+ - \d+ - \d+")
"""A date, or from one number to another."""
_DEEPEST = 40
_LONGEST = 400
"""Characters of an expression; a longer one is no answer to a question of an exam."""
_FRACTIONS = frozenset({r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"})
_DIGIT = re.compile(r"(\\(?:[dtc]?frac|sqrt)(?![a-zA-Z]))\s*(\d)|(\\[dtc]?frac\s*\{[^{}]*\})\s*(\d)")
"""As TeX has it, a command without a group takes the next digit: ``\\frac12``."""
_TIMES = {r"\times": "*", r"\cdot": "*", r"\div": "/", r"\pi": "π"}


@lru_cache(maxsize=65536)
def read_expression(text: str) -> Value | None:
    r"""The value of a text that is an expression as a whole; None where it is none, or could be two.

    Examples
    --------
    >>> [read_expression(t).text for t in ("70,000.0", r"\frac{3}{4}", "2√3", "1 1/2", "3 * (4 - 6)")]
    ['70000', '3/4', '2*√3', '3/2', '-6']
    >>> [read_expression(t) for t in ("1/2π", "x + 1", "3-5", "3:2", "1/0", "")]
    [None, None, None, None, None, None]
    """
    if len(text) > _LONGEST or _SPAN.fullmatch(text.strip()):
        return None
    try:
        tokens = list(_tokens(text))
        reader = _Reader(tokens)
        found = reader.sum() if tokens else None
    except (NoValue, _Unread):
        return None
    return found if reader.done else None


class _Unread(ValueError):
    """It is no expression."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    apart: bool
    """Whether white space stands before it."""


def _tokens(text: str) -> Iterator[_Token]:
    for _ in range(2):
        text = _DIGIT.sub(lambda m: f"{m[1] or m[3]}{{{m[2] or m[4]}}}", text)
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise _Unread
        kind = match.lastgroup or ""
        found = _TIMES.get(match[kind], match[kind])
        apart = match.start(kind) > place
        yield _Token("sign" if found in ("*", "/", "π") else kind, found, apart)
        place = match.end()


@dataclass
class _Reader:
    """Recursive descent over the tokens."""

    tokens: list[_Token]
    place: int = field(default=0)
    depth: int = 0

    @property
    def done(self) -> bool:
        return self.place == len(self.tokens)

    def _next(self) -> _Token | None:
        return None if self.done else self.tokens[self.place]

    def _take(self, *signs: str) -> str:
        """The next token's text where it is one of the signs; empty, and nothing taken, where it is not."""
        token = self._next()
        if token is None or token.kind == "number" or token.text not in signs:
            return ""
        self.place += 1
        return token.text

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise _Unread

    def sum(self) -> Value:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Unread
        sign = self._take("-", "+")
        found = -self._product() if sign == "-" else self._product()
        while sign := self._take("-", "+"):
            term = self._product()
            found = found + (-term if sign == "-" else term)
        self.depth -= 1
        return found

    def _product(self) -> Value:
        found, divided = self._factor(), False
        while not self.done:
            sign = self._take("*", "/")
            if not sign and not self._juxtaposed():
                break
            if not sign and divided:
                raise _Unread  # 1/2π is π/2 to one reader and 1/(2π) to another
            factor = self._signed_factor() if sign else self._factor()
            found = found / factor if sign == "/" else found * factor
            divided = sign == "/"
        return found

    def _juxtaposed(self) -> bool:
        """Whether the next token begins a factor without a sign before it; two numbers side by side are no product."""
        token = self._next()
        before = self.tokens[self.place - 1]
        if token is None or token.kind == "number":
            return False
        if token.text == "(":
            return not token.apart  # 12 (3 × 4) is a number and where it comes from
        return token.text in ("√", "∛", "π", r"\sqrt") or (token.text in _FRACTIONS and before.kind != "number")

    def _signed_factor(self) -> Value:
        sign = self._take("-", "+")
        return -self._factor() if sign == "-" else self._factor()

    def _factor(self) -> Value:
        base = self._base()
        if not self._take("^"):
            return base
        return base.power(self._rational(self._exponent()))

    def _exponent(self) -> Value:
        if self._take("{"):
            return self._closed("}")
        if self._take("("):
            return self._closed(")")
        sign = self._take("-", "+")
        number = self._number()
        return -number if sign == "-" else number

    def _base(self) -> Value:
        token = self._next()
        if token is None:
            raise _Unread
        if token.kind == "number":
            return self._mixed(self._number())
        self.place += 1
        if token.text == "(":
            return self._closed(")")
        if token.text == "{":
            return self._closed("}")
        if token.text == "π":
            return Value.pi()
        if token.text in ("√", "∛"):
            return self._argument().power(Fraction(1, 2 if token.text == "√" else 3))
        if token.text in _FRACTIONS:
            above = self._argument()
            return above / self._argument()
        if token.text == r"\sqrt":
            degree = self._rational(self._closed("]")) if self._take("[") else Fraction(2)
            if degree < 2 or degree.denominator != 1:
                raise _Unread
            return self._argument().power(1 / degree)
        raise _Unread

    def _mixed(self, whole: Value) -> Value:
        r"""A number with a proper fraction beside it: ``1 1/2``, ``1\frac{1}{2}``."""
        begin = self.place
        token = self._next()
        if token is None or (number := whole.rational) is None or number.denominator != 1:
            return whole
        if token.kind == "number" and token.apart:
            above = self._number()
            if not self._take("/"):
                raise _Unread
            fraction = above / self._number()
        elif token.text in _FRACTIONS:
            self.place += 1
            above = self._argument()
            fraction = above / self._argument()
        else:
            return whole
        proper = fraction.rational
        if proper is None or not 0 < proper < 1:
            self.place = begin
            raise _Unread  # 3\frac{5}{2} is a product to one reader and a slip to another
        return whole + fraction

    def _argument(self) -> Value:
        """What a command or a root sign is given."""
        if self._take("{"):
            return self._closed("}")
        if self._take("("):
            return self._closed(")")
        return self._base()

    def _closed(self, sign: str) -> Value:
        found = self.sum()
        self._expect(sign)
        return found

    def _number(self) -> Value:
        token = self._next()
        if token is None or token.kind != "number":
            raise _Unread
        self.place += 1
        return Value.of(Fraction(token.text.replace(",", "")))

    @staticmethod
    def _rational(value: Value) -> Fraction:
        found = value.rational
        if found is None:
            raise _Unread
        return found
