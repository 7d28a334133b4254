"""Find the names of people in running Korean text: what may be a name is weighed by its syllables.

A name has no form of its own: 이용자 (a user) and 이용주 (a person) are built alike. A logistic regression weighs the
surname, the syllables behind it, their pairs, the particle that follows, a title, a role; ordinary words that begin
like a name have weights of their own. The weights stand in ``names.npz``; ``python -m benchmarks.perf.name_training``
makes them anew.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import zip_longest
from pathlib import Path

import numpy as np
import regex

from driftgate.finetune.privacy._name_features import Candidate, features
from driftgate.finetune.privacy._name_words import GLUED, LONG_SURNAMES, ORDINARY, SHORT_GIVEN, SURNAMES, TAILS
from driftgate.finetune.privacy._no_names import NO_NAMES

THRESHOLDS: Mapping[str, float] = {"full": -0.6, "short": 1.5, "given": 0.3, "spaced": 3.0}
"""Log-odds from which a word is a name: full, with one syllable behind the surname, without surname, with spaces."""
_BESIDE, _REPEATED = 3.0, 4.0
"""What is added beside another name, and for a word that is a name elsewhere in the text."""
_FIRSTS = SURNAMES | {name[0] for name in LONG_SURNAMES}
_PARTICLES = frozenset(TAILS) | {""}
_RUN = regex.compile("[가-힣]+")
_GLUED = regex.compile(f"(?:{GLUED})님?")
_CALLED = regex.compile(r"(?P<says>씨|님|이(?=가|는|를|랑|한테|도|네|의|와|만|하고|에게)|아$)(?P<tail>.*)")
_KIN = regex.compile(
    "(?P<says>씨|님|언니|오빠|누나|형|이모|삼촌|선배|후배|쌤|선생님|아저씨|아주머니|할머니|할아버지)(?P<tail>.*)"
)
_APART = regex.compile("[가-힣] (?P<given>[가-힣] [가-힣]|[가-힣]{2})(?P<tail>[가-힣]*)")
_NO_NAME = regex.compile(NO_NAMES)
_JOINED = regex.compile(r"(?:이랑|랑|하고|과|와)?\s?[,·/]?\s?$")


@dataclass(frozen=True, slots=True)
class Name:
    """Where a name stands."""

    start: int
    end: int
    probability: float
    """By its own syllables and the words around it."""


def candidates(text: str) -> Iterator[Candidate]:
    """Every word that begins with a surname and ends where a word or a particle ends, the longest reading first.

    Given names alone follow, where a title or an ending says that one may stand there.

    Examples
    --------
    >>> [(c.word, c.tail) for c in candidates("김민수는 이준과 떠났다")]
    [('김민수', '는'), ('이준과', ''), ('이준', '과')]
    >>> [(c.word, c.given) for c in candidates("어제 민수 씨가 왔다") if c.given]
    [('민수', ' 씨')]
    """
    runs = list(_RUN.finditer(text))
    for match, following in zip_longest(runs, runs[1:]):
        begin, run = match.start(), match[0]
        if run[0] in _FIRSTS:
            for length in (4, 3, 2):
                word = run[:length]
                if _has_form(word, length) and _ends(run[length:]) and _may_be(word):
                    yield Candidate(begin, begin + length, word, run[length:])
        behind = following[0] if following and text[match.end() : following.start()] == " " else ""
        if len(run) == 1 and run in SURNAMES and behind:
            yield from _spaced(text, match.start())
        if len(run) >= 2 and _may_be(run[:2]):
            called = _CALLED.fullmatch(run, 2) or (_KIN.fullmatch(behind) if len(run) == 2 else None)
            if called and _ends(called["tail"]):
                says = called["says"] if len(run) > 2 else f" {called['says']}"
                yield Candidate(begin, begin + 2, run[:2], "", says)


def _spaced(text: str, begin: int) -> Iterator[Candidate]:
    """The name whose surname, or whose every syllable, stands apart."""
    match = _APART.match(text, begin)
    if match and _ends(match["tail"]) and not _GLUED.fullmatch(match["given"]):
        yield Candidate(
            begin, match.end("given"), text[begin] + match["given"].replace(" ", ""), match["tail"], spaced=True
        )


@lru_cache(maxsize=8192)
def _ends(tail: str) -> bool:
    """Whether this may be written onto a name: nothing, a particle, a title with or without one."""
    if tail in _PARTICLES:
        return True
    title = _GLUED.match(tail)
    return title is not None and tail[title.end() :] in _PARTICLES


@lru_cache(maxsize=8192)
def _may_be(word: str) -> bool:
    return word not in ORDINARY and not _NO_NAME.match(word)


def find_names(text: str) -> list[Name]:
    """The names of people in a text, in order and without overlaps.

    Examples
    --------
    >>> text = "어제 회의에서 박서준이 이용자 조사를 제안했다."
    >>> [text[name.start : name.end] for name in find_names(text)]
    ['박서준']
    """
    scored = [(c, weigh(c, text)) for c in candidates(text)]
    if not scored:
        return []
    sure = {c.word for c, score in scored if score >= 0}
    ends = {c.stop: c for c, score in scored if score >= 0}
    found: dict[int, Name] = {}
    for candidate, score in scored:
        if score < 0 and candidate.word in sure:
            score += _REPEATED
        if score < 0 and _beside(candidate, text, ends):
            score += _BESIDE
        if score >= 0 and candidate.start not in found:
            found[candidate.start] = Name(candidate.start, candidate.end, 1 / (1 + math.exp(-score)))
            ends[candidate.stop] = candidate
    names: list[Name] = []
    for start in sorted(found):
        if not names or start >= names[-1].end:
            names.append(found[start])
    return names


def weigh(candidate: Candidate, text: str) -> float:
    """Log-odds of a candidate above its threshold."""
    weights = _weights()
    kind = (
        "given"
        if candidate.given
        else "spaced"
        if candidate.spaced
        else "short"
        if len(candidate.word) == 2
        else "full"
    )
    keys = features(candidate, text)
    return weights[0] + sum(weights.get(zlib.crc32(key.encode()), 0.0) for key in keys) - THRESHOLDS[kind]


def _has_form(word: str, length: int) -> bool:
    if len(word) < length or not all("가" <= letter <= "힣" for letter in word):
        return False
    if length == 4:
        return word.startswith(LONG_SURNAMES)
    if length == 3 and word.startswith(LONG_SURNAMES):
        return True
    return word[0] in SURNAMES and (length == 3 or word[1] in SHORT_GIVEN)


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
