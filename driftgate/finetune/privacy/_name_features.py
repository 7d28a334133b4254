"""What is weighed of a word that may be a name: its syllables, its particle, a title, a role."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import regex

from driftgate.finetune.privacy._name_words import GLUED, LONG_SURNAMES, ROLES, TAILS, TITLES

_BATCHIM = 28
_TAILS = frozenset(TAILS)
_TITLED = regex.compile(rf"\s?(?:{TITLES})")
_ROLED = regex.compile(rf"(?<![가-힣])(?:\d+\s?)?(?:{ROLES})(?:은|는|이|가|인|분은|분이|로|으로)?\s?[:：]?\s?$")
_GLUED = regex.compile(rf"(?:{GLUED})님?")
_SEEN, _TITLE_SEEN = 14, 9
"""Characters in which the neighbours of a word are looked for, and a title behind it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may be a name."""

    start: int
    end: int
    """Index after the word, its particle left out."""
    word: str
    tail: str
    """The particle behind it, with a title that is written onto the word."""
    given: str = ""
    """What says that a given name stands here without a surname: the title or the ending behind it."""
    spaced: bool = False
    """Whether the surname stands apart, or every syllable."""

    @property
    def stop(self) -> int:
        """Index after the particle."""
        return self.end + len(self.tail)


def features(candidate: Candidate, text: str) -> list[str]:
    """What is weighed of a candidate, as keys of the weights."""
    return [*inner(candidate), *_beside(candidate, text)]


def inner(candidate: Candidate) -> list[str]:
    """What is weighed of the word itself and of its particle."""
    word, tail = candidate.word, candidate.tail
    glued = _GLUED.match(tail)
    keys = []
    if glued and glued.end():
        tail = tail[glued.end() :]
        keys += ["G", f"G{len(word)}", f"G{glued[0]}"]
    if candidate.spaced:
        keys += ["sp", f"sp{word[0]}", f"sp{word[0]}{tail}", f"sp{word}"]
    closed = "1" if (ord(word[-1]) - 0xAC00) % _BATCHIM else "0"
    if candidate.given:
        says = candidate.given
        return [f"g2{word[0]}", f"g3{word[1]}", f"23{word}", f"gw{word}", f"g{says}", f"g{says}{closed}"]
    if len(word) == 2:
        return [
            *keys,
            "s",
            f"s1{word[0]}",
            f"s2{word[1]}",
            f"s12{word}",
            f"st{tail}",
            f"sv{tail}{closed}",
            f"s2t{word[1]}{tail}",
        ]
    first, second = word[-2], word[-1]
    surname = word[0] if len(word) == 3 else "남"
    keys += [
        f"1{surname}",
        f"2{first}",
        f"3{second}",
        f"12{surname}{first}",
        f"23{first}{second}",
        f"123{word}",
        f"t{tail}",
        f"v{tail}{closed}",
        f"3t{second}{tail}",
    ]
    if len(word) == 3 and word[:2] in LONG_SURNAMES:
        keys.append(f"L{word[:2]}")
    # The word may be a shorter one with a particle: 조사도 is 조사 and 도.
    if f"{second}{tail}" in _TAILS:
        keys += [f"w{word[:-1]}", "w"]
    if len(word) == 3 and f"{first}{second}{tail}" in _TAILS:
        keys.append("w1")
    return keys


def titled(candidate: Candidate, text: str) -> bool:
    """Whether a title stands behind it."""
    return _is_title(text[candidate.end : candidate.end + _TITLE_SEEN])


def roled(candidate: Candidate, text: str) -> bool:
    """Whether a role or a label stands before it."""
    return _is_role(text[max(candidate.start - _SEEN, 0) : candidate.start])


@lru_cache(maxsize=16384)
def _is_title(behind: str) -> bool:
    return _TITLED.match(behind) is not None


@lru_cache(maxsize=16384)
def _is_role(before: str) -> bool:
    return _ROLED.search(before) is not None


def _beside(candidate: Candidate, text: str) -> list[str]:
    kind = "g" if candidate.given else "s" if len(candidate.word) == 2 else "n"
    keys = []
    if titled(candidate, text):
        keys += ["T", f"T{kind}"]
    if roled(candidate, text):
        keys += ["R", f"R{kind}"]
    return keys
