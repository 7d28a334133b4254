"""BLEU of one text, over units that suit Korean."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from driftgate.flows.evaluators._overlap import OverlapEvaluator, Unit, units
from driftgate.flows.evaluators._text import texts
from driftgate.flows.wording import alike, plain


def bleu(*, response: str | None, ground_truth: str | Sequence[str], unit: Unit = "syllable") -> dict[str, float]:
    """Sentence BLEU with n-grams up to 4, or up to the response's length where it is shorter.

    Parameters
    ----------
    response, ground_truth : str
        What was said and the reference (or several).
    unit : {"pair", "stem", "word", "syllable"}
        What a token is.

    Notes
    -----
    K. Papineni et al., ACL 2002; smoothing by halves (NIST, method 3 of B. Chen and C. Cherry, WMT 2014) and the
    effective order for short texts, as sacrebleu's ``sentence_bleu``. Computed by nltk on our tokens: its own
    tokenisers, and azure-ai-evaluation's ``BleuScoreEvaluator`` with them, download their data at run time and keep
    a Korean word with its particle as one token.

    Examples
    --------
    >>> bleu(response="재택근무는 주 2회다.", ground_truth="재택근무는 주 2회다.")
    {'bleu': 1.0}
    >>> round(bleu(response="재택근무는 주 2회다.", ground_truth="재택근무는 주 3회다.")["bleu"], 3)
    0.595
    """
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    several = [response or "", *texts(ground_truth)]
    spelt = map(plain, several) if unit == "word" else alike(*several)
    said, *references = (units(text, unit) for text in spelt)
    if not said or not any(references):
        return {"bleu": float(said in references)}
    order = min(4, len(said))
    weights = [1 / order] * order
    return {"bleu": float(sentence_bleu(references, said, weights, SmoothingFunction().method3))}


def make(unit: Unit = "syllable") -> OverlapEvaluator:
    """Make the evaluator.

    Parameters
    ----------
    unit : {"pair", "stem", "word", "syllable"}
        Pairs of Hangul syllables, words without particles, words as they stand, or single Hangul syllables.
    """
    return OverlapEvaluator(partial(bleu, unit=unit), "bleu")
