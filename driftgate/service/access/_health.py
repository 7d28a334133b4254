"""``/livez`` and ``/readyz``: whether the process lives, and whether it could keep what it is given."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import Column, Integer, MetaData, Table, update

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, UtcDateTime, create_tables, insert_new

log = logging.getLogger(__name__)

_FRESH_SECONDS = 2.0
_SLOW_SECONDS = 5.0

_metadata = MetaData()
_probe = Table(
    "service_probe", _metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, nullable=False)
)


class Health(BaseModel):
    """Whether the service can work, and no more: anybody may ask."""

    status: Literal["ok", "not ready"]


@dataclass
class Readiness:
    """Writes a little to everything that has to be written to; an answer is good for two seconds."""

    checks: Sequence[Callable[[], None]]
    """Each raises ``OSError`` or ``DriftgateError`` where it cannot be written to."""
    _at: float = -_FRESH_SECONDS
    _found: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> bool:
        """Whether all of it can be written to; what cannot is logged when it begins."""
        with self._lock:
            if monotonic() - self._at >= _FRESH_SECONDS:
                before, self._found = self._found, self._write_to_all(self._found)
                self._at = monotonic()
                if self._found and not before:
                    log.info("the service is ready")
            return self._found

    def _write_to_all(self, before: bool) -> bool:
        for check in self.checks:
            try:
                check()
            except (OSError, DriftgateError) as problem:
                log.log(logging.ERROR if before else logging.WARNING, "the service is not ready: %s", problem)
                return False
        return True


def ledger_writable(ledger: Ledger) -> Callable[[], None]:
    """What writes to the ledger."""

    def check() -> None:
        create_tables(ledger, _metadata)
        now = datetime.now(UTC)
        with ledger.write() as connection:
            insert_new(connection, _probe, [{"id": 1, "at": now}])
            connection.execute(update(_probe).values(at=now))

    return check


def folder_writable(folder: Path) -> Callable[[], None]:
    """What writes to a folder, and leaves nothing in it."""

    def check() -> None:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()

    return check


def health_routes(readiness: Readiness) -> APIRouter:
    """Make the two routes, which anybody may ask and which say nothing private."""
    routes = APIRouter(tags=["health"])

    @routes.get("/livez", summary="Does the process live?")
    async def livez() -> Health:
        return Health(status="ok")

    @routes.get("/readyz", summary="Can ledger and telemetry be written to?", responses={503: {"model": Health}})
    async def readyz(response: Response) -> Health:
        try:
            ready = await asyncio.wait_for(asyncio.to_thread(readiness.look), _SLOW_SECONDS)
        except TimeoutError:  # a database that hangs
            ready = False
        if not ready:
            response.status_code = 503
        return Health(status="ok" if ready else "not ready")

    return routes
