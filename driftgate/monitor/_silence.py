"""Which part of the traffic fell silent: one tenant, one model, one application, while the others go on.

The calls of all together may be as many as ever. So each value of a label that every earlier window had, weekday by
weekday where the reference is long enough, is looked for in the current one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from driftgate.monitor._volume import Volume, earlier_windows
from driftgate.monitor.alert import Period

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("request_model", "tenant", "slice", "provider", "dialect")
"""By which calls are parted; the dialect tells applications and sources of telemetry apart."""
_LEAST = 20.0
"""Calls that every earlier window had, at least; of fewer it may be chance."""
_GONE = 0.1
"""Of the fewest of an earlier window, the share below which a part is gone."""
_LATE = timedelta(hours=1)
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
_TOLD = 3
_FEWER = 0.8
"""Of the fewest calls of an earlier window, what a window has at most of which it is said that calls are missing."""


def fewer(calls: pd.DataFrame, reference: Period, current: Period) -> str:
    """That the current window has fewer calls than any before, in words; empty where it does not.

    It is not known whether fewer were made or fewer were told, nor what became of those that are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 3, 2, tzinfo=UTC)
    >>> calls = pd.DataFrame({"time": pd.Series(pd.date_range(day, periods=48 * 8, freq="30min"))})
    >>> reference, current = Period(day, day + 7 * _DAY), Period(day + 7 * _DAY, day + 8 * _DAY)
    >>> fewer(calls, reference, current)
    ''
    >>> fewer(calls[(calls.time < current.start) | (calls.index % 3 > 0)], reference, current)
    'the current window has 32 calls, and every earlier one had 48 or more'
    """
    if calls.empty:
        return ""
    volume = Volume.of(calls)
    least, count = _least(volume, current, reference), volume.within(current)
    if least < _LEAST or not 0.0 < count < _FEWER * least:
        return ""
    return f"the current window has {count:,.0f} calls, and every earlier one had {least:,.0f} or more"


def silent(calls: pd.DataFrame, reference: Period, current: Period, ended: Collection[str] = ()) -> str:
    """Which parts of the traffic fell silent, in words; empty where none did.

    Parameters
    ----------
    calls
        A row each, or for several that came at about one time, which ``weight`` counts.
    ended : collection of str
        Parts of which that is known, as ``LABEL=VALUE``.

    Examples
    --------
    >>> import pandas as pd
    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 3, 2, tzinfo=UTC)
    >>> times = pd.Series(pd.date_range(day, periods=48 * 8, freq="30min"))
    >>> calls = pd.DataFrame({"time": times, "tenant": ["acme", "else"] * 192})
    >>> reference, current = Period(day, day + 7 * _DAY), Period(day + 7 * _DAY, day + 8 * _DAY)
    >>> silent(calls, reference, current)
    ''
    >>> silent(calls[(calls.tenant == "else") | (calls.time < current.start)], reference, current)
    'no call of tenant=acme, of which every earlier window had 24 or more'
    """
    calls = calls if "weight" in calls.columns else calls.assign(weight=1.0)
    found = []
    for name in (label for label in LABELS if label in calls.columns):
        of_value = calls.groupby(name).agg(count=("weight", "sum"), first=("time", "min"))
        values = of_value[(of_value["count"] >= 2 * _LEAST) & (of_value["first"] < current.start)].index
        for value in values:
            if (value == "" and name != "dialect") or f"{name}={value}" in ended:
                continue
            part = calls[calls[name] == value]
            if said := _gone(Volume.of(part), part["time"].max().to_pydatetime(), reference, current):
                found.append(f"{said[0]} of {name}={value or '(none)'}{said[1]}{_instead(calls, name, current)}")
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    return "; ".join(found[:_TOLD]) + more


def _gone(volume: Volume, last: datetime, reference: Period, current: Period) -> tuple[str, str] | None:
    least = _least(volume, current, reference)
    count = volume.within(current)
    if least >= _LEAST and count < _GONE * least:
        found = f"{count:,.0f} calls" if count >= 1 else "no call"
        return found, f", of which every earlier window had {least:,.0f} or more"
    begun = max(last, current.start)
    if current.end - begun > _LATE:
        rest = Period(begun + timedelta(microseconds=1), current.end - _LATE)
        least = _least(volume, rest, reference)
        if least >= _LEAST:
            since = f"no call since {begun:%Y-%m-%d %H:%M} UTC"
            return since, f", of which the same hours of every earlier window had {least:,.0f} or more"
    return None


def _least(volume: Volume, period: Period, reference: Period) -> float:
    """The fewest calls of an earlier window since the first call; 0 where there are no two of them."""
    begun = max(reference.start, volume.first - (period.end - period.start) / 4)
    if begun >= reference.end:
        return 0.0
    weeks, days = (list(earlier_windows(period, Period(begun, reference.end), step)) for step in (_WEEK, _DAY))
    windows = weeks if len(weeks) > 1 else days
    return min(map(volume.within, windows)) if len(windows) > 1 else 0.0


def _instead(calls: pd.DataFrame, name: str, current: Period) -> str:
    """Values that only the current window has: what is gone may have another name."""
    now = calls["time"] >= current.start
    new = calls[now & ~calls[name].isin(calls.loc[~now, name])].groupby(name)["weight"].sum().nlargest(1)
    return f"; {name}={new.index[0]} is new, with {int(new.iloc[0]):,}" if len(new) and new.index[0] else ""
