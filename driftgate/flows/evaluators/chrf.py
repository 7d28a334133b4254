"""chrF: F-score of character n-grams, which needs no tokeniser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftgate.flows.evaluators._text import normal, texts


def chrf(*, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
    """ChrF with n-grams up to 6 (or the shorter text's length) and beta 3; of several references the best.

    Notes
    -----
    M. Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015; computed by nltk on normalised
    text (NFKC, no case, no white space).

    Examples
    --------
    >>> chrf(response="서울입니다", ground_truth="서울입니다")
    {'chrf': 1.0}
    >>> round(chrf(response="재택근무는 주 2회", ground_truth="재택 근무는 주 3회")["chrf"], 3)
    0.615
    """
    from nltk.translate.chrf_score import sentence_chrf

    said = normal(response or "").replace(" ", "")
    references = [normal(text).replace(" ", "") for text in texts(ground_truth)]
    if not said or not any(references):
        return {"chrf": float(said in references)}
    scores = [sentence_chrf(text, said, max_len=min(6, len(text), len(said))) for text in references if text]
    return {"chrf": float(max(scores))}


def make() -> Callable[..., dict[str, float]]:
    """Make the evaluator; it has no settings."""
    return chrf
