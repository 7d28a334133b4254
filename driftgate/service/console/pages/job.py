"""One job: what happened to it, and the end of what it printed."""

from __future__ import annotations

from dataclasses import dataclass

from driftgate.api.jobs import Job
from driftgate.flows.errors import DriftgateError
from driftgate.service.console._page import Asked, Console, Content, Missing, Page
from driftgate.service.console._table import Column, Table, in_memory

EVENTS = (Column("happened", "time"), Column("what", filter=True), Column("who"), Column("note", "long", sort=False))


@dataclass(frozen=True)
class JobFacts:
    """A job with its output."""

    job: Job
    result: str
    seconds: float | None
    ended: bool
    output: str
    left_out: int


def _load(console: Console, asked: Asked) -> Content:
    try:
        found = console.workspace.job(asked.path["job"])
    except DriftgateError as problem:
        raise Missing(problem.message, problem.remedy) from problem
    rows = [{"happened": one.at, "what": one.what, "who": one.who, "note": one.note} for one in found.events]
    job = found.job
    facts = JobFacts(job, job.result, job.seconds, job.ended, found.output, found.left_out)
    return Content(facts, (Table("events", EVENTS, in_memory(rows), sort="-happened"),), job.id)


PAGE = Page("/jobs/{job}", "job", _load, section="jobs")
