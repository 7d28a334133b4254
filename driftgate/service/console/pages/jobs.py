"""What runs, waits and ended, what is done when, and who does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from driftgate.api.jobs import STATES, Cause, Result
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._table import Column, Table, in_memory
from driftgate.service.console._watch import next_due

SHOWN = 1000
COLUMNS = (
    Column("job", link="/jobs/{job}"),
    Column("name", filter=True),
    Column("state", "status", filter=True),
    Column("result", "status", filter=True),
    Column("due", "time"),
    Column("took", "seconds"),
    Column("cause", filter=True),
    Column("who"),
    Column("reason", "long", sort=False),
)
_KNOWN: Mapping[str, Collection[str]] = {
    "state": STATES,
    "result": get_args(Result),
    "cause": get_args(Cause),
}


@dataclass(frozen=True)
class Planned:
    """A job that the workspace has."""

    name: str
    command: str
    cron: str
    """Empty where it is done when it is called for."""
    timezone: str
    next: datetime | None
    max_seconds: float


@dataclass(frozen=True)
class JobsFacts:
    """Who serves, and what is planned."""

    serving: str
    """The process that leads the schedule; empty where none gives a sign of life."""
    planned: Sequence[Planned]


def _load(console: Console, asked: Asked) -> Content:
    workspace, now = console.workspace, datetime.now(UTC)
    serving = workspace.serving()
    planned = [
        Planned(
            kind.name,
            "driftgate " + " ".join(kind.command),
            kind.schedule.cron if kind.schedule else "",
            kind.schedule.timezone if kind.schedule else "",
            next_due(kind.schedule.cron, kind.schedule.timezone, now) if kind.schedule else None,
            kind.max_seconds,
        )
        for kind in workspace.job_kinds()
    ]
    rows = [
        {
            "job": job.id,
            "name": job.name,
            "state": job.state,
            "result": job.result,
            "due": job.due_at,
            "took": job.seconds,
            "cause": job.cause,
            "who": job.who,
            "reason": job.reason,
            "exit_code": job.exit_code,
            "begun": job.begun_at,
            "ended": job.ended_at,
        }
        for job in workspace.jobs(SHOWN)
    ]
    facts = JobsFacts(serving.holder if serving is not None else "", planned)
    known = {**_KNOWN, "name": [kind.name for kind in planned]}
    return Content(facts, (Table("jobs", COLUMNS, in_memory(rows), sort="-due", known=known),))


PAGE = Page("/jobs", "jobs", _load, menu=80)
