"""Overlap of two texts in words and in characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from driftgate.flows.evaluators._text import Unit, texts, tokens


def f1(*, response: str | None, ground_truth: str | Sequence[str], unit: Unit = "stem") -> dict[str, float]:
    """F1 of the two bags of words and of the two bags of characters; of several accepted texts the best.

    Parameters
    ----------
    response, ground_truth : str
        What was said and what was wanted (or a list of what is accepted).
    unit : {"stem", "word", "syllable"}
        What a word is; see the page on evaluators.

    Returns
    -------
    dict
        ``f1``, ``precision``, ``recall`` over words and ``character_f1``. Two empty texts are equal.

    Notes
    -----
    F1 of words: P. Rajpurkar et al., "SQuAD", EMNLP 2016, where words are split at spaces and English articles
    dropped; here Korean particles are. F1 of characters is the measure of KorQuAD 1.0: S. Lim et al., 2019,
    arXiv:1909.07005.

    Examples
    --------
    >>> found = f1(response="수도는 서울입니다.", ground_truth="서울")
    >>> {name: round(value, 3) for name, value in found.items()}
    {'f1': 0.667, 'precision': 0.5, 'recall': 1.0, 'character_f1': 0.4}
    """
    said = tokens(response or "", unit)
    letters = "".join(tokens(response or "", "word"))
    precision, recall, score = max(
        (overlap(said, tokens(text, unit)) for text in texts(ground_truth)),
        key=lambda found: found[2],
        default=(0.0, 0.0, 0.0),
    )
    characters = max((overlap(letters, "".join(tokens(text, "word")))[2] for text in texts(ground_truth)), default=0.0)
    return {"f1": score, "precision": precision, "recall": recall, "character_f1": characters}


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


def make(unit: Unit = "stem") -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    unit : {"stem", "word", "syllable"}
        Words without particles, words as they stand, or single Hangul syllables.
    """
    return partial(f1, unit=unit)
