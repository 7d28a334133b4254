"""What a sentence is about, and whether another text speaks of something else of the same kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftgate.flows.evaluators._nouns import adnominal
from driftgate.flows.wording import tokens

_TOPIC = re.compile(r"[가-힣A-Za-z0-9)](?:은|는|이|가|께서|께서는|에는|에서는|에게는)$")
_PARTICLE = re.compile(r"(?:에게는|에서는|께서는|께서|에는|은|는|이|가|의|도)$")
_WORD = re.compile(r"[가-힣A-Za-z]{2,}")
_PERSON = re.compile(
    r"(?:^|\s)([가-힣]+[인자사원생측장관])(?:(?:은|는|이|가|께서|에게|에게는|한테|한테는)\s|\s?(?:이하|이상|미만|초과))"
)
"""Who does something or has it, by the syllables that name persons by what they do (임대인, 판매자, 변호사, 중학생)."""


_MARKED = re.compile(r"[가-힣A-Za-z0-9)>\]』」》\"']+?(?P<particle>은|는|이|가),?")
_BESIDE = re.compile(r"(?:에|에서|로|까지|부터|보다|다|라|면|것|수)(?:은|는|이|가),?$")
"""A word with 은 or 는 that is a place, a time or a condition, and no topic."""
_MODIFIES = re.compile(r"[가-힣A-Za-z0-9)>』」》]*?(?:의|[^은는이가을를에로도와과며고면서게만지]|이|그|저)")
"""A word that goes with the noun behind it."""


_WHOSE = re.compile(r"[^,]{1,40}?[가-힣A-Za-z0-9]의 ")
"""Whose it is, before what a sentence is about."""


def about(clause: str, before: str) -> str:
    """A clause with what it goes on about where it does not say: the topic of the clause before, its subject, or whose.

    Examples
    --------
    >>> about("10시에 문을 닫다", "새 도서관은 9시에 문을 열다"), about("공장은 구미에 있다", "본사는 대구에 있다")
    ('새 도서관은 10시에 문을 닫다', '공장은 구미에 있다')
    >>> about("공장은 구미에 있다", "다온전자의 본사는 대구에 있다")
    '다온전자의 공장은 구미에 있다'
    """
    own, earlier = _marked(clause), _marked(before)
    if "topic" in own:
        whose = _WHOSE.match(earlier.get("topic", ""))
        bare = whose and not _WHOSE.match(own["topic"]) and clause.startswith(own["topic"])
        return f"{whose[0]}{clause}" if whose and bare else clause
    goes_on = earlier.get("topic") or ("" if own else earlier.get("subject", ""))
    return f"{goes_on} {clause}" if goes_on else clause


def _marked(clause: str) -> dict[str, str]:
    """The first topic (은, 는) and the first subject (이, 가) of a clause, each with what describes it."""
    found: dict[str, str] = {}
    words = clause.split()
    for place, word in enumerate(words):
        mark = _MARKED.fullmatch(word)
        if mark is None or _BESIDE.search(word) or adnominal(word.rstrip(",")):
            continue
        begin = place
        while begin and place - begin < 4 and _MODIFIES.fullmatch(words[begin - 1]):
            begin -= 1
        name = "topic" if mark["particle"] in "은는" else "subject"
        found.setdefault(name, " ".join(words[begin : place + 1]).rstrip(","))
    return found


def of_others(claim: str, sentence: str, text: str, others: Sequence[str]) -> bool:
    """Whether what a claim is about stands in another text only, and the sentence that may say it names another.

    Parameters
    ----------
    claim : str
        A sentence.
    sentence : str
        The one that may say it.
    text : str
        The text that it stands in.
    others : sequence of str
        Other texts.

    Examples
    --------
    >>> others = ["대회의실에는 80명이 든다."]
    >>> said = ["소회의실의 대여료는 1만 원이다.", "대여료는 1만 원이다."]
    >>> [of_others("대회의실의 대여료는 1만 원이다.", one, one, others) for one in said]
    [True, False]
    """
    said, here = _close(claim), _close(text)
    strange = [word for word in _topic(claim) if word not in here and any(word in _close(one) for one in others)]
    return bool(strange) and any(word not in said for word in _topic(sentence))


def other_persons(claim: str, other: str) -> bool:
    """Whether two sentences name different persons of one kind.

    Examples
    --------
    >>> other_persons("임대인은 요구할 수 있다.", "임차인은 요구할 수 있다.")
    True
    """
    persons = [frozenset(_PERSON.findall(one)) for one in (claim, other)]
    return (
        bool(persons[0] and persons[1])
        and not any(a.endswith(b) or b.endswith(a) for a in persons[0] for b in persons[1])
        and any(a[-1] == b[-1] for a in persons[0] for b in persons[1])
    )


def _topic(sentence: str) -> list[str]:
    """The words of a sentence up to its first topic or subject, particles aside; none where it has neither."""
    found: list[str] = []
    for token in tokens(sentence):
        if token.stated is not None:
            continue
        marked = token.text != token.stem
        word = _PARTICLE.sub("", token.text) if marked else token.text
        if _WORD.fullmatch(word):
            found.append(word)
        if marked and _TOPIC.search(token.text):
            return found
    return []


def _close(text: str) -> str:
    return "".join(text.split()).lower()
