"""Jobs by cron expression in a time zone, each scheduled time fired once however many processes serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.cron import Crontab
from driftgate.service._lease import Lease

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Something that is done on a schedule."""

    name: str
    cron: str
    """Five fields as in crontab."""
    timezone: str
    """Time zone the cron fields are in, for example ``Asia/Seoul``."""
    run: Callable[[datetime], Awaitable[int]]
    """Called with the scheduled time (UTC); its exit code is kept."""


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
    start = max(now - grace, after) if after is not None else now - grace
    return Crontab.parse(cron).latest(ZoneInfo(timezone), start, now)


@dataclass
class Scheduler:
    """Runs jobs while this process holds the lease.

    APScheduler wakes it every minute; which job is due is read from its crontab and from the ledger, so that two
    processes on one database never fire a time twice and a new leader makes up for what the old one missed.
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

        settings = {"misfire_grace_time": int(self.grace.total_seconds()), "coalesce": True, "max_instances": 1}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=settings)
        self._scheduler.add_job(self._fire_all, "cron", second=0, id="jobs")
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
            await self._fire_all()
        self.leading = leading

    async def _fire_all(self) -> None:
        for job in self.jobs:
            if not self.leading:
                return
            due = await asyncio.to_thread(self._claim, job)
            if due is not None:
                task = asyncio.create_task(self._run(job, due), name=job.name)
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    def _claim(self, job: Job) -> datetime | None:
        """The scheduled time that this process is to fire now."""
        last = self.lease.last_firing(job.name)
        due = due_time(job.cron, job.timezone, last, datetime.now(UTC), self.grace)
        return due if due is not None and self.lease.claim(job.name, due) else None

    async def _run(self, job: Job, scheduled_at: datetime) -> None:
        log.info("job %s, scheduled for %s, begins", job.name, scheduled_at.isoformat())
        code, reason = None, ""
        try:
            code = await job.run(scheduled_at)
        except asyncio.CancelledError:
            reason = "the service was stopped"
        except Exception as problem:
            log.exception("job %s failed", job.name)
            reason = f"{type(problem).__name__}: {problem}"
        try:
            await asyncio.to_thread(self.lease.ended, job.name, scheduled_at, code, reason)
        except DriftgateError:
            log.exception("job %s ended with exit code %s, which could not be kept", job.name, code)
