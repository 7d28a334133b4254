"""A year of crontabs in every time zone, against another reading of crontab(5)."""

from __future__ import annotations

import random
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from crontab_oracle import due_minutes, offsets

from driftgate.monitor.cron import Crontab

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = 365 * 24 * 60
CRONTABS = (
    "0 * * * *",
    "*/10 2 * * *",
    "*/30 0 * * *",
    "5 */2 * * *",
    "30 2 * * *",
    "0,30 0,1,2,3 * * *",
    "15 0 * * *",
    "0 3 * * 7",
    "45 1 13 * 5",
    "30 1 */2 * 1-5",
    "0 2 29 2 *",
)
pytestmark = pytest.mark.timeout(120)


def found(crontab: Crontab, zone: zoneinfo.ZoneInfo, start: datetime, end: datetime) -> list[int]:
    times, after = [], start - timedelta(minutes=1)
    while (after_that := crontab.next(zone, after, end)) is not None:
        times.append(int((after_that - START).total_seconds() // 60))
        after = after_that
    return times


def clocks() -> Iterator[tuple[str, np.ndarray]]:
    """One zone for each way in which clocks go in the year; 600 names come to about 65."""
    times = [START + timedelta(hours=6 * number) for number in range(365 * 4)]
    seen = set()
    for zone in sorted(zoneinfo.available_timezones() - {"localtime"}):
        info = zoneinfo.ZoneInfo(zone)
        way = tuple(time.astimezone(info).utcoffset() for time in times)
        if way not in seen:
            seen.add(way)
            yield zone, offsets(zone, START, YEAR)


def check(zone: str, ahead: np.ndarray, cron: str, windows: list[tuple[int, int]]) -> None:
    for first, last in windows:
        before = max(0, first - 1500)  # what the clocks showed before decides which times come a second time
        expected = before + due_minutes(cron, ahead[before : last + 1], START + timedelta(minutes=before))
        begin, end = START + timedelta(minutes=first), START + timedelta(minutes=last)
        times = found(Crontab.parse(cron), zoneinfo.ZoneInfo(zone), begin, end)
        inside = expected[(expected >= first) & (expected <= last)].tolist()
        assert times == inside, f"{cron} in {zone}: {sorted(set(times) ^ set(inside))[:5]}"


def changes(ahead: np.ndarray) -> list[tuple[int, int]]:
    """A day and a half about each time the clocks are set, and about the new year."""
    numbers = [1000, *np.flatnonzero(np.diff(ahead)).tolist()]
    return [(max(0, number - 1000), min(YEAR - 1, number + 1100)) for number in numbers]


def test_about_the_days_on_which_clocks_are_set_in_every_zone() -> None:
    draw, ways = random.Random(16), 0
    for zone, ahead in clocks():
        ways += 1
        for cron in draw.sample(CRONTABS, 5 if len(changes(ahead)) > 1 else 1):
            check(zone, ahead, cron, changes(ahead))
    assert ways > 60


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
def test_a_whole_year_in_every_zone() -> None:
    for zone, ahead in clocks():
        for cron in CRONTABS:
            check(zone, ahead, cron, [(0, YEAR - 1)])


def test_the_latest_is_the_last_of_those_that_come_next() -> None:
    draw = random.Random(25)
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Seoul"):
        info = zoneinfo.ZoneInfo(zone)
        for cron in CRONTABS:
            end = START + timedelta(minutes=draw.randrange(YEAR // 2, YEAR))
            begin = end - timedelta(minutes=draw.randrange(1, 30 * 24 * 60))
            times = found(Crontab.parse(cron), info, begin, end)
            latest = Crontab.parse(cron).latest(info, begin - timedelta(minutes=1), end)
            expected = START + timedelta(minutes=times[-1]) if times else None
            assert latest == expected


def test_a_schedule_of_a_year_is_found_at_once() -> None:
    crontab, zone = Crontab.parse("0 3 29 2 *"), zoneinfo.ZoneInfo("Europe/Berlin")
    found = crontab.next(zone, START, START + timedelta(days=5 * 366))
    assert found == datetime(2028, 2, 29, 2, tzinfo=UTC)
