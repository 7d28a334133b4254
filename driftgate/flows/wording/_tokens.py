"""A text as words, quantities and the signs that change what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from driftgate.flows.quantities.prose import Stated, stated_in
from driftgate.flows.wording._endings import ALONE, stem
from driftgate.flows.wording._plain import plain

_LATIN = r"[^\W\d_가-힣ㄱ-ㅎㅏ-ㅣ]"
_WORD = re.compile(
    rf"(?P<hangul>[가-힣ㄱ-ㅎㅏ-ㅣ]+)|(?P<latin>{_LATIN}(?:['-]?{_LATIN})*(?:\+{{1,2}}|\#|-(?![\w가-힣]))?)"
    r"|(?P<sign>!=|>=|<=|==|[=<>≤≥≠≈±×√%&@^∞¬€$₩£¥▲△▼▽+∧∨∩∪⊂∈])|(?P<minus>-(?=\s?\d|[A-Za-z])|-(?=\s))|(?P<slash>[/*])"
)
_SIGNS = {"!=": "≠", ">=": "≥", "<=": "≤", "==": "="}
_LONGEST = 100_000
"""Characters of a text that are compared; a bound on the time that a degenerate reply can take."""

WordKind = Literal["hangul", "latin", "sign", "stated"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word, sign or statement."""

    kind: WordKind
    text: str
    """As it stands, without case."""
    stem: str
    """Without particles and endings; empty where it is an ending alone."""
    stated: Stated | None = None
    glued: bool = False
    """Nothing stands between it and the token before."""
    ends: bool = False
    """A sentence or a clause ends before it."""


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text.

    Examples
    --------
    >>> [t.stem for t in tokens("API를 서울에서 C++로 씁니다.")]
    ['api', '', '서울', 'c++', '', '쓰다']
    >>> [t.text for t in tokens("요금은 2만 5천 원이다")]
    ['요금은', '2만 5천 원', '이다']
    """
    return tokens_of_plain(plain(text[:_LONGEST]))


@lru_cache(maxsize=4096)
def tokens_of_plain(said: str) -> tuple[Token, ...]:
    """The tokens of a text that :func:`plain` has seen: seen again, "> 3" would be a quotation.

    Examples
    --------
    >>> [t.text for t in tokens_of_plain("> 3")]
    ['>', '3']
    """
    return tuple(_tokens(said))


def _tokens(text: str) -> Iterator[Token]:
    place, before = 0, ""
    for one in (*stated_in(text), None):
        end = one.begin if one else len(text)
        for token in _words(text, place, end, before):
            before = token.stem or before
            yield token
        if one is not None:
            written = text[one.begin : one.end].casefold()
            yield Token("stated", written, written, one)
            place, before = one.end, written


def _words(text: str, begin: int, end: int, before: str) -> Iterator[Token]:
    place = begin
    for match in _WORD.finditer(text, begin, end):
        kind, word = str(match.lastgroup), match[0].casefold()
        glued = match.start() == place and bool(before)
        ends = re.search(r"[.!?。,;\n]", text[place : match.start()]) is not None
        if kind == "slash":
            around = text[max(0, match.start() - 2) : match.start()] + text[match.end() : match.end() + 2]
            if not re.search(r"\d", around):
                continue
            kind = "sign"
        if kind == "minus":
            if (
                not re.search(r"\d\s?$", text[max(0, match.start() - 2) : match.start()])
                and text[match.end() : match.end() + 1] == " "
            ):
                continue
            kind = "sign"
        place = match.end()
        if kind == "hangul":
            attached = glued and not re.fullmatch(r"[가-힣]", text[match.start() - 1 : match.start()])
            attached = attached or (glued and match.start() == begin)
            if attached:
                root = stem(word, after=before)
            elif before and word in ALONE and not ends:
                root = ""
            else:
                root = stem(word)
            yield Token("hangul", word, root, glued=glued, ends=ends)
            before = root or before
            continue
        word = _SIGNS.get(word, word)
        if kind == "latin":
            word = word.rstrip("'") if word.endswith(("+", "#", "-")) and len(word) <= 4 else word.rstrip("'-")
            word = word.replace("-", "") if not word.endswith("-") else word
        yield Token("latin" if kind == "latin" else "sign", word, word, glued=glued, ends=ends)
        before = word
