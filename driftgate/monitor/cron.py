"""Crontab expressions, and when they are due in a time zone.

Time is stepped in UTC, where it only moves forward: minute by minute in hours that can hold a due time, and over the
others. A library that steps the wall clock goes back with it where a clock is set back, and may never end: an hour
that is repeated holds times that are later and look earlier. cronsim 2.8 steps hours of the wall clock: of
``*/10 2 * * *`` it leaves out 02:00 to 02:20 on Lord Howe on the night on which clocks are set back by half an hour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ITEM = re.compile(r"(?:\*|(?P<first>[0-9]+|[a-z]+)(?:-(?P<last>[0-9]+|[a-z]+))?)(?:/(?P<step>[0-9]+))?")
_YEARS = 40
"""In so many years every date there is has come on every day of the week."""
_CYCLE = 28
"""In so many years, from 2000 on, each has come as often as it comes."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> frozenset[int]:
        """The numbers that a field's text stands for."""
        return frozenset(number for item in text.split(",") for number in self._of(item, text))

    def _of(self, item: str, text: str) -> range:
        found = _ITEM.fullmatch(item)
        if found is None:
            raise self._refused(text)
        first, last, step = found["first"], found["last"], int(found["step"] or 1)
        start = self.low if first is None else self._number(first, text)
        # A single number with a step runs on to the end, as "*" does.
        end = self.high if last is None and (first is None or found["step"]) else self._number(last or first, text)
        if end < start and last == "sun":
            end = 7
        if end < start or step < 1:
            raise self._refused(text)
        return range(start, end + 1, step)

    def _number(self, word: str, text: str) -> int:
        if word in self.names:
            return self.low + self.names.index(word)
        if not word.isdigit() or not self.low <= int(word) <= self.high:
            raise self._refused(text)
        return int(word)

    def _refused(self, text: str) -> ValueError:
        names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return ValueError(
            f"{self.name} is '{text}'; expected {self.low} to {self.high}{names}, as in *, 1, 1-5, 1,3 or */2"
        )


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _WEEKDAYS),  # 0 and 7 are Sunday
)


@dataclass(frozen=True)
class Crontab:
    """Five fields as crontab(5) has them: minute, hour, day of the month, month, day of the week.

    Sunday is 0 and 7. Where neither day field begins with ``*``, a day that fits either of them is meant; otherwise it
    must fit both.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    wall_clock: bool
    """Minute and hour are named: each such time of the day is meant once, whatever is done to the clocks."""

    @classmethod
    def parse(cls, expression: str) -> Crontab:
        """Read an expression.

        Raises
        ------
        ValueError
            It is none, or no day fits it.

        Examples
        --------
        >>> sorted(Crontab.parse("0 3 * * 5-7").weekdays)
        [0, 5, 6]
        >>> Crontab.parse("0 25 * * *")
        Traceback (most recent call last):
            ...
        ValueError: hour is '25'; expected 0 to 23, as in *, 1, 1-5, 1,3 or */2
        """
        parts = expression.lower().split()
        if len(parts) != len(_FIELDS):
            raise ValueError(f"it has {len(parts)} fields; expected minute, hour, day of the month, month, weekday")
        minutes, hours, days, months, weekdays = (f.values(part) for f, part in zip(_FIELDS, parts, strict=True))
        stars = [part.startswith("*") for part in parts]
        found = cls(
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=not stars[2] and not stars[4],
            wall_clock=not stars[0] and not stars[1],
        )
        if not any(found.of_day(date(2000, 1, 1) + timedelta(days=n)) for n in range(_YEARS * 366)):
            raise ValueError("no day is ever like that; expected one that comes")
        return found

    def of_day(self, day: date) -> bool:
        """Whether a day is meant."""
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (in_month or in_week if self.either_day else in_month and in_week)

    @property
    def times_a_year(self) -> float:
        """How often it is due in a year, in the mean; clocks that are set back or forward are left out.

        Examples
        --------
        >>> Crontab.parse("0 * * * *").times_a_year, Crontab.parse("30 2 * * 1-5").times_a_year
        (8766.0, 260.89...)
        """
        days = sum(self.of_day(date(2000, 1, 1) + timedelta(days=n)) for n in range(_CYCLE * 365 + _CYCLE // 4))
        return len(self.minutes) * len(self.hours) * days / _CYCLE

    def of_time(self, local: datetime) -> bool:
        """Whether a time on the wall clock is meant."""
        return local.minute in self.minutes and local.hour in self.hours and self.of_day(local.date())

    def latest(self, zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
        """The latest time that is due after ``after`` and not after ``until``.

        What repeats, such as every hour, is due as often as its minute comes by. A named time of the day is due once:
        the first time where the clocks are set back over it, and as soon as the hour left out is over where they are
        set forward over it. Debian's cron does the same.

        Returns
        -------
        datetime or None
            In UTC, a whole minute.

        Examples
        --------
        Clocks in Berlin go from 03:00 back to 02:00 at 01:00 UTC:

        >>> berlin, night = ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25, tzinfo=UTC)
        >>> hourly, daily = Crontab.parse("0 * * * *"), Crontab.parse("30 2 * * *")
        >>> [hourly.latest(berlin, night, night + timedelta(minutes=m)).hour for m in (60, 119, 120)]
        [1, 1, 2]
        >>> daily.latest(berlin, night, night + timedelta(hours=2)).isoformat()
        '2026-10-25T00:30:00+00:00'
        """
        moment = until.astimezone(UTC).replace(second=0, microsecond=0)
        while moment > after:
            if not self._may_hold_day(zone, day := moment.replace(hour=0, minute=0)):
                moment = day - _MINUTE
                continue
            hour = moment.replace(minute=0)
            if self._may_hold(zone, hour):
                while moment >= hour and moment > after:
                    if self._due(zone, moment):
                        return moment
                    moment -= _MINUTE
            moment = hour - _MINUTE
        return None

    def next(self, zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
        """The first time that is due after ``after`` and not after ``until``; see :meth:`latest`.

        Examples
        --------
        >>> berlin = ZoneInfo("Europe/Berlin")
        >>> begin = datetime(2026, 3, 28, 12, tzinfo=UTC)
        >>> Crontab.parse("30 2 * * *").next(berlin, begin, begin + timedelta(days=2)).isoformat()
        '2026-03-29T01:00:00+00:00'
        """
        moment = after.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
        while moment <= until:
            if not self._may_hold_day(zone, day := moment.replace(hour=0, minute=0)):
                moment = day + _DAY
                continue
            end = moment.replace(minute=0) + _HOUR
            if self._may_hold(zone, moment.replace(minute=0)):
                while moment < end and moment <= until:
                    if self._due(zone, moment):
                        return moment
                    moment += _MINUTE
            moment = end
        return None

    def _may_hold_day(self, zone: ZoneInfo, day: datetime) -> bool:
        """Whether a day of UTC can hold a time that is due: it lies in two of the wall clock's."""
        first, last = day.astimezone(zone), (day + _DAY - _MINUTE).astimezone(zone)
        if (day - _MINUTE).astimezone(zone).utcoffset() != last.utcoffset():
            return True  # the clocks are set
        return self.of_day(first.date()) or self.of_day(last.date())

    def _may_hold(self, zone: ZoneInfo, hour: datetime) -> bool:
        """Whether an hour can hold a time that is due: an hour of UTC may lie in two of the wall clock's."""
        first, last = hour.astimezone(zone), (hour + 59 * _MINUTE).astimezone(zone)
        if (hour - _MINUTE).astimezone(zone).utcoffset() != last.utcoffset():
            return True  # the clocks are set
        return any(local.hour in self.hours and self.of_day(local.date()) for local in (first, last))

    def _due(self, zone: ZoneInfo, moment: datetime) -> bool:
        local = moment.astimezone(zone)
        if not self.wall_clock:
            return self.of_time(local)
        if local.fold:  # this time of the day was there already, before the clocks were set back
            return False
        return self.of_time(local) or any(map(self.of_time, _left_out(zone, moment)))


def _left_out(zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """The times on the wall clock that are passed over right before a moment."""
    local = moment.astimezone(zone).replace(tzinfo=None)
    passed = (moment - _MINUTE).astimezone(zone).replace(tzinfo=None) + _MINUTE
    while passed < local:
        yield passed
        passed += _MINUTE
