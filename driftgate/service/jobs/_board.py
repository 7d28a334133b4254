"""What the leader writes about jobs. Every write is fenced: of a process that leads no longer, nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from driftgate.api.jobs import UNFINISHED, Job, JobKind, Schedule, State, add_event, metadata, new_row, read_job
from driftgate.api.jobs._tables import events, jobs, outputs, schedules
from driftgate.flows.scrubbing import told
from driftgate.ledger import Lease, create_tables, insert_new
from driftgate.service.jobs._due import due
from driftgate.service.jobs._process import Output

_FAR = timedelta(days=1)
"""A scheduled time that lies further ahead was never that of a clock that was set right."""
KEPT = timedelta(days=90)
"""How long ended jobs are kept; of each name the newest is for ever."""


@dataclass(frozen=True)
class Ending:
    """How a job ended."""

    state: State
    exit_code: int | None
    reason: str


@dataclass(frozen=True)
class Board:
    """The table of jobs, as its leader uses it.

    Parameters
    ----------
    lease : Lease
        Gives every write its right.
    kinds : mapping of str to JobKind
        The workspace's jobs, by name.
    """

    lease: Lease
    kinds: Mapping[str, JobKind]

    def __post_init__(self) -> None:
        create_tables(self.lease.ledger, metadata)

    def fire(self, now: datetime) -> None:
        """Put jobs there whose scheduled time has come; none of a name beside one that waits or runs."""
        with self.lease.held() as connection:
            # A time that a clock far ahead had taken is to be had again when it comes.
            ahead = and_(jobs.c.cause == "scheduled", jobs.c.due_at > now + _FAR, jobs.c.key != jobs.c.id)
            connection.execute(update(jobs).where(ahead).values(key=jobs.c.id))
            unfinished = set(connection.execute(select(jobs.c.name).where(jobs.c.state.in_(UNFINISHED))).scalars())
            for kind in self.kinds.values():
                if kind.schedule is not None:
                    since = _since(connection, kind.name, kind.schedule, now)
                    if kind.name not in unfinished:
                        self._fire(connection, kind.name, kind.schedule, since, now)

    def _fire(self, connection: Connection, name: str, schedule: Schedule, since: datetime, now: datetime) -> None:
        taken = and_(jobs.c.name == name, jobs.c.cause == "scheduled", jobs.c.key != jobs.c.id)
        fired = select(func.max(jobs.c.due_at)).where(taken, jobs.c.due_at <= now)
        last: datetime | None = connection.execute(fired).scalar_one()
        found = due(schedule, [since] if last is None else [since, last], now)
        if found is None:
            return
        key = f"{name}@{found.at:%Y-%m-%dT%H:%MZ}"
        row = new_row(name, "scheduled", found.at, self.lease.holder, key, now)
        note = ""
        if found.missed_since is not None:
            note = f"nothing was done at {found.missed_since:%Y-%m-%d %H:%M} UTC and maybe before"
        if found.let_go:
            reason = "nobody served at this time, or what was due before it was still under way"
            row |= {"state": "missed", "ended_at": now, "reason": reason}
        insert_new(connection, jobs, [row])
        kept = connection.execute(select(jobs.c.id).where(jobs.c.key == key)).scalar_one()
        if kept == row["id"]:
            add_event(connection, kept, "missed" if found.let_go else "due", self.lease.holder, note)

    def recover(self, here: Iterable[str]) -> list[Job]:
        """Take back what a dead process held: it waits again, or has failed where it was begun too often.

        Parameters
        ----------
        here : iterable of str
            Ids of the jobs that are under way in this process.
        """
        with self.lease.held() as connection:
            elsewhere = or_(jobs.c.fence != self.lease.fence, jobs.c.id.not_in(list(here)))
            query = select(jobs).where(jobs.c.state == "running", elsewhere)
            lost = [read_job(row) for row in connection.execute(query)]
            for job in lost:
                add_event(connection, job.id, "lost", job.holder, "its process gave no sign of life any more")
                most = self.kinds[job.name].attempts if job.name in self.kinds else 0
                if job.cancel_by is not None:
                    self._end(connection, job.id, Ending("cancelled", None, "its process died"))
                elif job.attempts >= most:
                    why = f"its process died, {job.attempts} {'time' if job.attempts == 1 else 'times'}"
                    self._end(connection, job.id, Ending("failed", None, why))
                else:
                    connection.execute(update(jobs).where(jobs.c.id == job.id).values(state="waiting"))
        return lost

    def begin(self, running: Iterable[str], room: int, now: datetime) -> list[Job]:
        """Begin jobs that wait, those due first, none beside one that it is not to be done beside.

        Parameters
        ----------
        running : iterable of str
            Names of the jobs under way.
        room : int
            How many may be begun.
        """
        one = select(jobs.c.id).where(jobs.c.state == "waiting").limit(1)
        with self.lease.ledger.read() as connection:  # most of the time nothing waits, and nothing is to be written
            if not room or connection.execute(one).first() is None:
                return []
        busy, begun = set(running), list[Job]()
        with self.lease.held() as connection:
            query = select(jobs).where(jobs.c.state == "waiting").order_by(jobs.c.due_at, jobs.c.created_at)
            for job in map(read_job, connection.execute(query).all()):
                kind = self.kinds.get(job.name)
                if kind is None:
                    self._end(connection, job.id, Ending("failed", None, "the workspace has no such job any more"))
                elif len(begun) < room and not busy & {job.name, *kind.apart_from}:
                    busy.add(job.name)
                    begun.append(self._begin(connection, job, kind, now))
        return begun

    def _begin(self, connection: Connection, job: Job, kind: JobKind, now: datetime) -> Job:
        values = {
            "state": "running",
            "attempts": job.attempts + 1,
            "fence": self.lease.fence,
            "holder": self.lease.holder,
            "begun_at": now,
            "seen_at": now,
            "deadline_at": now + timedelta(seconds=kind.max_seconds),
        }
        if job.cause != "scheduled":
            values["key"] = job.id
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values))
        add_event(connection, job.id, "begun", self.lease.holder, f"attempt {job.attempts + 1}")
        return read_job(connection.execute(select(jobs).where(jobs.c.id == job.id)).one())

    def seen(self, ids: Iterable[str], now: datetime) -> dict[str, str]:
        """Give a sign of life for jobs under way; returns who asked that one be cancelled, by id."""
        here = jobs.c.id.in_(list(ids))
        with self.lease.held() as connection:
            connection.execute(update(jobs).where(here).values(seen_at=now))
            query = select(jobs.c.id, jobs.c.cancel_by).where(here, jobs.c.cancel_by.is_not(None))
            return {row.id: row.cancel_by for row in connection.execute(query)}

    def keep_output(self, job: str, output: Output) -> None:
        """Keep the end of what a job has printed so far."""
        with self.lease.held() as connection:
            _keep(connection, job, output)

    def end(self, job: str, ending: Ending, output: Output) -> Job:
        """Keep the one outcome of a job, and its output."""
        with self.lease.held() as connection:
            _keep(connection, job, output)
            self._end(connection, job, ending)
            return read_job(connection.execute(select(jobs).where(jobs.c.id == job)).one())

    def _end(self, connection: Connection, job: str, ending: Ending) -> None:
        reason = told(ending.reason)
        here = and_(jobs.c.id == job, jobs.c.state.in_(UNFINISHED))
        values = {"state": ending.state, "exit_code": ending.exit_code, "reason": reason, "ended_at": datetime.now(UTC)}
        if connection.execute(update(jobs).where(here).values(**values)).rowcount:
            code = "" if ending.exit_code is None else f", exit code {ending.exit_code}"
            add_event(connection, job, "ended", self.lease.holder, f"{ending.state}{code}: {reason}".rstrip(": "))
        waited = and_(jobs.c.id == job, jobs.c.cause != "scheduled", jobs.c.key != jobs.c.id)
        connection.execute(update(jobs).where(waited).values(key=jobs.c.id))

    def hand_over(self, job: Job, output: Output) -> None:
        """Let the next process that serves begin a job again; it is not its fault that it was stopped."""
        with self.lease.held() as connection:
            _keep(connection, job.id, output)
            here = and_(jobs.c.id == job.id, jobs.c.state == "running")
            again = {"state": "waiting", "attempts": max(0, job.attempts - 1)}
            connection.execute(update(jobs).where(here).values(**again))
            add_event(connection, job.id, "handed over", self.lease.holder, "its process was stopped")

    def prune(self, now: datetime) -> None:
        """Remove jobs that ended long ago, with their events and outputs."""
        newest = select(func.max(jobs.c.due_at)).group_by(jobs.c.name)
        old = select(jobs.c.id).where(
            jobs.c.ended_at < now - KEPT, jobs.c.state.not_in(UNFINISHED), jobs.c.due_at.not_in(newest)
        )
        with self.lease.held() as connection:
            gone = list(connection.execute(old.limit(500)).scalars())
            for table, column in ((events, events.c.job_id), (outputs, outputs.c.job_id), (jobs, jobs.c.id)):
                connection.execute(delete(table).where(column.in_(gone)))


def _since(connection: Connection, name: str, schedule: Schedule, now: datetime) -> datetime:
    """Since when a job has this schedule: what was due before, by this one or another, is not made up for."""
    row = {"name": name, "cron": schedule.cron, "timezone": schedule.timezone, "since": now}
    insert_new(connection, schedules, [row])
    here = schedules.c.name == name
    other = or_(schedules.c.cron != schedule.cron, schedules.c.timezone != schedule.timezone, schedules.c.since > now)
    connection.execute(update(schedules).where(here, other).values(**row))
    since: datetime = connection.execute(select(schedules.c.since).where(here)).scalar_one()
    return since


def _keep(connection: Connection, job: str, output: Output) -> None:
    insert_new(connection, outputs, [{"job_id": job, "words": "", "left_out": 0}])
    connection.execute(
        update(outputs).where(outputs.c.job_id == job).values(words=output.text, left_out=output.left_out)
    )
