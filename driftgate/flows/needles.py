"""Find texts in whatever is kept, however it is composed (NFC or NFD) and in whatever case."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

FORGOTTEN = "(forgotten)"
"""What stands in place of a text that was forgotten, so that nobody takes it for one that was empty."""


@dataclass(frozen=True)
class Needles:
    """Texts that are looked for.

    Examples
    --------
    >>> sought = Needles(("Kim Minsu",))
    >>> sought.in_text("asked by KIM MINSU today"), sought.in_text("asked by Kim")
    (True, False)
    >>> sought.without({"q": ["kim minsu?", 1], "kim minsu": None})
    {'q': ['(forgotten)', 1], '(forgotten)': None}
    """

    texts: Sequence[str]

    def in_text(self, text: str) -> bool:
        """Whether any of them is part of a text."""
        if not self.texts:
            return False
        folded = fold(text)
        return any(one in folded for one in self._folded)

    def in_value(self, value: Any) -> bool:
        """Whether any of them is part of a text in a JSON value, keys included."""
        if isinstance(value, str):
            return self.in_text(value)
        if isinstance(value, (list, tuple)):
            return any(map(self.in_value, value))
        return isinstance(value, dict) and any(self.in_text(k) or self.in_value(v) for k, v in value.items())

    def in_written(self, text: str) -> bool:
        """As :meth:`in_text`, of a file's text: also as HTML, JSON or an address writes them."""
        if not self.texts:
            return False
        folded = fold(text)
        return any(one in folded for one in self._written)

    def without(self, value: Any) -> Any:
        """A JSON value in which :data:`FORGOTTEN` stands in place of every text that has one of them."""
        if isinstance(value, str):
            return FORGOTTEN if self.in_text(value) else value
        if isinstance(value, (list, tuple)):
            return [self.without(inner) for inner in value]
        return {self.without(k): self.without(v) for k, v in value.items()} if isinstance(value, dict) else value

    @cached_property
    def _folded(self) -> list[str]:
        return [fold(text) for text in self.texts]

    @cached_property
    def _written(self) -> list[str]:
        found = set(self._folded)
        for text in self.texts:
            # A text may be in neither form: some characters are only kept for old encodings, and both replace them.
            for as_is in {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}:
                plain, escaped = json.dumps(as_is, ensure_ascii=False)[1:-1], json.dumps(as_is)[1:-1]
                ways = (html.escape(as_is), plain, escaped, html.escape(plain), quote(as_is), quote(as_is, safe=""))
                found |= {fold(way) for way in ways}
        return sorted(found)


def strings_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from strings_in(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings_in(inner)


def fold(text: str) -> str:
    """A text as it is compared.

    Examples
    --------
    >>> fold("STRASSE") == fold("Straße"), fold("\\u1112\\u1161\\u11ab") == fold("한")
    (True, True)
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
