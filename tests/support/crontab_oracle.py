"""What crontab means, said once more and otherwise: every minute of a time is looked at, with NumPy.

Written from crontab(5) and the README of Debian's cron, and not from :mod:`driftgate.monitor.cron`.
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta

import numpy as np

_MINUTE = timedelta(minutes=1)


def field(text: str, low: int, high: int) -> set[int]:
    """The numbers that a field of a crontab stands for."""
    numbers: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (int(end) for end in span.split("-"))
        else:
            first = int(span)
            last = high if step else first
        numbers |= set(range(first, last + 1, int(step or 1)))
    return numbers


def offsets(zone: str, start: datetime, minutes: int) -> np.ndarray:
    """What the wall clock is ahead of UTC, in minutes, at each minute."""
    info = zoneinfo.ZoneInfo(zone)

    def at(number: int) -> float:
        ahead = (start + number * _MINUTE).astimezone(info).utcoffset()
        assert ahead is not None
        return ahead.total_seconds() / 60

    found = np.empty(minutes, dtype=np.int64)

    def fill(first: int, last: int) -> None:  # both ends are known to differ or the span is short
        if at(first) == at(last) and last - first <= 360:
            found[first : last + 1] = at(first)
        elif last - first <= 1:
            found[first], found[last] = at(first), at(last)
        else:
            middle = (first + last) // 2
            fill(first, middle)
            fill(middle, last)

    fill(0, minutes - 1)
    return found


def due_minutes(cron: str, ahead: np.ndarray, start: datetime) -> np.ndarray:
    """The minutes since ``start`` (UTC) at which a crontab is due, of clocks that are so far ahead of UTC.

    A job with a star in minute or hour is due whenever the wall clock shows it. Any other is due once for each time of
    the day that is named: the first where it comes twice, the end of the gap where it does not come.
    """
    parts = cron.split()
    minutes, hours, days, months, weekdays = (
        field(part, low, high)
        for part, (low, high) in zip(parts, ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)), strict=True)
    )
    wall = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "m") + (np.arange(len(ahead)) + ahead).astype(
        "timedelta64[m]"
    )
    shown = _meant(wall, parts, minutes, hours, days, months, weekdays)
    if parts[0].startswith("*") or parts[1].startswith("*"):
        return np.flatnonzero(shown)
    due = set()
    highest = wall[0] - np.timedelta64(1, "m")  # the latest time that the wall clock has shown
    for number in np.flatnonzero(np.diff(ahead, prepend=ahead[0])):
        if ahead[number] > ahead[number - 1]:  # times were passed over
            gap = np.arange(wall[number - 1] + np.timedelta64(1, "m"), wall[number])
            if _meant(gap, parts, minutes, hours, days, months, weekdays).any():
                due.add(int(number))
    before = np.maximum.accumulate(np.concatenate([[highest], wall[:-1]]).astype("int64"))
    first_time = wall.astype("int64") > before
    return np.array(sorted(due | set(np.flatnonzero(shown & first_time).tolist())), dtype=np.int64)


def _meant(
    wall: np.ndarray,
    parts: list[str],
    minutes: set[int],
    hours: set[int],
    days: set[int],
    months: set[int],
    weekdays: set[int],
) -> np.ndarray:
    date = wall.astype("datetime64[D]")
    in_day = (wall - date).astype("int64")
    month = date.astype("datetime64[M]")
    in_month = np.isin((date - month).astype("int64") + 1, list(days))
    in_week = np.isin((date.astype("int64") + 4) % 7, [day % 7 for day in weekdays])  # 1970-01-01 was a Thursday
    star = parts[2].startswith("*") or parts[4].startswith("*")
    day = in_month & in_week if star else in_month | in_week
    return (
        np.isin(in_day % 60, list(minutes))
        & np.isin(in_day // 60, list(hours))
        & np.isin(month.astype("int64") % 12 + 1, list(months))
        & day
    )
