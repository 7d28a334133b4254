"""Overlap of two texts in words and in characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.flows.evaluators._reading import reading_id
from driftgate.flows.evaluators._text import Unit, is_hangul, texts, tokens
from driftgate.flows.wording import tokens as worded


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
        ``f1``, ``precision``, ``recall`` over words and ``character_f1``. Two empty texts are equal. A quantity with
        its unit is one word, the same in every writing.

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
    >>> f1(response="요금은 25,000원", ground_truth="요금은 2만 5천 원")["f1"]
    1.0
    >>> f1(response="3억", ground_truth="3만")["f1"]
    0.0
    """
    said = _bag(response or "", unit)
    letters = "".join(tokens(response or "", "word"))
    precision, recall, score = max(
        (overlap(said, _bag(text, unit)) for text in texts(ground_truth)),
        key=lambda found: found[2],
        default=(0.0, 0.0, 0.0),
    )
    characters = max((overlap(letters, "".join(tokens(text, "word")))[2] for text in texts(ground_truth)), default=0.0)
    return {"f1": score, "precision": precision, "recall": recall, "character_f1": characters}


def _bag(text: str, unit: Unit) -> list[str]:
    """The words of a text, each quantity as one."""
    found: list[str] = []
    for token in worded(text):
        if token.stated is not None:
            found.append(repr((token.stated.kind, token.stated.key)))
        elif unit == "syllable" and is_hangul(token.text):
            found += token.text
        elif word := token.stem if unit == "stem" else token.text:
            found.append(word)
    return found


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


@dataclass(frozen=True)
class F1:
    """:func:`f1` with its settings."""

    unit: Unit = "stem"

    @property
    def list_id(self) -> str:
        """Hash of the rules by which texts are read and compared."""
        return reading_id("f1", "_text")

    def __call__(self, *, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
        """F1 of the words of two texts; see :func:`f1`."""
        return f1(response=response, ground_truth=ground_truth, unit=self.unit)


def make(unit: Unit = "stem") -> F1:
    """Make the evaluator.

    Parameters
    ----------
    unit : {"stem", "word", "syllable"}
        Words without particles, words as they stand, or single Hangul syllables.
    """
    return F1(unit)
