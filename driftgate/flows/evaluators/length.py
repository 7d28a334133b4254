"""How long is a text, and is it within a budget?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial


def length(*, text: str, longest: int | None = None) -> dict[str, float]:
    """Characters of ``text``, and whether they are at most ``longest``.

    Examples
    --------
    >>> length(text="정답은 B입니다.", longest=20)
    {'characters': 9.0, 'within': 1.0}
    """
    size = len(text)
    return {"characters": float(size), "within": float(longest is None or size <= longest)}


def make(longest: int | None = None) -> Callable[..., dict[str, float]]:
    """Make the evaluator.

    Parameters
    ----------
    longest : int, optional
        Characters a text may have.
    """
    return partial(length, longest=longest)
