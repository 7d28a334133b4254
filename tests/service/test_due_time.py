"""When a crontab is due, whatever is done to the clocks."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from driftgate.monitor.config import ServiceConfig
from driftgate.monitor.cron import Crontab

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CHANGING = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Helsinki",
    "America/New_York",
    "America/Havana",  # at midnight
    "America/Santiago",  # at midnight
    "Africa/Cairo",
    "Australia/Sydney",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Chatham",  # at a quarter to
    "Antarctica/Troll",  # by two hours
    "Asia/Seoul",
    "UTC",
)
pytestmark = pytest.mark.timeout(60)


def due_time(cron: str, zone: str, after: datetime | None, now: datetime, grace: timedelta) -> datetime | None:
    """The latest time that is due, not before what was fired last and not later than ``grace``."""
    start = max(now - grace, after) if after is not None else now - grace
    return Crontab.parse(cron).latest(zoneinfo.ZoneInfo(zone), start, now)


def fired(cron: str, zone: str, start: datetime, hours: float, every: timedelta = 5 * MINUTE) -> list[datetime]:
    """What a schedule that is looked at ``every`` so often fires."""
    times: list[datetime] = []
    now = start
    while now <= start + timedelta(hours=hours):
        if (due := due_time(cron, zone, times[-1] if times else start, now, HOUR)) is not None:
            times.append(due)
        now += every
    return times


@pytest.mark.parametrize(
    ("cron", "zone", "now"),
    [
        ("0 * * * *", "Europe/Berlin", datetime(2026, 10, 25, 1, 5, tzinfo=UTC)),
        ("0 * * * *", "Europe/London", datetime(2026, 10, 25, 1, 5, tzinfo=UTC)),
        ("0 * * * *", "America/New_York", datetime(2026, 11, 1, 6, 5, tzinfo=UTC)),
        ("0 * * * *", "Australia/Sydney", datetime(2026, 4, 4, 16, 5, tzinfo=UTC)),
        ("*/15 3 * * *", "Pacific/Chatham", datetime(2026, 4, 4, 14, 50, tzinfo=UTC)),
    ],
)
def test_the_repeated_hour_ends(cron: str, zone: str, now: datetime) -> None:
    due = due_time(cron, zone, None, now, HOUR)
    assert due is not None
    assert now - HOUR < due <= now


def test_an_hourly_job_runs_every_hour_of_the_night_that_is_an_hour_longer() -> None:
    start = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    assert [due.hour for due in fired("0 * * * *", "Europe/Berlin", start, 5)] == [23, 0, 1, 2, 3]


def test_a_time_of_the_day_that_comes_twice_is_fired_the_first_time() -> None:
    start = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert fired("30 3 * * *", "Europe/Helsinki", start, 24) == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
    assert fired("0 3 * * *", "Europe/Helsinki", start, 24) == [datetime(2026, 10, 25, 0, 0, tzinfo=UTC)]


def test_times_of_the_day_that_are_left_out_are_fired_together_once_the_clocks_are_set() -> None:
    start = datetime(2026, 3, 28, 20, tzinfo=UTC)  # at 01:00 UTC Berlin goes from 02:00 to 03:00
    assert fired("0,15,30 2 * * *", "Europe/Berlin", start, 20) == [datetime(2026, 3, 29, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("6", "Sat"),
        ("sun", "Sun"),
        ("MON-FRI", "Mon Tue Wed Thu Fri"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("5-7", "Sun Fri Sat"),
        ("sat-sun", "Sun Sat"),
        ("0-6", "Sun Mon Tue Wed Thu Fri Sat"),
        ("0,3,6", "Sun Wed Sat"),
        ("*/2", "Sun Tue Thu Sat"),
        ("1-5/2", "Mon Wed Fri"),
        ("*", "Sun Mon Tue Wed Thu Fri Sat"),
    ],
)
def test_weekdays_are_numbered_as_in_crontab(weekday: str, days: str) -> None:
    sunday = datetime(2026, 11, 29, 3, 0, tzinfo=zoneinfo.ZoneInfo("Asia/Seoul"))
    week = [sunday + timedelta(days=n) for n in range(7)]
    due = [day for day in week if due_time(f"0 3 * * {weekday}", "Asia/Seoul", None, day, HOUR)]
    assert " ".join(f"{day:%a}" for day in due) == days


def test_two_named_days_are_either_and_a_star_leaves_the_other_to_decide() -> None:
    november = [datetime(2026, 11, day, 3, tzinfo=UTC) for day in range(1, 31)]

    def days(cron: str) -> list[int]:
        return [day.day for day in november if due_time(cron, "UTC", None, day, HOUR)]

    assert days("0 3 13 * 1") == [2, 9, 13, 16, 23, 30]
    assert days("0 3 13 * *") == [13]
    assert days("0 3 */10 * 0") == [1]  # days 1, 11, 21 that are Sundays


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("0 3 * *", "it has 4 fields"),
        ("0 3 * * * *", "it has 6 fields"),
        ("60 3 * * *", "minute is '60'; expected 0 to 59"),
        ("0 3 * * 8", "day of the week is '8'; expected 0 to 7 or sun to sat"),
        ("0 3 * * fri-mon", "day of the week is 'fri-mon'"),
        ("0 3 * * */0", "day of the week is '*/0'"),
        ("0 3 0 * *", "day of the month is '0'"),
        ("0 3 31 feb *", "no day is ever like that"),
        ("0 3 last * *", "day of the month is 'last'"),
        ("@daily", "it has 1 fields"),
        ("0 ３ * * *", "hour is '３'"),
        ("", "it has 0 fields"),
    ],
)
def test_what_is_no_crontab_is_refused_in_words(cron: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ServiceConfig(nightly_cron=cron)
    assert says in str(refused.value)


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    """A field of a crontab."""
    one = st.integers(low, high)
    pair = st.tuples(one, one).map(sorted)
    spans = pair.map(lambda ends: f"{ends[0]}-{ends[1]}")
    step = st.integers(1, high)
    item = st.one_of(one.map(str), spans, st.builds("{}/{}".format, spans | st.just("*"), step))
    return st.just("*") | st.lists(item, min_size=1, max_size=3).map(",".join)


CRONTABS = st.builds(
    "{} {} {} {} {}".format, numbers(0, 59), numbers(0, 23), numbers(1, 28), numbers(1, 12), numbers(0, 7)
)
ZONES = st.sampled_from(CHANGING) | st.sampled_from(sorted(zoneinfo.available_timezones() - {"localtime"}))


def moments_of_change(zone: str, year: int) -> list[datetime]:
    """About when the clocks of a zone are set in a year, to three hours."""
    times = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=3 * n) for n in range(366 * 8)]
    local = [time.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for time in times]
    return [time for time, before, now in zip(times[1:], local, local[1:], strict=False) if before != now]


@st.composite
def nights(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a moment about which its clocks are set if they ever are."""
    zone = draw(ZONES)
    near = draw(st.sampled_from(moments_of_change(zone, draw(st.integers(2025, 2030))) or [datetime(2026, 7, 1)]))
    return zone, near.replace(tzinfo=UTC) + timedelta(minutes=draw(st.integers(-400, 400)))


@given(nights(), CRONTABS, st.integers(1, 90), st.sampled_from([HOUR, 10 * MINUTE, 6 * HOUR]))
def test_what_is_due_only_moves_forward(night: tuple[str, datetime], cron: str, every: int, grace: timedelta) -> None:
    zone, now = night
    last: datetime | None = None
    for _ in range(12):
        due = due_time(cron, zone, last, now, grace)
        if due is not None:
            assert (due.second, due.microsecond) == (0, 0)
            assert now - grace < due <= now
            assert last is None or due > last
            assert due_time(cron, zone, due, now, grace) is None  # nothing later was left behind
            last = due
        now += every * MINUTE


@given(nights(), st.integers(0, 23), st.integers(0, 59))
def test_a_daily_time_is_fired_once_on_every_day(night: tuple[str, datetime], hour: int, minute: int) -> None:
    zone, near = night
    times = fired(f"{minute} {hour} * * *", zone, near - timedelta(hours=60), 120, every=30 * MINUTE)
    days = [time.astimezone(zoneinfo.ZoneInfo(zone)).date() for time in times]
    assert len(days) in (4, 5, 6)
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))


@given(nights(), st.integers(0, 59))
def test_an_hourly_minute_is_fired_whenever_the_clock_shows_it(night: tuple[str, datetime], minute: int) -> None:
    zone, near = night
    start = (near - timedelta(hours=12)).replace(second=0, microsecond=0)
    shown = [start + n * MINUTE for n in range(1, 24 * 60 + 1)]
    expected = [time for time in shown if time.astimezone(zoneinfo.ZoneInfo(zone)).minute == minute]
    assert fired(f"{minute} * * * *", zone, start, 24) == expected
