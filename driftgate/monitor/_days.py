"""Calls are not independent: what a user, an hour or a day has in common, and how much less its calls say.

Tests of two windows take calls for independent draws. A user who asks a hundred times, a session that goes wrong, a day
that is unlike the day before make p-values of calls far too small. So the evidence of a signal is the weaker of two:
the detector's own, and that of a test whose units are days and blocks. A block is what a user or a conversation sent in
a period as long as the current window, or, where the record tells neither, what came in an hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import Interval
from driftgate.monitor.alert import Period
from driftgate.monitor.detectors import MIN_ROWS, Evidence
from driftgate.monitor.signals import Signal

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

_BLOCKS = ("conversation", "session", "user")
"""Columns of the record that say who asks, the finest first."""
_WEEK = timedelta(days=7)
_LEAST_MATCHED = 50
"""Calls that the same weekdays of the reference must have to be compared with instead of all days."""
_LEAST_FREE = 3
"""Days beyond one a weekday, by which it can be told how much weekdays differ among themselves."""


@dataclass(frozen=True)
class Units:
    """To which period and block each call of a window belongs."""

    period: NDArray[np.int64]
    """How many lengths of the current window before it, from 1; 0 in the current window."""
    weekday: NDArray[np.int64]
    """Equal for calls of the same part of the week as long as the window; 0 for that of the current window."""
    block: NDArray[np.int64]
    who: NDArray[np.bool_]
    """Which calls tell who asked."""
    matched: NDArray[np.bool_]
    """Which calls of a reference the current window is compared with: those of the same weekdays, where these came at
    least twice and with enough calls; else all."""

    @classmethod
    def of(cls, calls: pd.DataFrame, current: Period) -> Units:
        """The units of calls, by their columns ``time`` and, where they tell it, who asks."""
        length = current.end - current.start
        before = (current.start - calls["time"]).dt.total_seconds().to_numpy(dtype=float)
        period = np.maximum(np.floor(before / length.total_seconds()).astype(np.int64) + 1, 0)
        week = round(_WEEK / length) if length < _WEEK and _WEEK % length == timedelta(0) else 1
        same = period % week == 0
        enough = same.sum() >= _LEAST_MATCHED and np.unique(period[same]).size >= 2
        matched = same if enough else np.ones(period.size, dtype=bool)
        block, who = _blocks(calls, period)
        return cls(period, period % week, block, who, matched)

    def pick(self, chosen: NDArray[Any]) -> Units:
        """The units of some calls."""
        return Units(*(part[chosen] for part in (self.period, self.weekday, self.block, self.who, self.matched)))


def _blocks(calls: pd.DataFrame, period: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """A number for each block: whoever asks in a period, or the hour of calls that do not tell who asks."""
    hours = calls["time"].dt.floor("h").factorize()[0].astype(np.int64)
    for column in _BLOCKS:
        if column in calls.columns and (told := calls[column].fillna("").astype(str)).ne("").any():
            who = told.factorize()[0].astype(np.int64)
            named = who + period * (int(who.max()) + 1)
            asked = (told != "").to_numpy(dtype=bool)
            return np.where(asked, named, -1 - hours), asked
    return hours, np.zeros(hours.size, dtype=bool)


def weaker(signal: Signal, found: Evidence, windows: tuple[Floats, Floats], units: tuple[Units, Units]) -> Evidence:
    r"""The evidence that is left where calls of a day and of a block hang together.

    With x the values (of numbers their logarithms), :math:`\bar x_0` their mean in the current window and :math:`\bar
    x_1` that in the reference, :math:`t = (\bar x_0 - \bar x_1) / \sqrt{V_0 + V_1}` is referred to Student's
    distribution. :math:`V_0` is the larger of two variances of a mean: by blocks, as for any clustered sample [1]_
    (where hours are the blocks, by their design effect in the reference [2]_), and by days, of the means of the
    reference's days about those of their weekday. :math:`V_1` is the same of the mean of so many days as are compared
    with. Degrees of freedom are days less weekdays where the days' variance is the larger, else the fewer of these and
    of blocks, counted by their sizes [2]_, less one.

    The p-value is the larger of this and the detector's, and the interval holds both: dependence only ever weakens.

    Parameters
    ----------
    found
        The detector's, of the reference's matched calls.
    windows
        Values of the whole reference window, and of the current one.
    units
        Of these.

    References
    ----------
    .. [1] Liang, Zeger (1986). Longitudinal data analysis using generalized linear models. Biometrika 73, 13-22.
    .. [2] Kish (1965). Survey sampling. Wiley, section 5.4.
    """
    if found.p_value is None or found.effect.estimate is None or signal.kind not in ("proportion", "continuous"):
        return found
    before, now = (np.log(side + signal.resolution) if signal.kind == "continuous" else side for side in windows)
    matched = units[0].matched
    by_block = [_by_block(before[matched], units[0].block[matched]), _by_block(now, units[1].block)]
    if not units[1].who.any():
        # An outage of some hours makes hours unlike each other; how unlike they usually are is the reference's to say.
        usual = before[matched].var() / max(matched.sum(), 1)
        effect = max(by_block[0][0] / usual, 1.0) if usual else 1.0
        by_block[1] = effect * float(now.var()) / now.size, by_block[0][1]
    spread, free = _by_day(before, units[0])
    days = max(np.unique(units[0].period[matched]).size, 1)
    error = math.sqrt(max(by_block[1][0], spread) + max(by_block[0][0], spread / days))
    # Each variance has its own degrees of freedom; those of the one that counts are the test's.
    free = max(free if spread >= by_block[1][0] else min(free, by_block[1][1]), 1.0)
    gap = float(now.mean() - before[matched].mean())
    if not error:
        return found
    from scipy import stats

    t, half = gap / error, float(stats.t.ppf(0.975, free)) * error
    tail = {"higher": t, "lower": -t, "either": abs(t)}[signal.bad]
    p_value = float(stats.t.sf(tail, free)) * (2.0 if signal.bad == "either" else 1.0)
    limits = (gap - half, gap + half)
    if signal.kind == "continuous":
        limits = (math.expm1(min(limits[0], 700.0)), math.expm1(min(limits[1], 700.0)))
    return replace(found, p_value=max(found.p_value, p_value), effect=_holding(found.effect, limits))


def _by_block(values: Floats, blocks: NDArray[np.int64]) -> tuple[float, float]:
    """The variance of a mean by blocks, and its degrees of freedom."""
    _, place, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    if sizes.size < 2:
        return 0.0, 1.0
    sums = np.bincount(place, weights=values - values.mean())
    variance = float((sums**2).sum()) / values.size**2 * sizes.size / (sizes.size - 1)
    return variance, float(values.size**2 / (sizes.astype(float) ** 2).sum()) - 1.0


def _by_day(values: Floats, units: Units) -> tuple[float, float]:
    """The variance of a day's mean about its weekday's, and its degrees of freedom; 0 where days are too few."""
    days, place, sizes = np.unique(units.period, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=values) / sizes
    weekdays = np.zeros(days.size, dtype=np.int64)
    weekdays[place] = units.weekday
    known = sizes >= MIN_ROWS
    means, weekdays = means[known], weekdays[known]
    if means.size - np.unique(weekdays).size < _LEAST_FREE:
        weekdays = np.zeros_like(weekdays)
    free = means.size - np.unique(weekdays).size
    if free < 1:
        return 0.0, math.inf
    _, place, sizes = np.unique(weekdays, return_inverse=True, return_counts=True)
    about = np.bincount(place, weights=means) / sizes
    return float(((means - about[place]) ** 2).sum()) / free, float(free)


def _holding(effect: Interval, limits: tuple[float, float]) -> Interval:
    """The interval that holds an effect's own and these limits."""
    if effect.low is None or effect.high is None:
        return effect
    return replace(effect, low=min(effect.low, limits[0]), high=max(effect.high, limits[1]))


def anchored(anchor: datetime, days: float, start: datetime) -> Period | None:
    """The reference that does not slide, once the sliding one has left it by a week or more."""
    return Period(anchor, anchor + timedelta(days=days)) if anchor + _WEEK <= start else None
