"""Canaries looked at for years: recent looks are pooled, and every look has the same level.

A look compares the newest answers with the reference, and so the last 4, 16 and 32 looks pooled: what one look is too
small to show, many show together. Each window is tested exactly, a canary's own answers against its own reference
answers (`driftgate.monitor.detectors.mantel_haenszel`); a canary that is right now and then, or that the reference
happened to meet at its best, costs it nothing.

Two things make small losses visible. The reference grows while all is quiet, doubling up to as many looks as the team
says: what eight looks leave open of each canary is the larger part of the noise. It takes in no look younger than the
largest window, so that what is compared is not yet part of it, and stops for good that far before the first alert;
the looks that were pinned stay a reference of their own beside it, and drift too slow to be seen is not grown into what
all looks are compared with. And canaries that a first part of the reference always met right are tested by themselves
against the rest of it: a few that break stand out there, without the noise of those that are right now and then. A
choice by looks that are no part of the comparison leaves it exact. Such evidence counts where the whole lost the floor.

The chance that a look raises a false alarm is the same for the first look and the ten-thousandth, so a monitor never
goes blind. Let it be a at each look. By Boole's inequality n looks raise one with a chance of at most n a, however much
they have in common: windows that overlap, a reference they share. So a year of looks has the budget that the team
writes down, and the mean number of looks until a false alarm, which a monitor that never stops is judged by [1]_ [2]_,
is at least 1 / (2 a): the sum of 1 - n a over n up to 1 / a.

References
----------
.. [1] Lorden (1971). Procedures for reacting to a change in distribution. Annals of Mathematical Statistics 42,
   1897-1908.
.. [2] Shin, Ramdas, Rinaldo (2023). E-detectors: a nonparametric framework for sequential change detection. New England
   Journal of Statistics in Data Science 2, 229-260.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WINDOWS: tuple[int, ...] = (1, 4, 16, 32)
"""How many looks are pooled. The largest bounds what a look reads."""
CHOOSING = 4
"""How many of the first looks of a reference choose its steady canaries; as many are left to be compared with."""
_OF_REFERENCES = 0.2
"""The share of the budget that is kept for the looks of which a reference is made."""
_HIGHEST = 0.05
"""No look has a higher level than this, however seldom it comes."""
_ARITHMETIC = 1e-9
_FAR = 4.0
"""Standard errors at which a signal among several alarms, about."""


@dataclass(frozen=True)
class Budget:
    """How many false alarms a monitor may raise, and so the level of each of its looks.

    Examples
    --------
    >>> hourly, nightly = Budget(0.05, 8766), Budget(0.05, 365.25)
    >>> f"{hourly.level:.2g} {nightly.level:.2g} {hourly.mean_run:,.0f}"
    '4.6e-06 0.00011 109,575'
    >>> f"{hourly.level_of_reference(8):.2g}"
    '0.00071'
    """

    per_year: float = 0.05
    """False alarms in a year: 0.05 is one in twenty years."""
    looks_per_year: float = 8766.0
    """How many looks a year has; 8,766 are hourly."""

    @property
    def level(self) -> float:
        """The chance that one look raises a false alarm."""
        return min(_HIGHEST, (1.0 - _OF_REFERENCES) * self.per_year / self.looks_per_year)

    @property
    def mean_run(self) -> float:
        """A lower bound of the mean number of looks until a false alarm."""
        return 0.5 / self.level

    def level_of_reference(self, looks: int) -> float:
        """The level of each look while a reference of so many is made; the first has nothing to be compared with."""
        # Each is compared in both directions: what broke may have been before or after.
        return min(_HIGHEST, _OF_REFERENCES * self.per_year) / max(1, 2 * (looks - 1))


@dataclass(frozen=True)
class TrafficBudget:
    """How many false alarms a month of looks at traffic may raise, and so the level of each.

    Looks that come oftener than their window is long share most of its calls, and hardly ever alarm each by itself.
    What they come to is the crossing rate of a process whose correlation falls off linearly [1]_, corrected for looks
    that are discrete [2]_: hourly looks at a day have nine times the false alarms of nightly ones, not 24 times.

    References
    ----------
    .. [1] Leadbetter, Lindgren, Rootzén (1983). Extremes and Related Properties of Random Sequences and Processes.
       Springer, theorem 12.2.9.
    .. [2] Siegmund (1985). Sequential Analysis. Springer, section 8.5.

    Examples
    --------
    >>> nightly, hourly = TrafficBudget(1.0, 365.25, 1.0), TrafficBudget(1.0, 8766.0, 1.0)
    >>> f"{nightly.level:.2g} {hourly.level:.2g}"
    '0.033 0.0036'
    """

    per_month: float
    """False alarms in a month; looks that go on saying the same are one."""
    looks_per_year: float
    window_days: float
    """Length of the current window."""

    @property
    def level(self) -> float:
        """The chance that one look raises a false alarm."""
        month = 365.25 / 12
        shared = self.looks_per_year * self.window_days / 365.25
        if shared <= 1.0:
            return min(_HIGHEST, self.per_month / (self.looks_per_year / 12))
        overlap = _FAR**2 * math.exp(-0.583 * _FAR * math.sqrt(2.0 / shared))
        return min(_HIGHEST, self.per_month * self.window_days / month / min(shared, 1.0 + overlap))


@dataclass(frozen=True)
class Part:
    """What all canaries of a window, or those of a slice, say."""

    loss: float
    """By how much they got worse; negative if they got better."""
    p_value: float
    """Against "no worse"."""


def reaches(loss: float, floor: float) -> bool:
    """Whether a loss is as large as the floor; what is only arithmetic does not make it smaller.

    Examples
    --------
    >>> 0.96 - 0.91 >= 0.05, reaches(0.96 - 0.91, 0.05)
    (False, True)
    """
    return loss > floor - _ARITHMETIC


def windows_of(looks: int) -> tuple[int, ...]:
    """The windows that so many looks fill.

    Examples
    --------
    >>> windows_of(1), windows_of(20)
    ((1,), (1, 4, 16))
    """
    return tuple(window for window in WINDOWS if window <= looks)


def grown(pinned: int, before: int, most: int) -> int:
    """How many looks a reference has taken in beside those that were pinned.

    Parameters
    ----------
    before
        How many looks were compared before this one, without any alert but this one's.
    most
        The most that a reference has, with those that were pinned.

    Examples
    --------
    >>> [grown(8, before, 64) for before in (38, 39, 55, 86, 87, 5000)]
    [0, 8, 24, 24, 56, 56]
    """
    ready, looks = before + 1 - WINDOWS[-1], pinned
    while looks and 2 * looks <= most and 2 * looks - pinned <= ready:
        looks *= 2
    return looks - pinned


def combined(whole: Part, slices: Sequence[Part], floor: float, steady: Part | None = None) -> float:
    """The p-value of a window: that the whole, or a slice, got worse by the floor at least.

    A part that lost less than the floor is no evidence, whatever its p-value, so the floor can only raise the p-value.
    The whole has half of the level, and the slices share the other half. A wrong answer in the place of a right one
    raises the loss of every part that it belongs to and lowers its p-value, so it never raises this one.

    Parameters
    ----------
    steady
        The canaries that the beginning of the reference always met right, against the rest of it. They can only fall,
        so they are evidence where the whole lost the floor, and share the half of the slices equally with these.

    Examples
    --------
    >>> combined(Part(0.01, 0.2), [Part(0.2, 0.001), Part(-0.18, 1.0)], floor=0.05)
    0.004
    >>> combined(Part(0.04, 1e-9), [], floor=0.05)
    1.0
    >>> steady = Part(0.2, 1e-9)
    >>> [combined(Part(loss, 0.3), [], 0.05, steady) for loss in (0.0, 0.06)]
    [1.0, 2e-09]
    """
    lost = reaches(whole.loss, floor)
    evident, others = whole.p_value if lost else 1.0, []
    if slices:
        best = min((part.p_value for part in slices if reaches(part.loss, floor)), default=1.0)
        others.append(len(slices) * best)
    if steady is not None:
        others.append(steady.p_value if lost else 1.0)
    return min(1.0, 2.0 * evident, 2.0 * len(others) * min(others)) if others else evident
