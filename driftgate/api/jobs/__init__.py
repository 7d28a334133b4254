"""Durable jobs: what runs, waits and ended; asking for one and cancelling one. ``driftgate serve`` does them."""

from driftgate.api.jobs._asking import add_event, ask_for, cancel, new_row
from driftgate.api.jobs._kinds import JobKind, Schedule, find_kind, job_kinds
from driftgate.api.jobs._mending import ask_for_mending
from driftgate.api.jobs._rows import (
    LEAD,
    RESULTS,
    STATES,
    UNFINISHED,
    Cause,
    Job,
    JobEvent,
    JobHistory,
    Result,
    Serving,
    State,
    find_job,
    job_history,
    list_jobs,
    names_of_jobs,
    newest_by_name,
    read_job,
    serving,
)
from driftgate.api.jobs._tables import metadata

__all__ = [
    "LEAD",
    "RESULTS",
    "STATES",
    "UNFINISHED",
    "Cause",
    "Job",
    "JobEvent",
    "JobHistory",
    "JobKind",
    "Result",
    "Schedule",
    "Serving",
    "State",
    "add_event",
    "ask_for",
    "ask_for_mending",
    "cancel",
    "find_job",
    "find_kind",
    "job_history",
    "job_kinds",
    "list_jobs",
    "metadata",
    "names_of_jobs",
    "new_row",
    "newest_by_name",
    "read_job",
    "serving",
]
