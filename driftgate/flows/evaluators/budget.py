"""Is a line, or a node, within its budget of time, tokens and calls?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

KINDS = ("seconds", "latency", "input_tokens", "output_tokens", "calls", "attempts")


def budget(*, limits: dict[str, float], **spent: float) -> dict[str, float]:
    """Compare what was spent with the limits.

    Examples
    --------
    >>> budget(limits={"output_tokens": 200}, output_tokens=180, calls=2)
    {'output_tokens': 180.0, 'calls': 2.0, 'within': 1.0}
    """
    absent = [kind for kind in limits if kind not in spent]
    if absent:
        raise ValueError(f"there is a limit on {', '.join(absent)} and no such input")
    within = all(spent[kind] <= limit for kind, limit in limits.items())
    return {**{kind: float(value) for kind, value in spent.items()}, "within": float(within)}


def make(
    seconds: float | None = None,
    latency: float | None = None,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    calls: int | None = None,
    attempts: int | None = None,
) -> Callable[..., dict[str, float]]:
    """Make the evaluator; its inputs have the names of its settings, such as ``seconds: ${line.seconds}``.

    Parameters
    ----------
    seconds : float, optional
        Most seconds that may pass, ``${line.seconds}`` or ``${nodes.NAME.seconds}``.
    latency : float, optional
        Most seconds the successful model calls may take, ``${line.latency}``.
    input_tokens : int, optional
        Most tokens that may be sent.
    output_tokens : int, optional
        Most tokens that may come back.
    calls : int, optional
        Most model calls.
    attempts : int, optional
        Most requests, those that were tried again included.
    """
    given = zip(KINDS, (seconds, latency, input_tokens, output_tokens, calls, attempts), strict=True)
    return partial(budget, limits={kind: float(limit) for kind, limit in given if limit is not None})
