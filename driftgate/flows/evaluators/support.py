"""Is an answer supported by the passages it was given? Without a model: by shared words and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.evaluators._agreement import says
from driftgate.flows.evaluators._kinds import close
from driftgate.flows.evaluators._marks import without_marks
from driftgate.flows.evaluators._passages import passages_by_id
from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import bounded
from driftgate.flows.evaluators._statements import (
    Sentence,
    clauses_of,
    closest,
    covered,
    read,
    says_nothing,
    states,
    verbatim,
    weights,
)
from driftgate.flows.wording import prose

_TIE = 0.05
"""Passages whose wording is this much closer to a claim are no better evidence."""


def support(
    *, answer: str | None, passages: Sequence[Any] | Mapping[str, Any], threshold: float = 0.6
) -> dict[str, float]:
    """How much of the answer's wording stands in the passages.

    Parameters
    ----------
    answer : str
        The answer; citation marks are left out.
    passages : sequence or mapping
        What the answer was to be drawn from: texts, mappings with ``text``, or texts by id.
    threshold : float
        From which share of its wording on a sentence counts as supported by one passage.

    Returns
    -------
    dict
        ``precision``: share of the answer's shingles found in any passage, K-Precision of V. Adlakha et al.,
        "Evaluating correctness and faithfulness of instruction-following models for question answering", TACL 2024,
        over syllable pairs instead of words. ``supported``: share of its sentences each clause of which the passage
        that is closest in wording covers by the threshold, states all quantities and names all nouns of, in the same
        parts, and denies where it denies. ``numbers``: share of its quantities that this passage states, in their
        unit; 1 where it has none.

        A passage states a quantity where the words near it there are those near it in the answer: of 주 2회 and 5회 in
        one passage the one that is said of the same counts. Negation, opposites, names and who does what to whom are
        read off the clause that says most of the same; what a passage has word for word is supported.

    Notes
    -----
    An answer that is not there is supported by nothing: all three are 0. One that only greets makes no claim and is 1.

    Examples
    --------
    >>> passages = ["재택근무는 주 2회까지 할 수 있다.", "연차는 15일이다."]
    >>> support(answer="재택근무는 주 2회까지 가능합니다.", passages=passages)["supported"]
    1.0
    >>> support(answer="재택근무는 주 3회 가능합니다.", passages=passages)["numbers"]
    0.0
    """
    said = bounded(answer)
    texts = passages_by_id(passages)
    known = [read(prose(text)) for text in texts.values()]
    weight = weights(known)
    parted = [[clause for sentence in text for clause in clauses_of(sentence)] for text in known]
    held = [
        frozenset(part for sentence in (*text, *clauses) for part in sentence.parts)
        for text, clauses in zip(known, parted, strict=True)
    ]
    bare = without_marks(said, texts)
    if not any(letter.isalnum() for letter in bare):
        return {"precision": 0.0, "supported": 0.0, "numbers": 0.0}
    claims = [one for one in read(prose(bare)) if not says_nothing(one)]
    graded = [
        [_by_closest(clause, known, parted, held, weight, threshold) for clause in clauses_of(claim)]
        for claim in claims
    ]
    parts = [part for claim in claims for part in claim.parts]
    return {
        "precision": _share(parts, frozenset(part for text in known for sentence in text for part in sentence.parts)),
        "supported": _mean([float(all(supported for supported, _ in clauses)) for clauses in graded]),
        "numbers": _mean([float(found) for clauses in graded for _, stated in clauses for found in stated]),
    }


def _by_closest(
    claim: Sentence,
    known: Sequence[Sequence[Sentence]],
    parted: Sequence[Sequence[Sentence]],
    held: Sequence[frozenset[str]],
    weight: Mapping[str, float],
    threshold: float,
) -> tuple[bool, list[bool]]:
    """Whether the passage whose wording is closest to a claim says it, and which of its quantities it states."""
    about = [
        (_share(sorted(claim.about), parts) + _nearest(claim, text)) / 2
        for text, parts in zip(known, held, strict=True)
    ]
    best = max(about, default=0.0)
    found: tuple[bool, list[bool]] = (False, [False] * len(claim.said))
    for text, clauses, parts, score in zip(known, parted, held, about, strict=True):
        if verbatim(claim, text) or verbatim(claim, clauses):
            return True, [True] * len(claim.said)
        if score < best - _TIE:
            continue
        stated = states(claim, clauses, weight)
        said = all(stated) and covered(claim, parts, close(_text(text))) >= threshold
        others = [_text(other) for other in known if other is not text] if said else []
        supported = said and any(says(claim, one, _text(text), others) for one in closest(claim, clauses, weight))
        found = max(found, (supported, stated), key=lambda one: (one[0], sum(one[1])))
    return found


def _text(read_: Sequence[Sentence]) -> str:
    return " ".join(one.text for one in read_)


def _nearest(claim: Sentence, text: Sequence[Sentence]) -> float:
    return max((_share(sorted(claim.about), one.about) for one in text), default=0.0)


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
        return reading_id(
            "support",
            "_agreement",
            "_kinds",
            "_marks",
            "_nouns",
            "_passages",
            "_periods",
            "_statements",
            "_subjects",
            "_text",
            "word_kinds.yaml",
        )

    def __call__(self, *, answer: str | None, passages: Sequence[Any] | Mapping[str, Any]) -> dict[str, float]:
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
