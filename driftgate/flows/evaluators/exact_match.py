"""Is a text exactly what was wanted?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftgate.flows.evaluators._replies import is_silent
from driftgate.flows.evaluators._text import texts


def exact_match(*, response: str | None, ground_truth: str | Sequence[str]) -> dict[str, float]:
    """Compare character by character; of several accepted texts one must be met. A silent response meets nothing.

    Examples
    --------
    >>> exact_match(response="서울", ground_truth=["서울", "서울특별시"])
    {'match': 1.0}
    >>> exact_match(response="서울 ", ground_truth="서울")
    {'match': 0.0}
    """
    return {"match": float(not is_silent(response) and response in texts(ground_truth))}


def make() -> Callable[..., dict[str, float]]:
    """Make the evaluator; it has no settings."""
    return exact_match
