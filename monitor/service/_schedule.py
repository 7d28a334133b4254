"""Jobs by cron expression in a time zone, each scheduled time fired once however many processes serve."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.service._lease import Lease

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Something that is done on a schedule."""

    name: str
    cron: str
    """Five fields as in crontab."""
    timezone: str
    """Time zone the cron fields are in, for example ``Asia/Seoul``."""
    run: Callable[[datetime], Awaitable[None]]
    """Called with the scheduled time (UTC)."""


def due_time(cron: str, timezone: str, after: datetime | None, now: datetime, grace: timedelta) -> datetime | None:
    """The latest scheduled time that is due and was not fired yet; missed ones before it are let go.

    Parameters
    ----------
    after : datetime or None
        The last scheduled time that was fired.
    grace : timedelta
        How late a firing may be and still be made up for.

    Examples
    --------
    >>> day = datetime(2026, 11, 22, 18, 5, tzinfo=UTC)  # 03:05 on the 23rd in Seoul
    >>> due_time("0 3 * * *", "Asia/Seoul", None, day, timedelta(hours=1)).isoformat()
    '2026-11-22T18:00:00+00:00'
    >>> due_time("0 3 * * *", "Asia/Seoul", day - timedelta(minutes=5), day, timedelta(hours=1)) is None
    True
    """
    from apscheduler.triggers.cron import CronTrigger

    trigger = CronTrigger.from_crontab(cron, timezone=ZoneInfo(timezone))  # it ignores the scheduler's own time zone
    found: datetime | None = None
    start = max(now - grace, after) if after is not None else now - grace
    candidate = trigger.get_next_fire_time(None, start + timedelta(microseconds=1))
    while candidate is not None and candidate <= now:
        found = candidate.astimezone(UTC)
        candidate = trigger.get_next_fire_time(candidate, candidate + timedelta(microseconds=1))
    return found


@dataclass
class Scheduler:
    """Runs jobs while this process holds the lease.

    APScheduler wakes each job at its times; whether a time is really fired is decided in the ledger, so that two
    processes on one database never fire it twice and a new leader makes up for what the old one missed.
    """

    jobs: Sequence[Job]
    lease: Lease
    grace: timedelta = timedelta(hours=1)
    leading: bool = False
    _scheduler: Any = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self) -> None:
        """Begin to schedule on the running event loop."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from apscheduler.triggers.cron import CronTrigger

        settings = {"misfire_grace_time": int(self.grace.total_seconds()), "coalesce": True, "max_instances": 1}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=settings)
        for job in self.jobs:
            trigger = CronTrigger.from_crontab(job.cron, timezone=ZoneInfo(job.timezone))
            self._scheduler.add_job(self._fire, trigger, args=[job], id=job.name)
        beat = max(self.lease.seconds / 3, 0.2)
        self._scheduler.add_job(self._beat, "interval", seconds=beat, id="lease", next_run_time=datetime.now(UTC))
        self._scheduler.start()

    async def stop(self) -> None:
        """Stop scheduling, let go of the lease and wait for the jobs under way."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        if self._running:
            await asyncio.wait(self._running, timeout=30)
        if self.leading:
            await asyncio.to_thread(self.lease.release)

    async def _beat(self) -> None:
        leading = await asyncio.to_thread(self.lease.acquire)
        if leading and not self.leading:
            log.info("this process leads the schedule now")
            self.leading = True
            for job in self.jobs:
                await self._fire(job)
        self.leading = leading

    async def _fire(self, job: Job) -> None:
        if not self.leading:
            return
        now = datetime.now(UTC)
        last = await asyncio.to_thread(self.lease.last_firing, job.name)
        due = due_time(job.cron, job.timezone, last, now, self.grace)
        if due is None or not await asyncio.to_thread(self.lease.claim, job.name, due):
            return
        task = asyncio.create_task(self._run(job, due), name=job.name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, job: Job, scheduled_at: datetime) -> None:
        log.info("job %s, scheduled for %s, begins", job.name, scheduled_at.isoformat())
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await job.run(scheduled_at)
            except Exception:
                log.exception("job %s failed", job.name)
