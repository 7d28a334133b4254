"""What forms do: each calls the facade, and leads back to where it stood."""

from __future__ import annotations

from fastapi import APIRouter

from driftgate.service._auth import Access
from driftgate.service.console._page import Console


def add_routes(routes: APIRouter, console: Console, access: Access) -> None:
    """Add the route of every form."""
