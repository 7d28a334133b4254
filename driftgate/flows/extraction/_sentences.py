"""The sentences of a reply, and where each of its choices' texts is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from driftgate.flows.extraction._normalise import normalise
from driftgate.flows.extraction._rule_set import CompiledRules


@dataclass(frozen=True)
class Sentence:
    """One sentence or line."""

    begin: int
    end: int
    """Behind its last sign, without the space that follows."""
    text: str


def sentences(reply: str, rules: CompiledRules, begin: int = 0) -> Iterator[Sentence]:
    """The sentences from `begin` on, in order; "B. 부산" and "1. 부산" are not cut behind their label.

    Examples
    --------
    >>> from driftgate.flows.extraction.rules import compiled
    >>> [s.text for s in sentences("B. 부산입니다. 1.5배\\n**끝.**", compiled("ko-v3"))]
    ['B. 부산입니다.', '1.5배', '**끝.**']
    """
    start = begin
    for stop in rules.words["SENTENCE"].finditer(reply, begin):
        end = stop.end() - len(stop[0]) + len(stop[0].rstrip())
        if reply[start:end].strip():
            yield Sentence(start, end, reply[start:end])
        start = stop.end()
    if reply[start:].strip():
        yield Sentence(start, len(reply), reply[start:])


@dataclass(frozen=True)
class Named:
    """A choice's text in a reply."""

    begin: int
    end: int
    position: int


def named(reply: str, choices: tuple[str, ...], rules: CompiledRules) -> list[Named]:
    """Where the choices' texts stand in a reply; of two that overlap the longer one.

    Short texts (위, 폐) count only as whole words, behind which a particle may follow.

    Examples
    --------
    >>> from driftgate.flows.extraction.rules import compiled
    >>> [n.position for n in named("위에서 이산화 탄소를 위해", ("탄소", "이산화탄소", "위"), compiled("ko-v3"))]
    [2, 1]
    """
    pattern, places = _texts(choices, rules.words["AFTER_NOUN"].pattern)
    if pattern is None:
        return []
    return [Named(m.start(), m.end(), places[int(str(m.lastgroup)[1:])]) for m in pattern.finditer(reply)]


@lru_cache(maxsize=1024)
def _texts(choices: tuple[str, ...], follows: str) -> tuple[re.Pattern[str] | None, tuple[int, ...]]:
    ways: list[str] = []
    places: list[int] = []
    for place, choice in sorted(enumerate(choices), key=lambda entry: -len(entry[1])):
        words = normalise(choice).strip(" .").split()
        if not words:
            continue
        text = r"\s*".join(re.escape(c) for c in "".join(words)) if len("".join(words)) <= 40 else None
        text = text or r"\s*".join(map(re.escape, words))
        start = r"(?<![\w.])" if words[0][0].isdigit() else r"(?<![^\W_])"
        end = r"(?![.,]?\d)" if words[-1][-1].isdigit() else ""
        end += rf"(?![^\W_])|(?={follows})" if len("".join(words)) <= 2 else ""
        if words[-1][-1].isascii() and words[-1][-1].isalpha():
            end += r"(?![A-Za-z0-9])"
        ways.append(f"(?P<c{len(places)}>{start}{text}(?:{end}))")
        places.append(place)
    return (re.compile("|".join(ways), re.IGNORECASE) if ways else None), tuple(places)


def says_something_else(before: str, rules: CompiledRules) -> bool:
    """Whether a sentence that begins so does not say what was asked: "참고로 ...", "만약 ...", "오답은 ...".

    Examples
    --------
    >>> from driftgate.flows.extraction.rules import compiled
    >>> [says_something_else(s, compiled("ko-v3")) for s in ("오답은 ", "A는 오답이므로 답은 ", "참고로 내륙이므로 ")]
    [True, False, True]
    """
    words = rules.words
    if words["NOT_ASKED"].search(before) or words["SUPPOSED"].search(before):
        return True
    clause = before
    for concluded in words["CONCLUDES"].finditer(before):
        clause = before[concluded.end() :]
    return words["RULES_OUT"].search(clause) is not None
