"""What is fired, made up for, taken back and kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from driftgate.api.jobs import LEAD, Job, JobKind, Schedule, ask_for, cancel, find_job, job_history, list_jobs
from driftgate.api.jobs._tables import jobs
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Lease, Ledger
from driftgate.monitor.config import CatchUp
from driftgate.service.jobs import Board, Ending, due
from driftgate.service.jobs._process import Output

NOON = datetime(2026, 11, 27, 12, 0, 30, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DONE = Ending("done", 0, "")


def kind(name: str = "nightly", cron: str = "0 * * * *", catch_up: CatchUp = "once", **more: object) -> JobKind:
    return JobKind(name, (name,), Schedule(cron, "UTC", catch_up), 60.0, **more)  # type: ignore[arg-type]


BOTH = pytest.mark.parametrize("location", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def location(request: pytest.FixtureRequest) -> str:
    """Where the ledger is: a database of its own on a server takes a second or two, so few tests ask for one."""
    of_server = getattr(request, "param", "sqlite") == "postgresql"
    return str(request.getfixturevalue("postgres")()) if of_server else "ledger.db"


@pytest.fixture
def board(ledger: Ledger) -> Callable[..., Board]:
    def make(*kinds: JobKind) -> Board:
        lease = Lease(ledger, LEAD, seconds=0.0)
        lease.acquire()  # the second time at the latest, it has seen that the one before is silent
        assert lease.acquire()
        return Board(lease, {one.name: one for one in kinds})

    return make


def work(board: Board, now: datetime) -> list[Job]:
    """Fire what is due, and do it at once."""
    board.fire(now)
    return [board.end(job.id, DONE, Output("")) for job in board.begin((), 9, now)]


def times(ledger: Ledger, state: str = "done") -> list[str]:
    return sorted(f"{job.due_at:%d %H:%M}" for job in list_jobs(ledger, 500) if job.state == state)


def test_each_time_is_done_once_and_the_first_is_the_next_that_comes(ledger: Ledger, board) -> None:
    at_work = board(kind())
    for minute in range(0, 180, 7):
        work(at_work, NOON + minute * MINUTE)
    assert times(ledger) == ["27 13:00", "27 14:00"]


def test_a_nightly_missed_by_seventy_minutes_is_made_up_for_once(ledger: Ledger, board) -> None:
    nightly = kind(cron="0 3 * * *")
    work(board(nightly), NOON)
    woken = datetime(2026, 11, 28, 4, 10, tzinfo=UTC)
    for minute in range(0, 120, 5):
        work(board(nightly), woken + minute * MINUTE)
    assert times(ledger) == ["28 03:00"]


@pytest.mark.parametrize(("catch_up", "done", "missed"), [("once", 1, 0), ("skip", 0, 1)])
def test_a_laptop_that_sleeps_for_six_hours(ledger: Ledger, board, catch_up: CatchUp, done: int, missed: int) -> None:
    at_work = board(kind(catch_up=catch_up))
    work(at_work, NOON)
    for minute in range(20):
        work(at_work, NOON + 6 * HOUR + (15 + minute) * MINUTE)
    assert (len(times(ledger)), len(times(ledger, "missed"))) == (done, missed)
    (only,) = list_jobs(ledger)
    assert f"{only.due_at:%H:%M}" == "18:00"
    assert only.result == ("good" if done else "unmeasurable")
    assert "nothing was done at 2026-11-27 17:00 UTC" in job_history(ledger, only.id).events[0].note
    work(at_work, NOON + 7 * HOUR)
    assert times(ledger)[-1] == "27 19:00"  # on time again


def test_a_clock_that_is_set_back_doubles_nothing(ledger: Ledger, board) -> None:
    at_work = board(kind())
    for minute in range(0, 130, 5):
        work(at_work, NOON + minute * MINUTE)
    for minute in range(0, 250, 5):  # an hour back
        work(at_work, NOON + HOUR + minute * MINUTE)
    assert times(ledger) == ["27 13:00", "27 14:00", "27 15:00", "27 16:00", "27 17:00"]


@BOTH
def test_what_is_stamped_in_the_future_blocks_nothing(ledger: Ledger, board) -> None:
    at_work = board(kind())
    ahead = NOON + timedelta(days=300)
    work(at_work, ahead)
    work(at_work, ahead + HOUR)  # fired by a clock that was three hundred days ahead
    work(at_work, NOON)
    work(at_work, NOON + HOUR)
    work(at_work, NOON + 2 * HOUR)
    assert {"27 13:00", "27 14:00"} < set(times(ledger))
    before = len(times(ledger))
    work(at_work, ahead + HOUR)  # it has come
    assert len(times(ledger)) == before + 1


def test_a_schedule_that_is_changed_makes_up_for_nothing_before(ledger: Ledger, board) -> None:
    work(board(kind(cron="0 3 * * *")), NOON)
    work(board(kind(cron="30 11 * * *")), NOON + 10 * MINUTE)
    assert times(ledger) == []
    work(board(kind(cron="30 11 * * *")), NOON + 24 * HOUR)
    assert times(ledger) == ["28 11:30"]


def test_it_does_not_overlap_with_itself_nor_with_what_it_is_apart_from(ledger: Ledger, board) -> None:
    at_work = board(kind(), kind("mend", apart_from=frozenset({"nightly"})), kind("look"))
    at_work.fire(NOON)
    at_work.fire(NOON + HOUR)
    begun = at_work.begin((), 9, NOON + HOUR)
    assert [job.name for job in begun] == ["look", "mend"] or {job.name for job in begun} == {"look", "nightly"}
    first = next(job for job in begun if job.name != "look")
    at_work.fire(NOON + 2 * HOUR)
    assert at_work.begin([job.name for job in begun], 9, NOON + 2 * HOUR) == []
    at_work.end(first.id, DONE, Output(""))
    assert len(at_work.begin(["look"], 9, NOON + 2 * HOUR)) == 1


def test_no_more_are_begun_than_there_is_room_for(ledger: Ledger, board) -> None:
    at_work = board(*(kind(f"look-{n}") for n in range(5)))
    at_work.fire(NOON)
    at_work.fire(NOON + HOUR)
    assert len(at_work.begin((), 2, NOON)) == 2
    assert at_work.begin((), 0, NOON) == []


@BOTH
def test_what_a_dead_process_held_is_begun_again_and_fails_the_third_time(ledger: Ledger, board) -> None:
    board(kind()).fire(NOON)
    board(kind()).fire(NOON + HOUR)
    for attempt in (1, 2, 3):
        dying = board(kind())
        (job,) = dying.begin((), 9, NOON + HOUR)
        assert job.attempts == attempt
        successor = board(kind())
        (lost,) = successor.recover(())
        assert lost.id == job.id
        with pytest.raises(DriftgateError):  # the dead one was only slow
            dying.end(job.id, DONE, Output(""))
    ended = find_job(ledger, job.id)
    assert (ended.state, ended.result, ended.reason) == ("failed", "error", "its process died, 3 times")
    happened = [event.what for event in job_history(ledger, job.id).events]
    assert happened == ["due", *["begun", "lost"] * 3, "ended"]


def test_what_runs_here_is_not_taken_back(ledger: Ledger, board) -> None:
    at_work = board(kind("one"), kind("two"))
    at_work.fire(NOON)
    at_work.fire(NOON + HOUR)
    one, two = at_work.begin((), 9, NOON)
    assert [job.id for job in at_work.recover([one.id])] == [two.id]


def test_a_job_that_is_handed_over_waits_again_and_no_attempt_is_counted(ledger: Ledger, board) -> None:
    at_work = board(kind())
    job, _ = ask_for(ledger, "nightly", "kim")
    for _ in range(5):
        (begun,) = at_work.begin((), 9, NOON)
        assert begun.attempts == 1
        at_work.hand_over(begun, Output("so far\n", 3))
    found = job_history(ledger, job.id)
    assert (found.job.state, found.output, found.left_out) == ("waiting", "so far\n", 3)


@BOTH
def test_asked_for_twice_it_waits_once_and_may_be_asked_for_again_when_it_runs(ledger: Ledger, board) -> None:
    at_work = board(kind())
    first, new = ask_for(ledger, "nightly", "kim@example.kr")
    assert new and first.who == "<EMAIL_ADDRESS>"
    assert ask_for(ledger, "nightly", "lee") == (first, False)
    at_work.begin((), 9, NOON)
    second, new = ask_for(ledger, "nightly", "lee")
    assert new and second.id != first.id


@BOTH
def test_cancelled_before_it_began_it_never_begins_and_its_time_is_not_fired_again(ledger: Ledger, board) -> None:
    at_work = board(kind())
    at_work.fire(NOON)
    at_work.fire(NOON + HOUR)
    asked, _ = ask_for(ledger, "nightly", "kim")
    scheduled = next(job for job in list_jobs(ledger) if job.cause == "scheduled")
    for job in (asked, scheduled):
        assert cancel(ledger, job.id, "lee").state == "cancelled"
    at_work.fire(NOON + HOUR + 5 * MINUTE)
    assert at_work.begin((), 9, NOON) == []
    assert ask_for(ledger, "nightly", "kim")[1]
    with pytest.raises(DriftgateError, match="has ended: cancelled"):
        cancel(ledger, asked.id, "lee")


def test_who_asked_that_it_be_cancelled_is_told_to_who_does_it(ledger: Ledger, board) -> None:
    at_work = board(kind())
    ask_for(ledger, "nightly", "kim")
    (job,) = at_work.begin((), 9, NOON)
    assert at_work.seen([job.id], NOON) == {}
    assert cancel(ledger, job.id, "lee").state == "running"
    assert at_work.seen([job.id], NOON) == {job.id: "lee"}
    (lost,) = board(kind()).recover(())  # and of a dead process it is not begun again
    assert find_job(ledger, lost.id).state == "cancelled"


@BOTH
def test_one_outcome(ledger: Ledger, board) -> None:
    at_work = board(kind())
    ask_for(ledger, "nightly", "kim")
    (job,) = at_work.begin((), 9, NOON)
    at_work.end(job.id, DONE, Output(""))
    assert at_work.end(job.id, Ending("failed", 2, "again"), Output("")).state == "done"
    assert [event.what for event in job_history(ledger, job.id).events].count("ended") == 1


def test_a_job_that_the_workspace_has_no_more_fails(ledger: Ledger, board) -> None:
    job, _ = ask_for(ledger, "look-gone", "kim")
    assert board(kind()).begin((), 9, NOON) == []
    assert find_job(ledger, job.id).reason == "the workspace has no such job any more"


@BOTH
def test_what_ended_long_ago_is_removed_and_the_newest_of_a_name_stays(ledger: Ledger, board) -> None:
    at_work = board(kind(), kind("rare"))
    work(at_work, NOON)
    for hour in range(1, 4):
        work(at_work, NOON + hour * HOUR)
    with ledger.write() as connection:
        connection.execute(update(jobs).values(ended_at=NOON))
    at_work.prune(NOON + timedelta(days=89))
    assert len(list_jobs(ledger)) == 6
    at_work.prune(NOON + timedelta(days=91))
    assert sorted((job.name, f"{job.due_at:%H}") for job in list_jobs(ledger)) == [("nightly", "15"), ("rare", "15")]
    with ledger.read() as connection:
        assert len(connection.execute(select(jobs)).all()) == 2


def test_what_lies_in_the_future_says_nothing_of_what_is_due() -> None:
    known = [NOON + timedelta(days=300), NOON - 2 * HOUR]
    found = due(Schedule("0 * * * *", "UTC", "once"), known, NOON)
    assert found is not None and found.at == NOON.replace(second=0)
    assert due(Schedule("0 * * * *", "UTC", "once"), known[:1], NOON) is None


@given(
    st.lists(st.timedeltas(-2 * HOUR, 9 * HOUR), min_size=1, max_size=40),
    st.sampled_from(["0 * * * *", "*/20 * * * *", "30 3 * * *"]),
)
@settings(max_examples=200)
def test_whatever_the_clock_does_a_time_is_fired_once_and_none_before_it_came(
    jumps: list[timedelta], cron: str
) -> None:
    schedule, now, fired, highest = Schedule(cron, "UTC", "once"), NOON, [NOON], NOON
    for jump in jumps:
        now += jump
        found = due(schedule, fired, now)
        if found is not None:
            assert found.at <= now and not found.let_go
            if found.at not in fired:
                fired.append(found.at)
        if now > highest + 24 * HOUR + MINUTE:
            assert fired[-1] > highest  # a day holds a time of each schedule: something was fired
        highest = max(highest, now)
