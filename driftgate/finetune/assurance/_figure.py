"""One figure of a training set, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "inconclusive", "unmeasurable"]
LEAST = 30
"""Items, or records, below which an estimate says nothing good."""
_GRAVEST: tuple[Verdict, ...] = ("pass", "inconclusive", "unmeasurable", "fail")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, its limit and the verdict on it."""

    name: str
    """The field of :class:`PrivacyLimits` that limits it."""
    value: float | None
    """None where it could not be measured."""
    limit: float
    verdict: Verdict
    n: int
    """Items, or records, it was measured on."""
    low: float | None = None
    high: float | None = None
    """Bounds of 95% on each side, where the figure is an estimate."""
    told: str = ""
    """Why it could not be measured and what to do, or where it is worst; no text of an item or a source."""


def unmeasurable(name: str, limit: float, told: str) -> Figure:
    """A figure that could not be measured, with the reason and the remedy."""
    return Figure(name, None, limit, "unmeasurable", 0, told=told)


def judged(name: str, value: float, limit: float, n: int, bounds: tuple[float, float], told: str = "") -> Figure:
    """An estimate: it passes where its upper bound is within the limit, and fails where its lower bound is beyond it.

    Of fewer than :data:`LEAST` nothing passes.

    Examples
    --------
    >>> judged("closer_share", 0.52, 0.55, 40, (0.38, 0.66)).verdict
    'inconclusive'
    """
    low, high = bounds
    verdict: Verdict = "pass" if high <= limit and n >= LEAST else "fail" if low > limit else "inconclusive"
    return Figure(name, value, limit, verdict, n, low, high, told)


def counted(name: str, value: float, limit: float, n: int, told: str = "") -> Figure:
    """A count of what is there, which needs no bounds."""
    return Figure(name, value, limit, "pass" if value <= limit else "fail", n, told=told)


def gravest(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several figures; unmeasurable where there is none.

    Examples
    --------
    >>> gravest(["pass", "inconclusive"]), gravest(["unmeasurable", "fail"]), gravest([])
    ('inconclusive', 'fail', 'unmeasurable')
    """
    return max(verdicts, key=_GRAVEST.index, default="unmeasurable")
