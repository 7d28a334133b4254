"""The long-running service: the schedule, its one leader, and the authenticated HTTP interface."""

from driftgate.service._app import Page, create_app
from driftgate.service._auth import authoriser
from driftgate.service._lease import Firing, Lease
from driftgate.service._schedule import Job, Scheduler, due_time

__all__ = ["Firing", "Job", "Lease", "Page", "Scheduler", "authoriser", "create_app", "due_time"]
