"""Ask for a job, and ask that one be cancelled."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, insert, select, update

from driftgate.api.jobs._rows import UNFINISHED, Cause, Job, find_job, read_job
from driftgate.api.jobs._tables import events, jobs, metadata
from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, create_tables, insert_new


def new_row(name: str, cause: Cause, due_at: datetime, who: str, key: str, now: datetime) -> dict[str, object]:
    """A row of a job that waits."""
    return {
        "id": f"{due_at.astimezone(UTC):%Y%m%d-%H%M%S}-{name}-{secrets.token_hex(2)}",
        "name": name,
        "cause": cause,
        "key": key,
        "due_at": due_at,
        "created_at": now,
        "who": told(who),
        "state": "waiting",
        "attempts": 0,
        "fence": 0,
        "holder": "",
        "reason": "",
    }


def add_event(connection: Connection, job: str, what: str, who: str = "", note: str = "") -> None:
    """Keep that something happened to a job."""
    row = {"job_id": job, "at": datetime.now(UTC), "what": what, "who": told(who), "message": told(note)}
    connection.execute(insert(events).values(**row))


def ask_for(ledger: Ledger, name: str, who: str, *, cause: Cause = "asked", note: str = "") -> tuple[Job, bool]:
    """Ask that a job be done as soon as a serving process can.

    Returns
    -------
    tuple
        The job, and whether it is new: one that waits already, asked for by whomever, is the same.
    """
    create_tables(ledger, metadata)
    key, now = f"{name}|waiting", datetime.now(UTC)
    row = new_row(name, cause, now, who, key, now)
    with ledger.write() as connection:
        insert_new(connection, jobs, [row])
        found = read_job(connection.execute(select(jobs).where(jobs.c.key == key)).one())
        if found.id == row["id"]:
            add_event(connection, found.id, "asked", who, note)
    return found, found.id == row["id"]


def cancel(ledger: Ledger, name: str, who: str) -> Job:
    """Cancel a job that waits, or ask the process that does it to stop; it is stopped within seconds.

    Raises
    ------
    DriftgateError
        No job, or more than one, fits; or it has ended.
    """
    job = find_job(ledger, name, unfinished=True)
    now = datetime.now(UTC)
    here = and_(jobs.c.id == job.id, jobs.c.state == "waiting")
    ended = {"state": "cancelled", "ended_at": now, "cancel_by": told(who), "key": job.id, "reason": "before it began"}
    if job.cause == "scheduled":
        del ended["key"]  # its time stays taken
    with ledger.write() as connection:
        if connection.execute(update(jobs).where(here).values(**ended)).rowcount:
            add_event(connection, job.id, "ended", who, "cancelled before it began")
        else:
            under_way = and_(jobs.c.id == job.id, jobs.c.state.in_(UNFINISHED))
            if not connection.execute(update(jobs).where(under_way).values(cancel_by=told(who))).rowcount:
                raise DriftgateError(f"job {job.id} has ended: {job.state}", "there is nothing to cancel")
            add_event(connection, job.id, "cancel", who)
    return find_job(ledger, job.id)
