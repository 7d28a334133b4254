"""ROUGE over units that suit Korean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

from driftgate.flows.evaluators._overlap import OverlapEvaluator, Unit, compared
from driftgate.flows.evaluators._text import texts

RougeType = Literal["rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rougeL"]
_JOINT = re.compile(r"(?<=[A-Za-z])[-'’](?=[A-Za-z])")


def rouge(
    *,
    response: str | None,
    ground_truth: str | Sequence[str],
    rouge_type: RougeType = "rougeL",
    unit: Unit = "pair",
) -> dict[str, float]:
    """ROUGE-N or ROUGE-L over units; of several accepted texts the best.

    Notes
    -----
    C.-Y. Lin, "ROUGE: a package for automatic evaluation of summaries", 2004. azure-ai-evaluation's
    ``RougeScoreEvaluator`` throws away everything but Latin letters and digits, so that two equal Korean texts score
    0; of Latin words this gives what that gives: they are cut at hyphens and apostrophes. A quantity with its unit is
    one word.

    Examples
    --------
    >>> rouge(response="연차는 15일이다.", ground_truth="연차가 15일이다.")
    {'f1': 1.0, 'precision': 1.0, 'recall': 1.0}
    """
    said = _JOINT.sub(" ", response or "")
    found = [_score(rouge_type, *compared(said, _JOINT.sub(" ", text), unit)) for text in texts(ground_truth)]
    return max(found, key=_f1, default={"f1": 0.0, "precision": 0.0, "recall": 0.0})


def make(rouge_type: RougeType = "rougeL", unit: Unit = "pair") -> OverlapEvaluator:
    """Make the evaluator, which takes ``response`` and ``ground_truth`` (a text or several, of which the best counts).

    Parameters
    ----------
    rouge_type : {"rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rougeL"}
        N-grams of that length, or the longest common subsequence.
    unit : {"pair", "stem", "word", "syllable"}
        Pairs of Hangul syllables, words without particles, words as they stand, or single Hangul syllables.
    """
    if rouge_type not in get_args(RougeType):
        raise ValueError(f"rouge_type is '{rouge_type}', expected one of {', '.join(get_args(RougeType))}")
    return OverlapEvaluator(partial(rouge, rouge_type=rouge_type, unit=unit), "rouge")


def _f1(found: dict[str, float]) -> float:
    return found["f1"]


def _score(rouge_type: RougeType, said: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    if not said or not wanted:
        both = float(not said and not wanted)
        return {"f1": both, "precision": both, "recall": both}
    if rouge_type == "rougeL":
        shared, in_said, in_wanted = _longest_common(said, wanted), len(said), len(wanted)
    else:
        length = int(rouge_type.removeprefix("rouge"))
        ours, theirs = _ngrams(said, length), _ngrams(wanted, length)
        shared, in_said, in_wanted = (ours & theirs).total(), ours.total(), theirs.total()
    precision, recall = shared / max(in_said, 1), shared / max(in_wanted, 1)
    f1 = 2.0 * precision * recall / (precision + recall) if shared else 0.0
    return {"f1": f1, "precision": precision, "recall": recall}


def _ngrams(tokens: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + length]) for start in range(len(tokens) - length + 1))


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for token in one:
        before = 0
        for place, wanted in enumerate(other, start=1):
            before, row[place] = row[place], before + 1 if token == wanted else max(row[place], row[place - 1])
    return row[-1]
