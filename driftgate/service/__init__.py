"""The long-running service: jobs, their one leader, and the authenticated HTTP interface."""

from driftgate.service._app import Page, create_app
from driftgate.service._auth import Access, Identity, Scope
from driftgate.service.jobs import Board, Runner

__all__ = [
    "Access",
    "Board",
    "Identity",
    "Page",
    "Runner",
    "Scope",
    "create_app",
]
