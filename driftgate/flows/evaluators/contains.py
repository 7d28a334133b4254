"""Does a text hold every part it must hold, such as a prompt its question and all its options?"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import is_silent
from driftgate.flows.evaluators._text import texts
from driftgate.flows.quantities.prose import Stated, stated_in
from driftgate.flows.wording import stands_in


def contains(*, text: str | None, parts: str | Sequence[str]) -> dict[str, float]:
    """Share of ``parts`` that stand in ``text``, white space and Unicode form aside; a text in their place is one part.

    A part that begins or ends within a quantity of the text does not stand there; another writing of its quantity does.
    In a text that is not there stands nothing, and a part that is empty stands nowhere.

    Raises
    ------
    DriftgateError
        There is no part, so that nothing can be said of the text.

    Examples
    --------
    >>> contains(text="수도는?\\nA. 부산\\nB. 서울", parts=["부산", "서울", "대구", "인천"])
    {'share': 0.5, 'complete': 0.0}
    >>> contains(text="요금은 1만 5천 원, 기간은 13일입니다.", parts=["15,000원", "5천 원", "3일"])["share"]
    0.3333333333333333
    """
    sought = texts(parts)
    if is_silent(text) or text is None:
        return {"share": 0.0, "complete": 0.0}
    if not sought:
        raise DriftgateError(
            "parts is an empty list, expected one part or more that the text must hold",
            "leave out samples without parts: unless_empty, with the column that parts is read from",
        )
    held = _Held(text)
    found = sum(held.holds(part) for part in sought)
    return {"share": found / len(sought), "complete": float(found == len(sought))}


class _Held:
    """A text that is searched for several parts; quantities are read line by line, and only where a part ends."""

    def __init__(self, text: str) -> None:
        self._text = text
        lines = filter(None, map(_normal, text.splitlines()))
        self._lines = "\n".join(lines)
        self._plain = self._lines.replace("\n", " ")
        self._stated: dict[int, Sequence[Stated]] = {}

    def holds(self, part: str) -> bool:
        """Whether a part stands in the text."""
        sought = _normal(part)
        if is_silent(sought):
            return False
        place = self._plain.find(sought)
        while place >= 0:
            if not (self._cut(place) or self._cut(place + len(sought))):
                return True
            place = self._plain.find(sought, place + len(sought))
        return bool(stated_in(sought)) and stands_in(self._text, part)

    def _cut(self, place: int) -> bool:
        """Whether a place lies within something that its line states."""
        begin = self._lines.rfind("\n", 0, place) + 1
        if place == begin or self._lines[place : place + 1] in ("", "\n"):
            return False
        if begin not in self._stated:
            self._stated[begin] = stated_in(self._lines[begin:].partition("\n")[0])
        return any(one.begin < place - begin < one.end for one in self._stated[begin])


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


@dataclass(frozen=True)
class Contains:
    """:func:`contains`, which has no settings."""

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read and compared."""
        return reading_id("contains")

    def __call__(self, *, text: str | None, parts: str | Sequence[str]) -> dict[str, float]:
        """Share of ``parts`` that stand in ``text``; see :func:`contains`."""
        return contains(text=text, parts=parts)


def make() -> Contains:
    """Make the evaluator; it has no settings."""
    return Contains()
