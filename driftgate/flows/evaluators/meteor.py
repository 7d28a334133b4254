"""METEOR over units that suit Korean, with stems of Latin words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from driftgate.flows.evaluators._overlap import OverlapEvaluator, Unit, compared
from driftgate.flows.evaluators._text import is_hangul, texts
from driftgate.flows.wording import stem


class _Stems:
    """What nltk asks of a stemmer: particles off a whole Korean word, Porter's rules on any other."""

    def __init__(self) -> None:
        from nltk.stem import PorterStemmer

        self._porter = PorterStemmer()

    def stem(self, word: str) -> str:
        if is_hangul(word):
            return stem(word) if len(word) > 2 else word
        return str(self._porter.stem(word))


class _NoSynonyms:
    """What nltk asks of a WordNet: there is no Korean one that may be shipped, so nothing is a synonym."""

    def synsets(self, word: str) -> list[Any]:
        return []


_stems = cache(_Stems)


def meteor(*, response: str | None, ground_truth: str | Sequence[str], unit: Unit = "pair") -> dict[str, float]:
    """METEOR over units: equal ones first, then equal stems; of several references the best.

    Parameters
    ----------
    response, ground_truth : str
        What was said and the reference (or several).
    unit : {"pair", "stem", "word", "syllable"}
        What is aligned.

    Notes
    -----
    A. Lavie and A. Agarwal, WMT 2007 (alpha 0.9, beta 3, gamma 0.5), without the stage of synonyms. Computed by nltk on
    our units and stems; azure-ai-evaluation's ``MeteorScoreEvaluator`` downloads WordNet and takes a Korean word with
    another particle for another word. Its penalty for fragments makes the best score of a single word 0.5.

    Examples
    --------
    >>> round(meteor(response="팀장이 재택근무를 승인한다", ground_truth="팀장은 재택근무를 승인한다")["meteor"], 3)
    0.999
    """
    from nltk.translate.meteor_score import single_meteor_score

    scores = []
    for text in texts(ground_truth):
        said, wanted = compared(response or "", text, unit)
        scores.append(single_meteor_score(wanted, said, stemmer=_stems(), wordnet=_NoSynonyms()))
    return {"meteor": float(max(scores, default=0.0))}


def make(unit: Unit = "pair") -> OverlapEvaluator:
    """Make the evaluator.

    Parameters
    ----------
    unit : {"pair", "stem", "word", "syllable"}
        Pairs of Hangul syllables, words without particles, words as they stand, or single Hangul syllables.
    """
    return OverlapEvaluator(partial(meteor, unit=unit), "meteor")
