"""The jobs that were put for a run, kept before and after each step, so that a successor puts none of them twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, select, update

from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

metadata = MetaData()

shard_jobs = Table(
    "shard_jobs",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("shards", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

State = Literal["planned", "putting", "put", "done", "failed", "refused"]
"""``putting`` is kept before the job is put: a process that dies there does not know whether it was. ``done`` and
``failed`` have ended, and what they gave is in the ledger; ``refused`` was never there."""


@dataclass(frozen=True)
class KeptJob:
    """A job that asks a share of a run."""

    run_id: str
    attempt: int
    """From 1; a further one asks what the one before left."""
    place: int
    """From 1."""
    shards: int
    name: str
    """At the service."""
    state: State
    detail: str
    at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it may be asking, so that nobody else may ask the same."""
        return self.state in ("putting", "put")

    @property
    def words(self) -> str:
        """``shard 2 of 4``."""
        return f"shard {self.place} of {self.shards}"


def plan_jobs(ledger: Ledger, jobs: Sequence[KeptJob]) -> None:
    """Keep jobs that are about to be put; those that are kept already stay as they are."""
    create_tables(ledger, metadata)
    with ledger.write() as connection:
        insert_new(connection, shard_jobs, [asdict(job) for job in jobs])


def keep_job(ledger: Ledger, job: KeptJob, state: State, detail: str = "") -> KeptJob:
    """Keep how a job stands."""
    kept = replace(job, state=state, detail=told(detail), at=datetime.now(UTC))
    where = [shard_jobs.c[name] == getattr(job, name) for name in ("run_id", "attempt", "place")]
    with ledger.write() as connection:
        connection.execute(update(shard_jobs).where(*where).values(state=kept.state, detail=kept.detail, at=kept.at))
    return kept


def jobs_of(ledger: Ledger, run_id: str) -> list[KeptJob]:
    """The jobs of a run's newest attempt, in order; none where no job was ever planned."""
    create_tables(ledger, metadata)
    mine = shard_jobs.c.run_id == run_id
    with ledger.read() as connection:
        rows = connection.execute(
            select(shard_jobs).where(mine).order_by(shard_jobs.c.attempt, shard_jobs.c.place)
        ).mappings()
        found = [KeptJob(**row) for row in rows]
    return [job for job in found if job.attempt == found[-1].attempt]
