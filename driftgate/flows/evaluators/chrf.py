"""chrF: F-score of character n-grams, which needs no tokeniser."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.flows.evaluators._overlap import OverlapEvaluator, written_alike
from driftgate.flows.evaluators._text import normal, texts


def chrf(*, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
    """ChrF with n-grams up to 6 (or the shorter text's length) and beta 3; of several references the best.

    Notes
    -----
    M. Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015; computed by nltk on normalised
    text (NFKC, no case, no white space), in which an equal quantity is written as the reference writes it.

    Examples
    --------
    >>> chrf(response="서울입니다", ground_truth="서울입니다")
    {'chrf': 1.0}
    >>> round(chrf(response="재택근무는 주 2회", ground_truth="재택 근무는 주 3회")["chrf"], 3)
    0.615
    """
    from nltk.translate.chrf_score import sentence_chrf

    def score(said: str, wanted: str) -> float:
        if not said or not wanted:
            return float(said == wanted)
        return float(sentence_chrf(wanted, said, max_len=min(6, len(wanted), len(said))))

    both = (map(_letters, written_alike(response or "", text)) for text in texts(ground_truth))
    return {"chrf": max((score(said, wanted) for said, wanted in both), default=0.0)}


def _letters(text: str) -> str:
    return normal(text).replace(" ", "")


def make() -> OverlapEvaluator:
    """Make the evaluator; it has no settings."""
    return OverlapEvaluator(chrf, "chrf")
