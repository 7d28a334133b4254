"""The pass rate that people would give, from a few of their labels and many judgements of a biased judge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["CorrectedRate", "Labelled", "corrected_rate"]

_DRAWS = 4096
_PLASTIC = 1.2207440846057596
"""The root of x^4 = x + 1, of which a sequence of points is made that fills three dimensions evenly."""


@dataclass(frozen=True)
class Labelled:
    """Texts to which a judge gave the same verdict, some of which people graded, too."""

    judged: int
    """How many there are, with those that people graded."""
    passed: int
    """How many of them passed by people."""
    failed: int
    """How many of them failed by people."""
    blank: int = 0
    """How many of them people were asked for and did not grade."""

    def __post_init__(self) -> None:
        """Refuse counts that cannot be.

        Raises
        ------
        ValueError
            A count is negative, or more were labelled than were judged.
        """
        if min(self.judged, self.passed, self.failed, self.blank) < 0 or self.labelled + self.blank > self.judged:
            raise ValueError(f"found {self}, expected no more labels than judgements and nothing below 0")

    @property
    def labelled(self) -> int:
        """How many people graded."""
        return self.passed + self.failed


@dataclass(frozen=True)
class CorrectedRate:
    """The share of texts that would pass by people; see :func:`corrected_rate`."""

    estimate: float | None
    """None where people graded none of the texts of one verdict."""
    labels: int
    judged: int
    least: NDArray[np.float64]
    """Draws of the rate with whatever is missing failing, in order."""
    most: NDArray[np.float64]
    """Draws of the rate with whatever is missing passing, in order."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The two-sided interval."""
        tail = (1.0 - level) / 2.0
        return float(np.quantile(self.least, tail)), float(np.quantile(self.most, 1.0 - tail))

    @cached_property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return self.interval()[0]

    @cached_property
    def high(self) -> float:
        """The upper end of the 95% interval."""
        return self.interval()[1]

    def p_not_above(self, limit: float) -> float:
        """One-sided p-value against "the rate is at most the limit", whatever is missing failing."""
        return float((np.searchsorted(self.least, limit, side="right") + 1) / (self.least.size + 1))

    def p_not_below(self, limit: float) -> float:
        """One-sided p-value against "the rate is at least the limit", whatever is missing passing."""
        return float((self.most.size - np.searchsorted(self.most, limit, side="left") + 1) / (self.most.size + 1))


def corrected_rate(passing: Labelled, failing: Labelled, missing: int = 0) -> CorrectedRate:
    r"""The pass rate by people, where people graded a random part of what a judge passed or failed.

    With :math:`q` the share that the judge passes, and :math:`p_1, p_0` the shares of what it passes and fails that
    people pass, the rate is :math:`q p_1 + (1 - q) p_0`, whatever the judge's bias. For verdicts of two kinds this is
    the estimate of prediction-powered inference [1]_ with its tuned weight [2]_,
    :math:`\lambda = p_1 - p_0`: the judge's rate, corrected by its mean error on the labels.

    The interval is not the normal law's of the two papers, which with 100 labels covers as little as 86% where the rate
    is high (``python -m benchmarks.perf.simulate_ppi``). It is that of the three shares' Jeffreys laws [3]_,
    :math:`\operatorname{Beta}(k + 1/2, n - k + 1/2)`, put together on 4,096 evenly placed points, the same each time:
    so one more text that people fail moves no end upwards.

    Where people graded nothing of one verdict, or were asked and said nothing, and where the judge gave none
    (``missing``), the lower end takes all of it for failing and the upper end for passing.

    References
    ----------
    .. [1] Angelopoulos, Bates, Fannjiang, Jordan, Zrnic (2023). Prediction-powered inference. Science 382, 669-674.
    .. [2] Angelopoulos, Duchi, Zrnic (2023). PPI++: efficient prediction-powered inference. arXiv 2311.01453.
    .. [3] Brown, Cai, DasGupta (2001). Interval estimation for a binomial proportion. Statistical Science 16, 101-133.

    Raises
    ------
    ValueError
        There is nothing to measure.

    Examples
    --------
    A judge passes 9,000 of 10,000; of 90 of those people pass 70, of 10 of the others 1.

    >>> found = corrected_rate(Labelled(9000, 70, 20), Labelled(1000, 1, 9))
    >>> round(found.estimate, 3), round(found.low, 2), round(found.high, 2)
    (0.71, 0.63, 0.79)
    """
    judged = passing.judged + failing.judged
    if judged + missing < 1 or missing < 0:
        raise ValueError(f"found {judged} judgements and {missing} missing ones, expected at least one in all")
    known = judged / (judged + missing)
    share = _share(passing.judged, failing.judged, 2)
    ends: list[NDArray[np.float64]] = []
    whole_known = not missing and all(one.blank == 0 and (one.labelled or not one.judged) for one in (passing, failing))
    for blank_passes in (False, True):
        rates = []
        for place, one in enumerate((passing, failing)):
            if one.labelled + one.blank == 0:
                rates.append(np.full(_DRAWS, float(blank_passes)))
            else:
                up, down = (one.blank, 0) if blank_passes else (0, one.blank)
                rates.append(_share(one.passed + up, one.failed + down, place))
        whole = (share * rates[0] + (1.0 - share) * rates[1]) if judged else np.full(_DRAWS, float(blank_passes))
        ends.append(np.sort(known * whole + (1.0 - known) * float(blank_passes)))
        if whole_known:
            ends *= 2
            break
    return CorrectedRate(_estimate(passing, failing), passing.labelled + failing.labelled, judged, ends[0], ends[1])


def _estimate(passing: Labelled, failing: Labelled) -> float | None:
    total, found = passing.judged + failing.judged, 0.0
    for one in (passing, failing):
        if one.judged and not one.labelled:
            return None
        if one.judged:
            found += one.judged / total * one.passed / one.labelled
    return found if total else None


@lru_cache(maxsize=256)
def _share(yes: int, no: int, place: int) -> NDArray[np.float64]:
    """Draws of Jeffreys' law of a share, at the points of one dimension."""
    from scipy.special import betaincinv

    points = np.modf(0.5 + (np.arange(1, _DRAWS + 1) * _PLASTIC ** -(place + 1)))[0]
    return np.asarray(betaincinv(yes + 0.5, no + 0.5, points), dtype=np.float64)
