"""Is the letter that was read the right one?"""

from __future__ import annotations

from collections.abc import Callable


def correct(*, answer: str | None, gold: str) -> dict[str, float | str]:
    """Compare a choice letter with the key.

    Examples
    --------
    >>> correct(answer="B", gold="B")
    {'correct': 1.0, 'answer': 'B'}
    >>> correct(answer=None, gold="B")
    {'correct': 0.0, 'answer': ''}
    """
    return {
        "correct": float(answer is not None and answer.strip().upper() == gold.strip().upper()),
        "answer": answer or "",
    }


def make() -> Callable[..., dict[str, float | str]]:
    """Make the evaluator; it has no settings."""
    return correct
