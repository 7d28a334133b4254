"""Find the names of people in running Korean text: what follows a surname is weighed syllable by syllable.

A name has no form of its own: 이용자 (a user) and 이용주 (a person) are built alike. A logistic regression weighs the
surname, the two syllables behind it, their pairs and the particle that follows; words of ordinary exam text have
weights of their own. Words around it (a title, a role, another name) count beside. The weights stand in ``names.npz``;
``python -m benchmarks.perf.name_training`` makes them anew.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import regex

from driftgate.finetune.privacy._no_names import NO_NAMES
from driftgate.flows.yaml_text import parse

_WORDS: Mapping[str, Any] = parse(
    Path(__file__).with_name("name_words.yaml").read_text(encoding="utf-8"), "name_words.yaml"
)[1]
SURNAMES = frozenset(_WORDS["surnames"].split())
SHORT_GIVEN = frozenset(_WORDS["short_given"].split())
"""What may be a given name of one syllable."""
LONG_SURNAMES = tuple(_WORDS["long_surnames"])
TAILS = tuple(_WORDS["tails"])
"""Particles and endings that may be written onto a name."""
MADE_UP: Mapping[bool, Sequence[str]] = {True: _WORDS["made_up_closed"], False: _WORDS["made_up_open"]}
"""Given names for stand-ins, by whether the last syllable ends in a consonant."""
THRESHOLD = 1.25
"""Log-odds from which a word is a name: of stories and histories one sentence in 100 has a word above it that is none.
"""
SHORT_THRESHOLD = 4.0
"""The same of a surname and one syllable, which ordinary words are more often."""
_TITLED, _SHORT_TITLED, _ROLED, _BESIDE, _REPEATED = 5.0, 2.9, 4.5, 4.0, 4.0
"""What is added for a title behind, for a role before, beside another name, for a word that is a name elsewhere."""
_ORDINARY = frozenset(f"{_WORDS['ordinary']} {_WORDS['figures']}".split())
"""Words and people of history that are not taken for the names of private people."""
_HANGUL_LEFT = "(?<![가-힣])"
_TITLE, _ROLE = ("".join(_WORDS[name].split()) for name in ("titles", "roles"))
_BATCHIM = 28
_TAIL = regex.compile(f"(?:{'|'.join(sorted(TAILS, key=len, reverse=True))})?(?![가-힣])")
_STARTS = regex.compile(
    rf"{_HANGUL_LEFT}(?=[{''.join(sorted({*SURNAMES, *(name[0] for name in LONG_SURNAMES)}))}][가-힣])"
)
_NO_NAME = regex.compile(NO_NAMES)
_AFTER = regex.compile(rf"\s?(?:{_TITLE})")
_BEFORE = regex.compile(rf"{_HANGUL_LEFT}(?:\d+\s?)?(?:{_ROLE})(?:은|는|이|가|인|분은|분이|로|으로)?\s?[:：]?\s?$")
_JOINED = regex.compile(r"(?:이랑|랑|하고|과|와)?\s?[,·/]?\s?$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may be a name."""

    start: int
    word: str
    tail: str
    """The particle behind it."""

    @property
    def end(self) -> int:
        """Index after the word, its particle left out."""
        return self.start + len(self.word)


@dataclass(frozen=True, slots=True)
class Name:
    """Where a name stands."""

    start: int
    end: int
    probability: float
    """By its own syllables and the words around it."""


def candidates(text: str) -> Iterator[Candidate]:
    """Every word that begins with a surname and ends where a word or a particle ends, the longest reading first.

    Examples
    --------
    >>> [(c.word, c.tail) for c in candidates("김민수는 이준과 떠났다")]
    [('김민수', '는'), ('이준과', ''), ('이준', '과')]
    """
    for match in _STARTS.finditer(text):
        begin = match.start()
        for length in (4, 3, 2):
            word = text[begin : begin + length]
            if not _has_form(word, length) or word in _ORDINARY or _NO_NAME.match(word):
                continue
            tail = _TAIL.match(text, begin + length)
            if tail is not None:
                yield Candidate(begin, word, tail[0])


def features(candidate: Candidate) -> tuple[str, ...]:
    """What is weighed of a candidate, as keys of the weights."""
    word, tail = candidate.word, candidate.tail
    closed = "1" if (ord(word[-1]) - 0xAC00) % _BATCHIM else "0"
    if len(word) == 2:
        return (f"s1{word[0]}", f"s2{word[1]}", f"s12{word}", f"st{tail}", f"sv{tail}{closed}", f"s2t{word[1]}{tail}")
    surname = word[0] if len(word) == 3 else "남"
    first, second = word[-2], word[-1]
    return (
        f"1{surname}",
        f"2{first}",
        f"3{second}",
        f"12{surname}{first}",
        f"23{first}{second}",
        f"123{word}",
        f"t{tail}",
        f"v{tail}{closed}",
        f"3t{second}{tail}",
    )


def find_names(text: str) -> list[Name]:
    """The names of people in a text, in order and without overlaps.

    Examples
    --------
    >>> text = "어제 회의에서 박서준이 이용자 조사를 제안했다."
    >>> [text[name.start : name.end] for name in find_names(text)]
    ['박서준']
    """
    scored = [(c, _score(c, text)) for c in candidates(text)]
    if not scored:
        return []
    sure = {c.word for c, score in scored if score >= 0}
    ends = {c.end + len(c.tail): c for c, score in scored if score >= 0}
    found: dict[int, Name] = {}
    for candidate, score in scored:
        if score < 0 and candidate.word in sure:
            score += _REPEATED
        if score < 0 and _beside(candidate, text, ends):
            score += _BESIDE
        if score >= 0 and candidate.start not in found:
            found[candidate.start] = Name(candidate.start, candidate.end, 1 / (1 + math.exp(-score - THRESHOLD)))
            ends[candidate.end + len(candidate.tail)] = candidate
    return [found[start] for start in sorted(found)]


def weigh(candidate: Candidate) -> float:
    """Log-odds of a candidate by itself."""
    weights = _weights()
    return weights[0] + sum(weights.get(zlib.crc32(key.encode()), 0.0) for key in features(candidate))


def _has_form(word: str, length: int) -> bool:
    if len(word) < length or not all("가" <= letter <= "힣" for letter in word):
        return False
    if length == 4:
        return word.startswith(LONG_SURNAMES)
    return word[0] in SURNAMES and (length == 3 or word[1] in SHORT_GIVEN)


def _score(candidate: Candidate, text: str) -> float:
    """Log-odds above the threshold, with what the words around it add."""
    score = weigh(candidate) - (SHORT_THRESHOLD if len(candidate.word) == 2 else THRESHOLD)
    if _AFTER.match(text, candidate.end):
        score += _TITLED if len(candidate.word) > 2 else _SHORT_TITLED
    elif _BEFORE.search(text[max(candidate.start - 14, 0) : candidate.start]):
        score += _ROLED
    return score


def _beside(candidate: Candidate, text: str, ends: Mapping[int, Candidate]) -> bool:
    """Whether the word before it is a name and only a comma, a space or an "and" stands between."""
    for gap in (1, 2, 3):
        end = candidate.start - gap
        if end in ends:
            between = text[ends[end].end : candidate.start]
            return ends[end].start != candidate.start and _JOINED.fullmatch(between) is not None
    return False


@cache
def _weights() -> Mapping[int, float]:
    """Weights by the CRC-32 of their keys, the bias under 0."""
    with np.load(Path(__file__).with_name("names.npz"), allow_pickle=False) as held:
        return dict(zip(held["keys"].tolist(), held["weights"].astype(float).tolist(), strict=True))
