"""What is kept of jobs, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Row, and_, case, desc, func, literal, select

from driftgate.api.jobs._tables import events, jobs, metadata, outputs
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import Ledger, create_tables, lease_of

Cause = Literal["scheduled", "asked", "step"]
State = Literal["waiting", "running", "done", "failed", "cancelled", "missed"]
"""Done: its work was done, whatever it came to. Missed: it was due while nobody served, and was let go."""
STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "cancelled", "missed")
UNFINISHED: tuple[State, ...] = ("waiting", "running")
Result = Literal["waiting", "under way", "good", "bad", "inconclusive", "unmeasurable", "error", "cancelled"]

LEAD = "jobs"
_BEATS = timedelta(seconds=6)
"""The one that leads says so more often than that."""
_SERVES = timedelta(seconds=45)
"""A sign of life that is older, or further ahead, than this is none."""
RESULTS: dict[int, Result] = {0: "good", 1: "bad", 3: "inconclusive", 4: "unmeasurable"}
"""What the exit codes of commands say; whatever else a process ends with is an error."""


@dataclass(frozen=True)
class Job:
    """A piece of work: when it was due, who does it, and how it ended."""

    id: str
    name: str
    """What is done: ``nightly``, ``look-MONITOR``, ``mend``."""
    cause: Cause
    due_at: datetime
    """The scheduled time; when it was asked for, where it has none. UTC."""
    created_at: datetime
    who: str
    """Who asked for it; of a scheduled one, the process that put it there."""
    state: State
    attempts: int
    """How often it was begun. One that its process handed over is begun again without counting."""
    fence: int
    """The fencing token it was last begun under: what was begun under an older one writes nothing any more."""
    holder: str
    """The process that does it, or did."""
    begun_at: datetime | None
    """When it was begun last."""
    deadline_at: datetime | None
    """When it is stopped."""
    seen_at: datetime | None
    """The last sign of life of who does it."""
    ended_at: datetime | None
    exit_code: int | None
    """Of its process; below 0 the signal that ended it. None where it never had one."""
    reason: str
    """Why it ended as it did, where the exit code does not say."""
    cancel_by: str | None
    """Who asked that it be cancelled."""

    @property
    def ended(self) -> bool:
        """Whether it has its outcome."""
        return self.state not in UNFINISHED

    @property
    def result(self) -> Result:
        """What it came to: of a job that did its work, what its exit code says; nothing is good by default."""
        match self.state:
            case "waiting":
                return "waiting"
            case "running":
                return "under way"
            case "done":
                return RESULTS.get(self.exit_code, "error") if self.exit_code is not None else "error"
            case "cancelled":
                return "cancelled"
            case "missed":
                return "unmeasurable"
            case _:
                return "error"

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far; None while it waits."""
        if self.begun_at is None or self.state == "waiting":
            return None
        return max(0.0, ((self.ended_at or datetime.now(UTC)) - self.begun_at).total_seconds())


@dataclass(frozen=True)
class JobEvent:
    """Something that happened to a job."""

    at: datetime
    what: str
    """``due``, ``asked``, ``begun``, ``handed over``, ``lost``, ``cancel``, ``ended``."""
    who: str
    note: str


@dataclass(frozen=True)
class JobHistory:
    """A job with all that is kept of it."""

    job: Job
    events: Sequence[JobEvent]
    output: str
    """The end of what it printed, with secrets and personal data blanked."""
    left_out: int
    """Characters before it that were not kept."""


@dataclass(frozen=True)
class Serving:
    """The process that leads the schedule."""

    holder: str
    since_beat: timedelta
    """How long ago it gave its last sign of life, by this machine's clock."""

    @property
    def silent(self) -> bool:
        """Whether it gave no sign of life for so long that it may be gone; another may take its place."""
        return self.since_beat > _BEATS


def list_jobs(
    ledger: Ledger, limit: int = 50, *, name: str = "", states: Sequence[str] = (), offset: int = 0
) -> list[Job]:
    """Jobs, those due last first.

    Parameters
    ----------
    name : str
        Only of this name.
    states : sequence of str
        Only in these states.

    Raises
    ------
    DriftgateError
        There is no such state.
    """
    for state in states:
        if state not in STATES:
            raise DriftgateError(f"there is no state '{state}' of a job", nearest(state, STATES))
    query = select(jobs).order_by(desc(jobs.c.due_at), desc(jobs.c.created_at), desc(jobs.c.id))
    if name:
        query = query.where(jobs.c.name == name)
    if states:
        query = query.where(jobs.c.state.in_(states))
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        return [read_job(row) for row in connection.execute(query.limit(limit).offset(offset))]


def names_of_jobs(ledger: Ledger) -> list[str]:
    """The names of all jobs that are kept."""
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        return sorted(connection.execute(select(jobs.c.name).distinct()).scalars())


def newest_by_name(ledger: Ledger) -> list[Job]:
    """Of each name the job that ended last."""
    create_tables(ledger, metadata)
    last = (
        select(jobs.c.name, func.max(jobs.c.ended_at).label("at"))
        .where(jobs.c.state.not_in((*UNFINISHED, "cancelled")))
        .group_by(jobs.c.name)
        .subquery()
    )
    query = (
        select(jobs)
        .join(last, and_(jobs.c.name == last.c.name, jobs.c.ended_at == last.c.at))
        .order_by(jobs.c.name, jobs.c.id)
    )
    with ledger.read() as connection:
        return list({row.name: read_job(row) for row in connection.execute(query)}.values())


def find_job(ledger: Ledger, name: str, *, unfinished: bool = False) -> Job:
    """A job by its id, by a part of it that only one has, or by what is done: of ``nightly`` the newest one.

    Parameters
    ----------
    unfinished : bool
        By what is done or a part of an id, one that has not ended is meant before one that has.

    Raises
    ------
    DriftgateError
        None or more than one fits.
    """
    create_tables(ledger, metadata)
    with ledger.read() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == name)).one_or_none()
        if row is not None:
            return read_job(row)
        going_on = case((jobs.c.state.in_(UNFINISHED), 0), else_=1) if unfinished else literal(0)
        newest = select(jobs).where(jobs.c.name == name).order_by(going_on, desc(jobs.c.due_at), desc(jobs.c.id))
        if (row := connection.execute(newest.limit(1)).one_or_none()) is not None:
            return read_job(row)
        part = jobs.c.id.contains(name, autoescape=True)
        query = select(jobs).where(part).order_by(desc(jobs.c.due_at)).limit(9)
        fitting = [one for one in map(read_job, connection.execute(query)) if name and name in one.id]
    under_way = [one for one in fitting if not one.ended]
    if unfinished and len(under_way) == 1:
        return under_way[0]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        known = [one.id for one in list_jobs(ledger, 8)]
        raise DriftgateError(f"no job fits '{name}'", nearest(name, known) if known else "see driftgate jobs")
    raise DriftgateError(
        f"{'9 or more' if len(fitting) == 9 else len(fitting)} jobs fit '{name}'",
        f"say more of the id: {', '.join(one.id for one in fitting)}",
    )


def job_history(ledger: Ledger, name: str) -> JobHistory:
    """A job with its events and the end of its output; see :func:`find_job`."""
    job = find_job(ledger, name)
    with ledger.read() as connection:
        query = select(events).where(events.c.job_id == job.id).order_by(events.c.id)
        happened = [JobEvent(row.at, row.what, row.who, row.message) for row in connection.execute(query)]
        kept = connection.execute(select(outputs).where(outputs.c.job_id == job.id)).one_or_none()
    return JobHistory(job, happened, kept.words if kept else "", kept.left_out if kept else 0)


def serving(ledger: Ledger) -> Serving | None:
    """The process that leads the schedule now; None where none gives a sign of life."""
    row = lease_of(ledger, LEAD)
    if row is None:
        return None
    ago = datetime.now(UTC) - row.beat_at
    return Serving(row.holder, ago) if abs(ago) < _SERVES else None


def read_job(row: Row[tuple[object, ...]]) -> Job:
    """A job of a row of its table."""
    names = Job.__dataclass_fields__
    return Job(**{name: value for name, value in row._mapping.items() if name in names})
