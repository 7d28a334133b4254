"""How many calls a window should have, by the same hours of earlier weeks.

Traffic has its hours and weekdays: a Sunday is compared with Sundays. Where the reference does not reach a week back,
it is compared with the days before, as there is nothing better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftgate.monitor.alert import Period
from driftgate.monitor.blindness import Blindness

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RATIO = 0.5
"""Fewer than so many of the calls that were to be expected are too few."""
_LEAST = 20
"""Below so many expected calls half of them can go missing by chance."""
_LATE = timedelta(hours=1)
"""How much later calls may come, or telemetry may arrive, than on other days."""
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True)
class Volume:
    """Calls by time, each with its weight."""

    times: NDArray[np.datetime64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, calls: pd.DataFrame) -> Volume:
        """Those of a frame of telemetry."""
        weights = calls["weight"].to_numpy(float) if "weight" in calls.columns else np.ones(len(calls))
        return cls(calls["time"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]"), weights)

    @property
    def first(self) -> datetime:
        """When the first call came; there must be one."""
        moment: datetime = pd.Timestamp(self.times.min()).tz_localize("UTC").to_pydatetime()
        return moment

    def within(self, period: Period) -> float:
        """How many calls a period had."""
        start, end = (pd.Timestamp(moment).tz_convert("UTC").tz_localize(None) for moment in (period.start, period.end))
        chosen = (self.times >= start.to_datetime64()) & (self.times < end.to_datetime64())
        return float(self.weights[chosen].sum())

    def expected(self, period: Period, reference: Period) -> float | None:
        """How many calls a period should have: the median over earlier ones of the same hours.

        None where the reference is shorter than that. What lies before its first call is no earlier time: nothing was
        recorded yet.
        """
        if not len(self.times):
            return None
        known = Period(max(reference.start, self.first - (period.end - period.start) / 4), reference.end)
        earlier = list(earlier_windows(period, known, _WEEK)) or list(earlier_windows(period, known, _DAY))
        return median(map(self.within, earlier)) if earlier else None


@dataclass(frozen=True)
class Lost:
    """That calls are missing which were to be expected."""

    words: str
    blindness: Blindness


def lost(calls: pd.DataFrame, reference: Period, current: Period) -> Lost | None:
    """Which calls are missing from the current window; None where none are.

    Either the window has fewer than half of the calls that were to be expected, or none came since some time in which
    they were.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 3, 2, tzinfo=UTC)
    >>> times = pd.Series(pd.date_range(day, periods=24 * 8, freq="h"))
    >>> reference, current = Period(day, day + 7 * _DAY), Period(day + 7 * _DAY, day + 8 * _DAY)
    >>> lost(pd.DataFrame({"time": times}), reference, current)
    >>> lost(pd.DataFrame({"time": times[: 24 * 7 + 6]}), reference, current).words
    '6 calls were recorded in the current window where 24 were to be expected'
    """
    if calls.empty or calls["time"].min() >= current.start:
        return None
    volume = Volume.of(calls)
    expected, found = volume.expected(current, reference), volume.within(current)
    if expected is not None and expected >= _LEAST and found < _RATIO * expected:
        told = f"{found:,.0f} calls were recorded in the current window where {expected:,.0f} were to be expected"
        return Lost(told, "traffic_lost")
    last = max(calls["time"].max().to_pydatetime(), current.start)
    if current.end - last > _LATE:
        missed = volume.expected(Period(last + timedelta(microseconds=1), current.end - _LATE), reference)
        if missed is not None and missed >= _LEAST:
            since = f"{last:%Y-%m-%d %H:%M} UTC"
            told = f"no call was recorded since {since}, a time in which {missed:,.0f} were to be expected"
            return Lost(told, "no_traffic")
    return None


def earlier_windows(period: Period, reference: Period, step: timedelta) -> Iterator[Period]:
    """Periods of the same length and hours that lie within the reference, the newest first."""
    start, end = period.start - step, period.end - step
    while start >= reference.start:
        if end <= reference.end:
            yield Period(start, end)
        start, end = start - step, end - step
