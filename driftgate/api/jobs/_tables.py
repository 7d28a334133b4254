"""The tables of jobs: each job, what happened to it, and what it printed."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

from driftgate.ledger import UtcDateTime

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("cause", String(16), nullable=False),  # scheduled, asked, step
    # The scheduled time for a scheduled one, so that it is fired once, ever; of others "name|waiting" while they wait,
    # so that one waits at a time, and the id afterwards.
    Column("key", String(200), nullable=False, unique=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("state", String(16), nullable=False),  # see State
    Column("attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("holder", String(200), nullable=False),
    Column("begun_at", UtcDateTime),
    Column("deadline_at", UtcDateTime),
    Column("seen_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("exit_code", Integer),
    Column("reason", Text, nullable=False),
    Column("cancel_by", Text),
    Index("jobs_by_name", "name", "due_at"),
    Index("jobs_by_state", "state"),
    Index("jobs_by_due", "due_at"),
)

events = Table(
    "job_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", String(200), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("what", String(16), nullable=False),
    Column("who", Text, nullable=False),
    Column("message", Text, nullable=False),  # forgetting goes by the names of columns: this is one of words
)

outputs = Table(
    "job_outputs",
    metadata,
    Column("job_id", String(200), primary_key=True),
    Column("words", Text, nullable=False),
    Column("left_out", Integer, nullable=False),  # characters before it that were not kept
)

schedules = Table(
    "job_schedules",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("cron", String(200), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
