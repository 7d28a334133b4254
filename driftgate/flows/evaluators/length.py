"""How long is a text, and is it within a budget?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from driftgate.flows.evaluators._replies import is_silent


def length(*, text: str | None, longest: int | None = None) -> dict[str, float]:
    """Characters of ``text``, and whether they are at most ``longest``; no text is within no budget.

    Examples
    --------
    >>> length(text="정답은 B입니다.", longest=20)
    {'characters': 9.0, 'within': 1.0}
    """
    size = len(text or "")
    within = not is_silent(text) and (longest is None or size <= longest)
    return {"characters": float(size), "within": float(within)}


def make(longest: int | None = None) -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    longest : int, optional
        Characters a text may have.
    """
    return partial(length, longest=longest)
