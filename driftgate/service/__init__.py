"""The long-running service: the schedule, its one leader, and the authenticated HTTP interface."""

from driftgate.service._app import Page, create_app
from driftgate.service._auth import Access, Identity, Scope
from driftgate.service._lease import Firing, Lease
from driftgate.service._schedule import Job, Scheduler, due_time

__all__ = [
    "Access",
    "Firing",
    "Identity",
    "Job",
    "Lease",
    "Page",
    "Scheduler",
    "Scope",
    "create_app",
    "due_time",
]
