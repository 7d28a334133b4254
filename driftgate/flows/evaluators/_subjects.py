"""What a sentence is about, and whether another text speaks of something else of the same kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftgate.flows.wording import tokens

_TOPIC = re.compile(r"[가-힣A-Za-z0-9)](?:은|는|이|가|께서|께서는|에는|에서는|에게는)$")
_PARTICLE = re.compile(r"(?:에게는|에서는|께서는|께서|에는|은|는|이|가|의|도)$")
_WORD = re.compile(r"[가-힣A-Za-z]{2,}")
_PERSON = re.compile(
    r"(?:^|\s)([가-힣]+[인자사원생측장관])(?:(?:은|는|이|가|께서|에게|에게는|한테|한테는)\s|\s?(?:이하|이상|미만|초과))"
)
"""Who does something or has it, by the syllables that name persons by what they do (임대인, 판매자, 변호사, 중학생)."""


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
