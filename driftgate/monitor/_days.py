"""Calls are not independent: what a user, an hour or a day has in common, and how much less its calls say.

Tests of two windows take calls for independent draws. A user who asks a hundred times, a session that goes wrong, a day
that is unlike the day before make p-values of calls far too small. So the evidence of a signal is the weaker of two:
the detector's own, and that of a test whose units are days and blocks. A block is what a user or a conversation sent in
a period of the monitor (a day, usually), or, where the record tells neither, what came in an hour.

A single day says little where days are unlike each other, or where a few sessions have most of its calls. So the last
3, 7 and 14 days are compared as well, each day with its own weekday's; what one day is too short to show, they show
together.
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
from driftgate.monitor.signals import Kind, Signal

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

POOLED: tuple[int, ...] = (3, 7, 14)
"""How many periods are compared together, beside the newest by itself."""
OF_DAYS: tuple[Kind, ...] = ("proportion", "continuous")
"""Kinds of values that have a mean, of which days are compared."""
_BLOCKS = ("conversation", "session", "user")
"""Columns of the record that say who asks, the finest first."""
WEEK = timedelta(days=7)
_LEAST_MATCHED = 50
"""Calls that the same weekdays of the reference must have to be compared with instead of all days."""
UNMATCHED = "unmatched"
"""In an evidence's detail: the reference has no day like those of the current window."""
_FAR = 3.0
"""Floors by which a signal must move to be one that moved, whatever weekdays are like."""
_OTHER_TEXTS = 0.25
"""Of texts: the share of the traffic that must be about something else."""
_LEAST_FREE = 3
"""Days beyond one a weekday, by which it can be told how much weekdays differ among themselves."""
_NOTHING = 1e-18
"""A variance that is none but for arithmetic."""
_MOST_ALIKE = 0.9
"""The largest correlation of a day with the next that is told from a trend."""


@dataclass(frozen=True)
class Units:
    """To which period and block each call of a window belongs."""

    period: Codes
    """How many periods of the monitor's it is before the newest, which has 0."""
    weekday: Codes
    """Equal for calls of the same part of the week as long as a period; 0 for that of the newest."""
    block: Codes
    """Whoever asks in a period, or the hour in a period of calls that do not tell who asks: numbers from 0."""
    who: NDArray[np.bool_]
    """Which calls tell who asked."""
    matched: NDArray[np.bool_]
    """Which calls of a reference the current window is compared with: those of the same weekdays, where these came at
    least twice and with enough calls; else all."""

    @classmethod
    def of(cls, calls: pd.DataFrame, current: Period, pooled: int = 1, *, weekly: bool = True) -> Units:
        """The units of calls, by their columns ``time`` and, where they tell it, who asks.

        Parameters
        ----------
        pooled
            How many periods the current window has.
        weekly
            Whether weekdays are told apart; a reference that is shorter than a week by choice has none to match.
        """
        length = (current.end - current.start) / pooled
        before = (current.end - calls["time"]).dt.total_seconds().to_numpy(dtype=float)
        # A period has its start and not its end: what came at the very start of the newest is of the newest.
        period = np.maximum(np.ceil(before / length.total_seconds()).astype(np.int64) - 1, 0)
        week = round(WEEK / length) if weekly and length < WEEK and WEEK % length == timedelta(0) else 1
        weekday = period % week
        same = np.isin(weekday, np.arange(pooled) % week)
        enough = same.sum() >= _LEAST_MATCHED and np.unique(period[same]).size >= 2 * min(pooled, week)
        matched = same if enough else np.ones(period.size, dtype=bool)
        block, who = _blocks(calls, period)
        return cls(period, weekday, block, who, matched)

    def pick(self, chosen: NDArray[Any]) -> Units:
        """The units of some calls."""
        return Units(*(part[chosen] for part in (self.period, self.weekday, self.block, self.who, self.matched)))


def _blocks(calls: pd.DataFrame, period: Codes) -> tuple[Codes, NDArray[np.bool_]]:
    """A number for each block, and which calls tell who asks."""
    asking = calls["time"].dt.floor("h").factorize()[0].astype(np.int64)
    who = np.zeros(asking.size, dtype=bool)
    for column in _BLOCKS:
        if column in calls.columns:
            codes = calls[column].replace("", None).factorize()[0].astype(np.int64)
            if (codes >= 0).any():
                who = codes >= 0
                asking = np.where(who, codes, -1 - asking)
                break
    if not asking.size:
        return asking, who
    asking = asking - asking.min()
    return np.unique(period * (asking.max() + 1) + asking, return_inverse=True)[1].astype(np.int64), who


def weaker(signal: Signal, found: Evidence, windows: tuple[Floats, Floats], units: tuple[Units, Units]) -> Evidence:
    r"""The evidence that is left where calls of a day and of a block hang together.

    With x the values (of numbers their logarithms), let the blocks of a day vary about it with variance
    :math:`\sigma_b^2` and calls about their block with :math:`\sigma_w^2`, by analysis of variance [1]_. Then the mean
    :math:`\bar x_b` of a block of n calls has the variance :math:`\sigma_b^2 + \sigma_w^2 / n`, by whose inverse blocks
    are weighted in the mean of their day: a session of a thousand calls tells no more than a few of ten do where calls
    of a session are alike. The variance of that mean is v, and that of days about their weekday beside it is
    :math:`\tau^2`, by the method of moments [2]_ over all days of the reference. With d the mean difference of the
    current window's days to the means of their weekdays, weighted by :math:`1 / (\tau^2 + v)`, :math:`t = d / \sqrt{q
    V}` is referred to Student's distribution with as many degrees of freedom as the reference has days less weekdays;
    q is at least 1 and as large as the reference's days are farther apart than that [3]_. Where blocks vary more than
    days, degrees of freedom are at most those of the current blocks, counted by their weights [4]_. Days that follow
    each other may be alike: of several, the variance is that of an autoregression with the reference's correlation.

    How unlike each other blocks are is estimated in both windows, and the larger is taken for the current one: a user
    whose calls all fail is no change of the traffic. Where hours are the blocks it is the reference's: an outage of
    some hours makes hours unlike each other.

    The p-value is the larger of this and the detector's, and the interval holds both: dependence only ever weakens. Of
    a window of several periods the effect is d itself, with its interval.

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
    .. [1] Searle, Casella, McCulloch (1992). Variance Components. Wiley, section 3.6.
    .. [2] DerSimonian, Laird (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7, 177-188.
    .. [3] Knapp, Hartung (2003). Improved tests for a random effects meta-regression with a single covariate.
       Statistics in Medicine 22, 2693-2710.
    .. [4] Kish (1965). Survey sampling. Wiley, section 5.4.
    """
    if found.p_value is None or found.effect.estimate is None or signal.kind not in OF_DAYS:
        return found
    before, now = (np.log(side + signal.resolution) if signal.kind == "continuous" else side for side in windows)
    compared = _compare(_Blocks.of(before, units[0]), _Blocks.of(now, units[1]), named=bool(units[1].who.any()))
    if not compared.error:
        return found
    from scipy import stats

    t, half = compared.gap / compared.error, float(stats.t.ppf(0.975, compared.free)) * compared.error
    tail = {"higher": t, "lower": -t, "either": abs(t)}[signal.bad]
    p_value = float(stats.t.sf(tail, compared.free)) * (2.0 if signal.bad == "either" else 1.0)
    gap, low, high = (_change(signal, compared.gap + far) for far in (0.0, -half, half))
    left = replace(
        found,
        p_value=max(found.p_value, p_value),
        effect=_holding(found.effect, (low, high)),
        detail={**found.detail, "free": compared.free, "days": compared.days, "p_by_call": found.p_value},
    )
    if not units[1].period.any():
        return left
    effect = Interval(gap, low, high, level=0.95, method="days", n=found.effect.n)
    before_then, now_then = (_level(signal, one) for one in (compared.usually, compared.usually + compared.gap))
    return replace(left, effect=effect, reference_value=before_then, current_value=now_then)


def on_other_weekdays(signal: Signal, found: Evidence, floor: float, units: tuple[Units, Units]) -> Evidence:
    """The evidence that is left where the reference has no day like those of the current window.

    How far one weekday is from another is not known before both were seen: a first Saturday is unlike the five days
    before it, and nothing has changed. So a move is none, unless it is three times as large as the floor (of numbers,
    of their logarithms; of texts a quarter of the traffic), or a gross one of the service.

    Parameters
    ----------
    found
        All of it otherwise.
    floor
        The smallest effect worth a person's time.
    """
    reference, current = map(_weekdays, units)
    if found.p_value is None or current <= reference:
        return found
    told = replace(found, detail={**found.detail, UNMATCHED: 1.0, "p_by_day": found.p_value})
    effect, enough = found.effect.estimate or 0.0, _FAR * (math.log1p(floor) if signal.kind == "continuous" else floor)
    if signal.kind not in OF_DAYS:
        enough = max(enough, _OTHER_TEXTS)
    moved = abs(math.log1p(max(effect, -1.0 + 1e-12))) if signal.kind == "continuous" else abs(effect)
    return told if moved >= min(enough, signal.gross or enough) else replace(told, p_value=1.0)


def _weekdays(units: Units) -> set[int]:
    """Those of which there are calls enough, or all where there are of none."""
    days, counts = np.unique(units.weekday, return_counts=True)
    return set(map(int, days[counts >= MIN_ROWS] if (counts >= MIN_ROWS).any() else days))


def _change(signal: Signal, gap: float) -> float:
    """A difference of means as an effect: of numbers, whose logarithms these are of, the relative change."""
    return math.expm1(min(gap, 700.0)) if signal.kind == "continuous" else gap


def _level(signal: Signal, mean: float) -> float:
    return math.exp(mean) - signal.resolution if signal.kind == "continuous" else mean


@dataclass(frozen=True)
class _Compared:
    """The mean difference of days, its standard error and degrees of freedom."""

    gap: float
    usually: float
    """What the current window's days are compared with."""
    error: float
    free: float
    days: int
    """How many the reference has."""


def _compare(before: _Blocks, now: _Blocks, *, named: bool) -> _Compared:
    usual, unusual = before.spread(), now.spread()
    if named:
        spread = _Spread(max(usual.between, unusual.between), max(usual.within, unusual.within))
    else:
        of_blocks = usual.between / usual.total if usual.total else 0.0
        spread = _Spread(of_blocks * unusual.total, (1.0 - of_blocks) * unusual.total)
    reference, current = before.days(usual), now.days(spread)
    weekdays = np.unique(reference.weekday)
    if reference.period.size - weekdays.size < _LEAST_FREE or not np.isin(current.weekday, weekdays).all():
        weekdays = np.zeros(1, dtype=np.int64)
    place, of_now = (np.searchsorted(weekdays, side.weekday) % weekdays.size for side in (reference, current))
    free = float(reference.period.size - weekdays.size)
    extra = reference.beyond(place) if free >= 1.0 else 0.0
    weight = 1.0 / (extra + reference.variance)
    total = np.bincount(place, weights=weight)
    about = reference.mean - (np.bincount(place, weights=weight * reference.mean) / total)[place]
    stretch = max(1.0, float((weight * about**2).sum()) / free) if free >= 1.0 else 1.0
    share = 1.0 / (extra + current.variance)
    share /= share.sum()
    usually = np.bincount(place, weights=weight * reference.mean) / total
    level = float((share * usually[of_now]).sum())
    gap = float((share * current.mean).sum()) - level
    by_block = float((share**2 * current.variance).sum())
    by_day = float((share**2).sum()) * extra * _inertia(about, reference.period, current.period.size)
    of_reference = float((np.bincount(of_now, weights=share, minlength=weekdays.size) ** 2 / total).sum())
    if free < 1.0 or by_block > by_day:
        free = min(free if free >= 1.0 else math.inf, current.blocks - 1.0)
    variance = stretch * (by_block + by_day + of_reference)
    return _Compared(
        gap, level, math.sqrt(variance) if variance > _NOTHING else 0.0, max(free, 1.0), reference.period.size
    )


@dataclass(frozen=True)
class _Spread:
    """The variances of blocks about their day, and of calls about their block."""

    between: float
    within: float

    @property
    def total(self) -> float:
        return self.between + self.within


@dataclass(frozen=True)
class _Days:
    """The means of a window's days, each block weighted by what it tells."""

    period: Codes
    weekday: Codes
    mean: Floats
    variance: Floats
    blocks: float
    """How many blocks there are, counted by their weights."""

    def beyond(self, place: Codes) -> float:
        """By how much days vary about their weekday beyond what their blocks make of it."""
        weight = 1.0 / self.variance
        total = np.bincount(place, weights=weight)
        about = self.mean - (np.bincount(place, weights=weight * self.mean) / total)[place]
        free = self.period.size - total.size
        scale = float(weight.sum()) - float((np.bincount(place, weights=weight**2) / total).sum())
        return max(0.0, (float((weight * about**2).sum()) - free) / scale)


def _inertia(about: Floats, period: Codes, days: int) -> float:
    """How much larger the variance of a mean of days that follow each other is than if they were unlike."""
    order = np.argsort(period)
    near = np.diff(period[order]) == 1
    if days < 2 or near.sum() < _LEAST_FREE or not about.any():
        return 1.0
    ordered = about[order]
    alike = float((ordered[1:] * ordered[:-1])[near].mean() / (about**2).mean())
    # Residuals of n days that are unlike each other have a correlation of about -1 / n.
    alike = min(max(alike + 1.0 / about.size, 0.0), _MOST_ALIKE)
    lags = np.arange(1, days)
    return 1.0 + 2.0 * float(((1.0 - lags / days) * alike**lags).sum())


@dataclass(frozen=True)
class _Blocks:
    """The blocks of a window: their sizes and means, the day of each, and how calls vary within."""

    size: Floats
    mean: Floats
    day: Codes
    within: float
    """The sum of squares of calls about the mean of their block."""
    period: Codes
    """Of each day."""
    weekday: Codes

    @classmethod
    def of(cls, values: Floats, units: Units) -> _Blocks:
        period, first, of_call = np.unique(units.period, return_index=True, return_inverse=True)
        sizes = np.bincount(units.block)
        sums = np.bincount(units.block, weights=values)
        day = np.zeros(sizes.size, dtype=np.int64)
        day[units.block] = of_call
        there = sizes > 0
        means = np.divide(sums, sizes, out=np.zeros(sizes.size), where=there)
        within = float(((values - means[units.block]) ** 2).sum())
        weekday = units.weekday[first]
        return cls(sizes[there].astype(float), means[there], day[there], within, period, weekday)

    def spread(self) -> _Spread:
        """The variances of blocks about their day, and of calls about their block."""
        calls, blocks, days = float(self.size.sum()), self.size.size, self.period.size
        within = self.within / (calls - blocks) if calls > blocks else 0.0
        if blocks == days:
            return _Spread(0.0, within)
        of_day = np.bincount(self.day, weights=self.size)
        about = self.mean - (np.bincount(self.day, weights=self.size * self.mean) / of_day)[self.day]
        apart = float((self.size * about**2).sum()) / (blocks - days)
        size = (calls - float((np.bincount(self.day, weights=self.size**2) / of_day).sum())) / (blocks - days)
        return _Spread(max(0.0, (apart - within) / size), within)

    def days(self, spread: _Spread) -> _Days:
        """The days with enough calls, or all where none has."""
        tell = 1.0 / np.maximum(spread.between + spread.within / self.size, _NOTHING)
        total = np.bincount(self.day, weights=tell)
        mean = np.bincount(self.day, weights=tell * self.mean) / total
        known = np.bincount(self.day, weights=self.size) >= MIN_ROWS
        known = known if known.any() else np.ones(known.size, dtype=bool)
        blocks = float(tell.sum() ** 2 / (tell**2).sum())
        return _Days(self.period[known], self.weekday[known], mean[known], 1.0 / total[known], blocks)


def _holding(effect: Interval, limits: tuple[float, float]) -> Interval:
    """The interval that holds an effect's own and these limits."""
    if effect.low is None or effect.high is None:
        return effect
    return replace(effect, low=min(effect.low, limits[0]), high=max(effect.high, limits[1]))


def anchored(anchor: datetime, days: float, start: datetime) -> Period | None:
    """The reference that does not slide, once the sliding one has left it by a week or more."""
    return Period(anchor, anchor + timedelta(days=days)) if anchor + WEEK <= start else None
