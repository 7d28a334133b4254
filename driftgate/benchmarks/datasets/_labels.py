"""How exams write which choice is meant: ``B``, ``(b)``, ``나``, ``2``, ``2번``, ``②``, ``Ⅱ``, ``② 부산``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from driftgate.flows.letters import LETTERS

Kind = Literal["letter", "number"]

_SYLLABLES = "가나다라마바사아자차"
_CONSONANTS = unicodedata.normalize("NFKC", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊ")
# ① ❶ ➀ ➊ ⓵ and the numerals Ⅰ ⅰ, of which NFKC would make bare digits, nothing, or the letter I.
_NUMBERED = {start + k: f"({k + 1})" for start in (0x2460, 0x2776, 0x2780, 0x278A, 0x24F5) for k in range(10)}
_NUMBERED |= {start + k: str(k + 1) for start in (0x2160, 0x2170) for k in range(10)}
_LABEL = re.compile(
    r"(?:(?:정답|답|answer)\s?(?:은|는|is)?\s?:?\s?)?"
    r"[(\[<]?\s?(?:(?P<letter>[A-Ja-j])|(?P<syllable>[" + _SYLLABLES + r"])|(?P<consonant>[" + _CONSONANTS + r"])"
    r"|(?P<number>[0-9]{1,3}(?:\.0+)?(?![0-9])))"
    r"(?P<close>\s?[)\]>])?(?P<beon>\s?번)?(?P<stop>\s?[.:](?!\d))?(?P<space>\s+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Label:
    """A choice by its place."""

    kind: Kind
    place: int
    """From 0; it may lie beyond the choices of a question."""
    text: str
    """What follows the label, as in ``② 부산``, in the form of :func:`plain`; usually nothing."""

    @property
    def letter(self) -> str:
        """Its letter; empty where it lies beyond the last one there is."""
        return LETTERS[self.place] if 0 <= self.place < len(LETTERS) else ""


def plain(text: str) -> str:
    """One spelling for one text: form NFKC, with circled and Roman numbers as plain ones, and stripped.

    Examples
    --------
    >>> plain(" ② Ａ Ⅲ")
    '(2) A 3'
    """
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text.translate(_NUMBERED)).strip()


def read_label(answer: str) -> Label | None:
    """The label that an answer begins with, if there is one; numbers and letters in any usual writing.

    Examples
    --------
    >>> [read_label(text).letter for text in ("b", "B)", "나", "2번", "②", "(2)", "2.0", "정답: ②", "Ⅱ", "ㄴ")]
    ['B', 'B', 'B', 'B', 'B', 'B', 'B', 'B', 'B', 'B']
    >>> read_label("② 부산")
    Label(kind='number', place=1, text='부산')
    >>> read_label("Busan"), read_label("2.5"), read_label("나라")
    (None, None, None)
    """
    if len(answer) == 1 and "0" <= answer <= "9":  # the usual case, and quick to see
        return Label("number", int(answer) - 1, "")
    text = plain(answer)
    found = _LABEL.match(text)
    if found is None:
        return None
    rest = text[found.end() :]
    if rest and not any(found[part] for part in ("close", "beon", "stop", "space")):
        return None
    if found["number"]:
        return Label("number", int(float(found["number"])) - 1, rest)
    marks = (
        ((found["letter"] or "").upper(), LETTERS),
        (found["syllable"], _SYLLABLES),
        (found["consonant"], _CONSONANTS),
    )
    place = next(alphabet.index(mark) for mark, alphabet in marks if mark)
    return Label("letter", place, rest)
