"""Which scheduled time of a job is to be done now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from driftgate.api.jobs import Schedule
from driftgate.monitor.cron import Crontab

LATE = timedelta(minutes=2)
"""A job that is not to be made up for is begun this late at most; a leader is replaced sooner."""


@dataclass(frozen=True)
class Due:
    """A scheduled time that has come."""

    at: datetime
    """In UTC, a whole minute."""
    missed_since: datetime | None
    """The latest time before it that passed without a job; None where none did."""
    let_go: bool
    """It is too late for it, and nothing is to make up for it."""


def due(schedule: Schedule, known: Iterable[datetime], now: datetime) -> Due | None:
    """The latest scheduled time that has come since any of the known times.

    Parameters
    ----------
    known : iterable of datetime
        Times up to which all is done: those that were fired, and since when there is such a schedule. What lies in the
        future, since a clock was ahead, is passed over; without any other nothing is due before ``now``.

    Examples
    --------
    >>> day = datetime(2026, 11, 22, 19, 10, tzinfo=UTC)  # 04:10 on the 23rd in Seoul
    >>> nightly = Schedule("0 3 * * *", "Asia/Seoul", "once")
    >>> due(nightly, [day - timedelta(days=3)], day).at.isoformat()
    '2026-11-22T18:00:00+00:00'
    >>> due(nightly, [day - timedelta(minutes=70)], day) is None
    True
    >>> due(Schedule("0 3 * * *", "Asia/Seoul", "skip"), [day - timedelta(days=3)], day).let_go
    True
    """
    after = max((time for time in known if time <= now), default=now)
    crontab, zone = Crontab.parse(schedule.cron), ZoneInfo(schedule.timezone)
    at = crontab.latest(zone, after, now)
    if at is None:
        return None
    missed = crontab.latest(zone, after, at - timedelta(minutes=1))
    return Due(at.astimezone(UTC), missed, schedule.catch_up == "skip" and now - at > LATE)
