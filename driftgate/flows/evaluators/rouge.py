"""ROUGE, by azure-ai-evaluation on our tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from driftgate.flows.evaluators._azure import azure_class, call
from driftgate.flows.evaluators._text import Unit, texts, tokens

RougeType = Literal["rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rougeL"]


def make(rouge_type: RougeType = "rougeL", unit: Unit = "stem") -> Callable[..., Any]:
    """Make the evaluator, which takes ``response`` and ``ground_truth`` (a text or several, of which the best counts).

    Parameters
    ----------
    rouge_type : {"rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rougeL"}
        N-grams of that length, or the longest common subsequence.
    unit : {"stem", "word", "syllable"}
        Words without particles, words as they stand, or single Hangul syllables.

    Notes
    -----
    C.-Y. Lin, "ROUGE: a package for automatic evaluation of summaries", 2004. ``RougeScoreEvaluator`` throws away
    everything but Latin letters and digits, so that two equal Korean texts score 0. It is given a name for each token
    instead, on which its arithmetic is right. Returns ``f1``, ``precision`` and ``recall``.

    Examples
    --------
    >>> import asyncio
    >>> asyncio.run(make()(response="연차는 15일이다.", ground_truth="연차가 15일이다."))
    {'f1': 1.0, 'precision': 1.0, 'recall': 1.0}
    """
    kinds = azure_class("RougeType")
    known = [kind.value for kind in kinds]
    if rouge_type not in known:
        raise ValueError(f"rouge_type is '{rouge_type}', expected one of {', '.join(known)}")
    evaluator = azure_class("RougeScoreEvaluator")(rouge_type=kinds(rouge_type))

    async def rouge(*, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
        return max(
            [await _score(evaluator, tokens(response or "", unit), tokens(text, unit)) for text in texts(ground_truth)],
            key=lambda found: found["f1"],
        )

    return rouge


async def _score(evaluator: Any, said: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    if not said or not wanted:
        both = float(not said and not wanted)
        return {"f1": both, "precision": both, "recall": both}
    names = {token: f"t{number}" for number, token in enumerate(dict.fromkeys([*said, *wanted]))}
    found = await call(
        evaluator,
        response=" ".join(names[token] for token in said),
        ground_truth=" ".join(names[token] for token in wanted),
    )
    parts = found["rouge_properties"]
    return {
        "f1": float(found["rouge"]),
        "precision": float(parts["rouge_precision"]),
        "recall": float(parts["rouge_recall"]),
    }
