"""Overlap of two texts in words and in characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from driftgate.flows.evaluators._overlap import OverlapEvaluator, Unit, compared
from driftgate.flows.evaluators._text import texts, words
from driftgate.flows.wording import plain


def f1(*, response: str | None, ground_truth: str | Sequence[str], unit: Unit = "pair") -> dict[str, float]:
    """F1 of the two bags of units and of the two bags of characters; of several accepted texts the best.

    Parameters
    ----------
    response, ground_truth : str
        What was said and what was wanted (or a list of what is accepted).
    unit : {"pair", "stem", "word", "syllable"}
        What is counted; see the page on evaluators.

    Returns
    -------
    dict
        ``f1``, ``precision``, ``recall`` over units and ``character_f1``. Two empty texts are equal. A quantity with
        its unit is one, the same in every writing.

    Notes
    -----
    F1 of words: P. Rajpurkar et al., "SQuAD", EMNLP 2016, where words are split at spaces and English articles
    dropped; here Korean particles are. F1 of characters is the measure of KorQuAD 1.0: S. Lim et al., 2019,
    arXiv:1909.07005.

    Examples
    --------
    >>> found = f1(response="수도는 서울입니다.", ground_truth="서울", unit="stem")
    >>> {name: round(value, 3) for name, value in found.items()}
    {'f1': 0.667, 'precision': 0.5, 'recall': 1.0, 'character_f1': 0.4}
    >>> f1(response="할수있습니다", ground_truth="할 수 있습니다")["f1"]
    1.0
    >>> f1(response="요금은 25,000원", ground_truth="요금은 2만 5천 원")["f1"]
    1.0
    >>> f1(response="3억", ground_truth="3만")["f1"]
    0.0
    """
    said, accepted = response or "", texts(ground_truth)
    precision, recall, score = max(
        (overlap(*compared(said, text, unit, signs=True)) for text in accepted),
        key=lambda found: found[2],
        default=(0.0, 0.0, 0.0),
    )
    letters = _letters(said)
    characters = max((overlap(letters, _letters(text))[2] for text in accepted), default=0.0)
    return {"f1": score, "precision": precision, "recall": recall, "character_f1": characters}


def _letters(text: str) -> str:
    return "".join(words(plain(text)))


def overlap(said: Sequence[str], wanted: Sequence[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of two bags.

    Examples
    --------
    >>> overlap("ab", "bbc")
    (0.5, 0.3333333333333333, 0.4)
    """
    if not said or not wanted:
        both = float(not said and not wanted)
        return both, both, both
    common = sum((Counter(said) & Counter(wanted)).values())
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / len(said), common / len(wanted)
    return precision, recall, 2 * precision * recall / (precision + recall)


def make(unit: Unit = "pair") -> OverlapEvaluator:
    """Make the evaluator.

    Parameters
    ----------
    unit : {"pair", "stem", "word", "syllable"}
        Pairs of Hangul syllables, words without particles, words as they stand, or single Hangul syllables.
    """
    return OverlapEvaluator(partial(f1, unit=unit), "f1")
