"""The lease, the firings and the schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.ledger import Ledger, open_ledger
from driftgate.service import Job, Lease, Scheduler, due_time

HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


def test_one_holder_at_a_time_and_a_successor_after_the_lease_ran_out(ledger: Ledger) -> None:
    first, second = Lease(ledger, seconds=30), Lease(ledger, seconds=30)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    assert not first.acquire()


def test_a_dead_holder_is_replaced(ledger: Ledger) -> None:
    assert Lease(ledger, seconds=0.0).acquire()
    assert Lease(ledger).acquire()


def test_a_scheduled_time_is_claimed_once(ledger: Ledger) -> None:
    when = datetime(2026, 11, 22, 18, tzinfo=UTC)
    leases = [Lease(ledger) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda lease: lease.claim("nightly", when), leases))
    assert sum(claims) == 1
    assert leases[0].last_firing("nightly") == when
    assert leases[0].last_firing("other") is None


@given(st.integers(0, 60 * 24 * 30), st.integers(0, 180))
def test_what_is_due_is_past_within_the_grace_and_not_fired(minute: int, since: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    after = now - timedelta(minutes=since)
    due = due_time("*/15 * * * *", "Asia/Seoul", after, now, HOUR)
    if due is not None:
        assert max(after, now - HOUR) < due <= now
        assert due.minute % 15 == 0
    else:
        assert since < 15


def test_a_time_that_daylight_saving_leaves_out_fires_once_that_day() -> None:
    # On 2026-03-29 clocks in Berlin go from 02:00 to 03:00.
    fired, now, last = [], datetime(2026, 3, 28, 20, tzinfo=UTC), None
    while now < datetime(2026, 3, 30, 20, tzinfo=UTC):
        if (due := due_time("30 2 * * *", "Europe/Berlin", last, now, HOUR)) is not None:
            fired.append(due)
            last = due
        now += timedelta(minutes=10)
    assert [moment.date().day for moment in fired] == [29, 30]


async def test_a_leader_makes_up_for_a_missed_time_once_and_a_follower_does_nothing(ledger: Ledger) -> None:
    ran: list[tuple[str, datetime]] = []

    def scheduler(name: str) -> Scheduler:
        async def run(scheduled_at: datetime) -> int:
            ran.append((name, scheduled_at))
            return 0

        return Scheduler([Job("hourly", "0 * * * *", "UTC", run)], Lease(ledger, seconds=30))

    one, two = scheduler("one"), scheduler("two")
    one.start()
    two.start()
    await asyncio.sleep(1.0)
    await one.stop()
    await two.stop()
    now = datetime.now(UTC)
    assert len(ran) == 1
    assert ran[0][1] == now.replace(minute=0, second=0, microsecond=0)


def test_what_became_of_a_dead_process_job_is_not_known(ledger: Ledger) -> None:
    first, second = Lease(ledger), Lease(ledger)
    assert first.acquire()
    assert first.claim("nightly", datetime(2026, 11, 22, 18, tzinfo=UTC))
    assert [(firing.ended_at, firing.cut_off) for firing in second.firings()] == [(None, False)]
    first.release()
    assert second.acquire()
    assert [(firing.ended_at, firing.cut_off) for firing in second.firings()] == [(None, True)]
    first.ended("nightly", datetime(2026, 11, 22, 18, tzinfo=UTC), 0)  # it was only slow
    assert [(firing.exit_code, firing.cut_off) for firing in second.firings()] == [(0, False)]


async def test_how_a_job_ended_is_kept_and_one_that_fails_does_not_end_the_schedule(ledger: Ledger) -> None:
    async def bad(scheduled_at: datetime) -> int:
        raise RuntimeError("no model")

    async def good(scheduled_at: datetime) -> int:
        return 3

    async def slow(scheduled_at: datetime) -> int:
        await asyncio.sleep(2.0)
        return 0

    jobs = [Job(name, "0 * * * *", "UTC", run) for name, run in (("bad", bad), ("good", good), ("slow", slow))]
    scheduler = Scheduler(jobs, Lease(ledger))
    scheduler.start()
    await asyncio.sleep(1.0)
    assert scheduler.leading
    meanwhile = {firing.job: firing for firing in scheduler.lease.firings()}
    assert meanwhile["slow"].ended_at is None
    await scheduler.stop()
    after = {firing.job: (firing.exit_code, firing.reason) for firing in scheduler.lease.firings()}
    assert after == {"bad": (None, "RuntimeError: no model"), "good": (3, ""), "slow": (0, "")}
