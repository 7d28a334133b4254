"""METEOR with Korean stems: a word matches the same word with another particle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from driftgate.flows.evaluators._text import is_hangul, stem, texts, tokens


class _Stems:
    """What nltk asks of a stemmer: particles off a Korean word, Porter's rules on any other."""

    def __init__(self) -> None:
        from nltk.stem import PorterStemmer

        self._porter = PorterStemmer()

    def stem(self, word: str) -> str:
        return stem(word) if is_hangul(word) else str(self._porter.stem(word))


class _NoSynonyms:
    """What nltk asks of a WordNet: there is no Korean one that may be shipped, so nothing is a synonym."""

    def synsets(self, word: str) -> list[Any]:
        return []


_stems = cache(_Stems)


def meteor(*, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
    """METEOR over words: equal words first, then equal stems; of several references the best.

    Notes
    -----
    A. Lavie and A. Agarwal, WMT 2007 (alpha 0.9, beta 3, gamma 0.5), without the stage of synonyms. Computed by nltk on
    our words and stems; azure-ai-evaluation's ``MeteorScoreEvaluator`` downloads WordNet and takes a Korean word with
    another particle for another word. Its penalty for fragments makes the best score of a single word 0.5.

    Examples
    --------
    >>> round(meteor(response="팀장이 재택근무를 승인한다", ground_truth="팀장은 재택근무를 승인한다")["meteor"], 3)
    0.981
    """
    from nltk.translate.meteor_score import single_meteor_score

    said = tokens(response or "", "word")
    scores = [
        single_meteor_score(tokens(text, "word"), said, stemmer=_stems(), wordnet=_NoSynonyms())
        for text in texts(ground_truth)
    ]
    return {"meteor": float(max(scores, default=0.0))}


def make() -> Callable[..., dict[str, float]]:
    """Make the evaluator; it has no settings."""
    return meteor
