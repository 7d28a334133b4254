"""Does an answer cite what it was given, and do the cited passages hold what it says?"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.evaluators._marks import Mark, marks, shown, without
from driftgate.flows.evaluators._passages import passages_by_id
from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._replies import bounded
from driftgate.flows.evaluators._text import sentences, shingles

Reader = Callable[[str], list[Mark]]


def citations(
    *,
    answer: str | None,
    passages: Sequence[Any] | Mapping[str, Any],
    threshold: float = 0.5,
    pattern: str | None = None,
    id_field: str = "id",
) -> dict[str, float]:
    """Check the citation marks of an answer against the passages that were retrieved.

    Parameters
    ----------
    answer : str
        The answer with its marks, such as ``연차는 15일이다 [leave.md].``.
    passages : sequence or mapping
        Passages with their ids; texts without one are numbered from 1.
    threshold : float
        Share of a sentence's shingles the passages it cites must hold.
    pattern : str, optional
        Regular expression whose first group holds the cited ids, several by commas; None: marks in every style, as
        ``[1]``, ``[1,2]``, ``[1-3]``, ``[^1]``, ``【1】``, ``(1)``, ``[문서 1]``, ``¹``, ``<1>`` and ``출처: 1``, but
        no indices, years, intervals, list numbers, links and notes in brackets.
    id_field : str
        Where the passages keep their id.

    Returns
    -------
    dict
        ``cited``: share of sentences with a mark; ``valid``: share of the cited ids that were retrieved, 0 where
        nothing is cited; ``supported``: share of all sentences that cite and whose cited passages hold their wording.

    Notes
    -----
    After citation recall and precision of T. Gao et al., "Enabling large language models to generate text with
    citations" (ALCE), EMNLP 2023, with shared wording in place of their entailment model. A mark that follows the
    full stop belongs to the sentence before it. Code cites nothing.

    Examples
    --------
    >>> passages = ["연차는 15일이다.", "재택근무는 주 2회다."]
    >>> citations(answer="연차는 15일이다 [1]. 재택은 주 2회다【7】.", passages=passages)
    {'cited': 1.0, 'valid': 0.5, 'supported': 0.5}
    """
    said = bounded(answer)
    texts = passages_by_id(passages, id_field)
    known = {name: frozenset(shingles(text)) for name, text in texts.items()}
    read = _reader(pattern, texts)
    claims = _claims(shown(said) if pattern is None else said, read)
    every = [name for claim in claims for name in claim.ids]
    held = [
        _covered(shingles(claim.text), [known[name] for name in claim.ids if name in known]) >= threshold
        for claim in claims
    ]
    return {
        "cited": _share([bool(claim.ids) for claim in claims]),
        "valid": _share([name in known for name in every]),
        "supported": _share(held),
    }


@dataclass(slots=True)
class _Claim:
    """A sentence of the answer without its marks, and what they cite."""

    text: str
    ids: list[str]


def _reader(pattern: str | None, known: Collection[str]) -> Reader:
    if pattern is None:
        return lambda text: marks(text, known)
    mark = re.compile(pattern)
    return lambda text: [
        Mark(m.start(), m.end(), tuple(name.strip() for name in m[1].split(",") if name.strip()))
        for m in mark.finditer(text)
    ]


def _claims(answer: str, read: Reader) -> list[_Claim]:
    claims: list[_Claim] = []
    for sentence in sentences(answer):
        found = read(sentence)
        # "... 15일이다. [1] 다음 문장": the mark closes the sentence before it.
        leading = 0
        for mark in found:
            if not claims or sentence[leading : mark.begin].strip(" .,"):
                break
            claims[-1].ids += mark.ids
            leading = mark.end
        ids = [name for mark in found if mark.begin >= leading for name in mark.ids]
        text = without(sentence, found)
        if shingles(text):
            claims.append(_Claim(text, ids))
        elif claims:
            claims[-1].ids += ids
    return claims


def _covered(parts: Sequence[str], passages: Sequence[frozenset[str]]) -> float:
    together = frozenset().union(*passages)
    return _share([part in together for part in parts])


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True)
class Citations:
    """:func:`citations` with its settings."""

    threshold: float = 0.5
    pattern: str | None = None
    id_field: str = "id"

    @property
    def list_id(self) -> str:
        """Hash of the rules by which marks are read."""
        return reading_id("citations", "_marks", "_text", "_passages")

    def __call__(self, *, answer: str | None, passages: Sequence[Any] | Mapping[str, Any]) -> dict[str, float]:
        """Check the marks of an answer; see :func:`citations`."""
        return citations(
            answer=answer,
            passages=passages,
            threshold=self.threshold,
            pattern=self.pattern,
            id_field=self.id_field,
        )


def make(threshold: float = 0.5, pattern: str | None = None, id_field: str = "id") -> Citations:
    """Make the evaluator.

    Parameters
    ----------
    threshold : float
        Share of a sentence's shingles the passages it cites must hold.
    pattern : str, optional
        Regular expression of a citation mark; its first group holds the ids, several by commas. None: every style.
    id_field : str
        Where the passages keep their id.
    """
    if pattern is not None and re.compile(pattern).groups != 1:
        raise ValueError("the pattern of a citation needs exactly one group, which holds the ids")
    return Citations(threshold, pattern, id_field)
