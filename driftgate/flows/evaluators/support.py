"""Is an answer supported by the passages it was given? Without a model: by shared words and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from driftgate.flows.evaluators._passages import passages_by_id
from driftgate.flows.evaluators._text import normal, sentences, shingles

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
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
        threshold. ``numbers``: share of its numbers that stand in a passage; 1 where it has none.

    Notes
    -----
    Words do not tell a claim from its negation; for that a judge is needed (``groundedness``). An empty answer has no
    unsupported claim and is 1: bind ``length`` or ``exact_match`` beside it.

    Examples
    --------
    >>> passages = ["재택근무는 주 2회까지 할 수 있다.", "연차는 15일이다."]
    >>> support(answer="재택근무는 주 2회까지 가능합니다.", passages=passages)["supported"]
    1.0
    >>> support(answer="재택근무는 주 3회 가능합니다.", passages=passages)["numbers"]
    0.0
    """
    texts = list(passages_by_id(passages).values())
    plain = _MARK.sub(" ", answer)
    known = [frozenset(shingles(text)) for text in texts]
    everything = frozenset().union(*known)
    said = shingles(plain)
    claims = [parts for sentence in sentences(plain) if (parts := shingles(sentence))]
    numbers = _numbers(plain)
    stated = frozenset(number for text in texts for number in _numbers(text))
    return {
        "precision": _share(said, everything),
        "supported": _mean([float(max((_share(c, k) for k in known), default=0.0) >= threshold) for c in claims]),
        "numbers": _share(numbers, stated),
    }


def _numbers(text: str) -> list[str]:
    return [number.replace(",", "") for number in _NUMBER.findall(normal(text))]


def _share(parts: Sequence[str], known: frozenset[str]) -> float:
    return _mean([float(part in known) for part in parts])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0


def make(threshold: float = 0.6) -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    threshold : float
        From which share of its wording on a sentence counts as supported.
    """
    return partial(support, threshold=threshold)
