"""Bring a text to the form the rules are written for, without losing the way back to the original."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−⁃﹣ー－"), "-")
_UNSEEN = frozenset(("Cf", "Mn", "Me"))
"""Categories of what is not seen or only adorns: joiners, marks of direction, variants, what strikes a digit out."""
_FILLERS = "\u115f\u1160"
"""Stand for a letter of Hangul that is not there; what is typed as U+3164 and U+FFA0 becomes one."""
_WRAPPED = re.compile(r"(?<=[0-9][-\u2010])[ \t]*\r?\n[ \t]*(?=[0-9])")
"""Where a line ends within a number, as it stands in what was read from a PDF."""


@dataclass(frozen=True)
class Folded:
    """A text in the form the rules read, and where each of its characters came from."""

    text: str
    starts: tuple[int, ...]
    """For every character of ``text`` the index of its origin; one more entry for the end."""
    ends: tuple[int, ...]
    """For every character of ``text`` the index after its origin."""

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The half-open range of the original that ``text[start:end]`` came from."""
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """Fold a text: Unicode form NFKC, every digit an ASCII digit, every dash a hyphen, invisible characters gone.

    Full-width digits, circled numbers, Hangul typed as separate letters (as macOS file names have it), soft
    hyphens and a line's end after a hyphen would each hide a value from a pattern. A character is folded together
    with the marks that combine with it, so that the result can be traced back.

    Examples
    --------
    >>> folded = fold("전화 ０１０－1234‑56７8")
    >>> folded.text
    '전화 010-1234-5678'
    >>> folded.origin(3, 16)
    (3, 16)
    """
    wrapped = {place for found in _WRAPPED.finditer(text) for place in range(*found.span())}
    if text.isascii() and not wrapped:
        places = tuple(range(len(text) + 1))
        return Folded(text, places, places[1:])
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for begin, end in _clusters(text):
        plain = "" if begin in wrapped else _fold_cluster(text[begin:end])
        letters.append(plain)
        starts += [begin] * len(plain)
        ends += [end] * len(plain)
    return Folded("".join(letters), (*starts, len(text)), tuple(ends))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Ranges of characters that normalise together: a base, its combining marks, the letters of one syllable."""
    breaks = [place for place, letter in enumerate(text) if not place or not _joins(letter)]
    return list(zip(breaks, [*breaks[1:], len(text)], strict=True))


@lru_cache(maxsize=4096)
def _joins(letter: str) -> bool:
    # Conjoining vowels and final consonants continue a syllable although Unicode does not call them combining.
    return bool(unicodedata.combining(letter)) or "\u1160" <= letter <= "\u11ff"


@lru_cache(maxsize=16384)
def _fold_cluster(cluster: str) -> str:
    plain = unicodedata.normalize("NFKC", cluster).translate(_DASHES)
    seen = (c for c in plain if unicodedata.category(c) not in _UNSEEN and c not in _FILLERS)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in seen)
