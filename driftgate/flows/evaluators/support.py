"""Is an answer supported by the passages it was given? Without a model: by shared words and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.evaluators._passages import passages_by_id
from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._text import pairs, sentences
from driftgate.flows.quantities.prose import Stated, stated_in
from driftgate.flows.wording import denies, prose, tokens

_MARK = re.compile(r"\[[^\[\]]{1,80}\]")


def support(*, answer: str, passages: Sequence[Any] | Mapping[str, Any], threshold: float = 0.6) -> dict[str, float]:
    """How much of the answer's wording stands in the passages.

    Parameters
    ----------
    answer : str
        The answer; citation marks in square brackets are left out.
    passages : sequence or mapping
        What the answer was to be drawn from: texts, mappings with ``text``, or texts by id.
    threshold : float
        From which share of its wording on a sentence counts as supported by one passage.

    Returns
    -------
    dict
        ``precision``: share of the answer's shingles found in any passage, K-Precision of V. Adlakha et al.,
        "Evaluating correctness and faithfulness of instruction-following models for question answering", TACL 2024,
        over syllable pairs instead of words. ``supported``: share of its sentences that one passage covers by the
        threshold, states all quantities of, and denies where they deny. ``numbers``: share of its quantities that the
        passage which is closest to their sentence states, in their unit; 1 where it has none.

    Notes
    -----
    An empty answer has no unsupported claim and is 1: bind ``length`` or ``exact_match`` beside it.

    Examples
    --------
    >>> passages = ["재택근무는 주 2회까지 할 수 있다.", "연차는 15일이다."]
    >>> support(answer="재택근무는 주 2회까지 가능합니다.", passages=passages)["supported"]
    1.0
    >>> support(answer="재택근무는 주 3회 가능합니다.", passages=passages)["numbers"]
    0.0
    """
    known = [_Passage.read(text) for text in passages_by_id(passages).values()]
    everything = frozenset[str]().union(*(passage.parts for passage in known))
    plain = prose(_MARK.sub(" ", answer))
    claims = [_Claim(s, parts, stated_in(s)) for s in sentences(plain) if (parts := _shingles(s))]
    return {
        "precision": _share(_shingles(plain), everything),
        "supported": _mean([float(any(p.supports(claim, threshold) for p in known)) for claim in claims]),
        "numbers": _mean([float(found) for claim in claims for found in _stated_by_closest(claim, known)]),
    }


def _shingles(text: str) -> list[str]:
    """Syllable pairs of the words of a text, politeness aside; each quantity as one."""
    found: list[str] = []
    for token in tokens(text):
        found += [repr(token.stated.key)] if token.stated is not None else pairs(token.stem)
    return found


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence of the answer."""

    text: str
    parts: Sequence[str]
    stated: Sequence[Stated]


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage, read."""

    parts: frozenset[str]
    stated: Sequence[Stated]
    sentences: Sequence[tuple[str, frozenset[str]]]

    @classmethod
    def read(cls, text: str) -> _Passage:
        plain = prose(text)
        apart = [(sentence, frozenset(_shingles(sentence))) for sentence in sentences(plain)]
        return cls(frozenset(_shingles(plain)), stated_in(plain), apart)

    def states(self, claim: _Claim) -> list[bool]:
        """Whether it states each quantity of a claim."""
        return [any(one.answers(said) for one in self.stated) for said in claim.stated]

    def supports(self, claim: _Claim, threshold: float) -> bool:
        """Whether it says what a claim says, as far as wording, quantities and negation show."""
        if _share(claim.parts, self.parts) < threshold or not all(self.states(claim)):
            return False
        closest = max(self.sentences, key=lambda sentence: _share(claim.parts, sentence[1]))
        return denies(closest[0]) == denies(claim.text)


def _stated_by_closest(claim: _Claim, known: Sequence[_Passage]) -> list[bool]:
    """Whether the passage whose wording is closest to a claim states each of its quantities."""
    if not known:
        return [False] * len(claim.stated)
    return max(
        (
            (_share(claim.parts, passage.parts), sum(found), found)
            for passage in known
            for found in [passage.states(claim)]
        ),
        key=lambda entry: entry[:2],
    )[2]


def _share(parts: Sequence[str], known: frozenset[str]) -> float:
    return _mean([float(part in known) for part in parts])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0


@dataclass(frozen=True)
class Support:
    """:func:`support` with its settings."""

    threshold: float = 0.6

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read and compared."""
        return reading_id("support", "_text", "_passages")

    def __call__(self, *, answer: str, passages: Sequence[Any] | Mapping[str, Any]) -> dict[str, float]:
        """How much of the answer stands in the passages; see :func:`support`."""
        return support(answer=answer, passages=passages, threshold=self.threshold)


def make(threshold: float = 0.6) -> Support:
    """Make the evaluator.

    Parameters
    ----------
    threshold : float
        From which share of its wording on a sentence counts as supported.
    """
    return Support(threshold)
