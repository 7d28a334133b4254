"""What words are to one another (the same, opposites, of no weight) by ``word_kinds.yaml``, and what a text has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from driftgate.flows.yaml_text import parse

FILE = Path(__file__).parent / "word_kinds.yaml"

_LONGEST = 20
"""Syllables of a word that is taken apart."""
_ONE = re.compile("[가-힣]|[a-z].*")
"""A noun of one syllable, or a Latin word: found as a whole word alone."""
_AFTER = frozenset("은는이가을를에의로으과와도만부까보하되된할한해")
"""First syllables of what may follow a noun in its word."""
_ENDINGS = frozenset("에은는이가을를의도로만")
"""Particles of one syllable, as they stand behind a word of one."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """What words are to one another."""

    same: tuple[re.Pattern[str], ...]
    """Words that say the same, each of one thing."""
    general: frozenset[str]
    """Words for which no evidence is asked."""
    behind: frozenset[str]
    """Syllables behind a noun that leave what it names."""
    before: frozenset[str]
    """Such syllables before it."""
    other: frozenset[str]
    """Syllables before a noun that make another thing of it."""
    opposites: Mapping[str, tuple[tuple[re.Pattern[str], ...], ...]]
    """By group, kinds of words that exclude each other."""


@cache
def kinds() -> Kinds:
    """The kinds of ``word_kinds.yaml``."""
    read = parse(FILE.read_bytes().decode(), FILE.name)[1]
    words = {name: frozenset(read[name].split()) for name in ("general", "behind", "before", "other")}
    opposites = {
        name: tuple(tuple(re.compile(one) for one in line.split(" / ")) for line in lines)
        for name, lines in read["opposites"].items()
    }
    return Kinds(same=tuple(re.compile(one) for one in read["same"]), opposites=opposites, **words)


@lru_cache(maxsize=4096)
def close(text: str) -> str:
    """A text without spaces and case, with a mark where a word begins."""
    return "·" + "·".join(re.findall(r"[가-힣]+|\d+|[^\W\d가-힣]+", text.lower()))


@lru_cache(maxsize=65536)
def stands(word: str, text: str) -> bool:
    """Whether a text, as :func:`close` gives it, names what a noun names.

    A word may be part of a longer one (어린이집, 햇살어린이집) or of two (이용요금, 이용 요금), have a syllable more
    behind it that leaves it as it is (이용료), or be said by another word of the list. It is not what stands behind a
    syllable that makes another thing of it (춘천역, 남춘천역).

    Examples
    --------
    >>> text = close("햇살어린이집은 남춘천역 앞에 있고 이용 비용이 든다.")
    >>> [stands(word, text) for word in ("어린이집", "춘천역", "이용료", "이용요금", "정류장")]
    [True, False, True, True, False]
    """
    known = kinds()
    if _general(word) or _found(word, text, alone=_ONE.fullmatch(word) is not None):
        return True
    if any(one.fullmatch(word) and one.search(text.replace("·", "")) for one in known.same):
        return True
    if len(word) == 3 and word[0] in known.before and _found(word[1:], text):
        return True
    if len(word) == 3 and word[2] in known.behind:
        return _found(word[:2], text, alone=True)
    if 3 < len(word) <= _LONGEST:
        return any(
            stands(word[:cut], text) and (stands(word[cut:], text) or word[cut:] in known.behind)
            for cut in range(2, len(word))
            if len(word) - cut > 1 or word[cut:] in known.behind
        )
    return False


def _general(word: str) -> bool:
    general = kinds().general
    return word in general or (len(word) == 2 and word[0] in general and word[1] in _ENDINGS)


@lru_cache(maxsize=65536)
def said_in(word: str, text: str) -> bool:
    """Whether a text, as :func:`close` gives it, has a word, or a form of it or another that says the same.

    Examples
    --------
    >>> said_in("오르다", close("금리가 올랐다.")), said_in("오르다", close("금리가 내렸다."))
    (True, False)
    """
    if len(word) == 1 and f"·{word}" in text:
        return True
    return stands(word, text) or not members(word).isdisjoint(members(text.replace("·", " ")))


@lru_cache(maxsize=16384)
def members(text: str) -> frozenset[tuple[str, int, int]]:
    """Which words of which kind of opposites a text has: the group, the kind and which of its words."""
    return frozenset(
        (group, number, place)
        for group, listed in kinds().opposites.items()
        for number, kind in enumerate(listed)
        for place, one in enumerate(kind)
        if one.search(text)
    )


def _found(word: str, text: str, *, alone: bool = False) -> bool:
    """Whether a text has a word; ``alone``: as a whole word, which a particle or 하다 may follow."""
    joined, begins = _joined(text)
    place = joined.find(word)
    while place >= 0:
        end = place + len(word)
        made_other = place - 1 in begins and place not in begins and joined[place - 1] in kinds().other
        ends = end in begins or end == len(joined)
        whole = place in begins and (ends or joined[end] in _AFTER or joined[end] == "s")
        if not made_other and (whole or not alone):
            return True
        place = joined.find(word, place + 1)
    return False


@lru_cache(maxsize=4096)
def _joined(text: str) -> tuple[str, frozenset[int]]:
    """A text as :func:`close` gives it without its marks, and where its words begin."""
    words = text.split("·")[1:]
    begins, place = set[int](), 0
    for word in words:
        begins.add(place)
        place += len(word)
    return "".join(words), frozenset(begins)
