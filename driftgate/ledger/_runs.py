"""Runs: what was asked for, when, and how it ended."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, desc, insert, select, update

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger._insert import insert_new
from driftgate.ledger._schema import runs
from driftgate.ledger._store import Ledger


@dataclass(frozen=True)
class RunRow:
    """A run as the ledger holds it."""

    id: str
    suite: str
    status: str
    """``running``, ``interrupted``, ``stopped`` (by a limit or an error) or ``complete``."""
    reason: str
    created_at: datetime
    finished_at: datetime | None
    plan: Mapping[str, Any]
    plan_hash: str
    seed: int
    version: str


def start_run(
    ledger: Ledger,
    suite: str,
    plan: Mapping[str, Any],
    plan_hash: str,
    seed: int,
    version: str,
    *,
    id: str | None = None,
) -> RunRow:
    """Add a run with a name that sorts by time, such as ``20261122-231500-nightly-3fa2``.

    Parameters
    ----------
    id : str, optional
        A name of its own. A run that has it already is left as it is and returned.
    """
    now = datetime.now(UTC)
    row = {
        "id": id or f"{now:%Y%m%d-%H%M%S}-{suite}-{secrets.token_hex(2)}",
        "suite": suite,
        "status": "running",
        "reason": "",
        "created_at": now,
        "finished_at": None,
        "plan": dict(plan),
        "plan_hash": plan_hash,
        "seed": seed,
        "version": version,
    }
    with ledger.write() as connection:
        if id is not None:
            insert_new(connection, runs, [row])
            known = connection.execute(select(runs).where(runs.c.id == id)).one()
            return RunRow(**known._mapping)
        connection.execute(insert(runs).values(**row))
    return RunRow(**row)  # type: ignore[arg-type]


def set_status(ledger: Ledger, run: str, status: str, reason: str = "") -> None:
    """Say how a run stands."""
    with ledger.write() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(status=status, reason=reason))


def finish_run(ledger: Ledger, run: str) -> None:
    """Mark a run complete."""
    values = {"status": "complete", "reason": "", "finished_at": datetime.now(UTC)}
    with ledger.write() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(**values))


def latest_runs(
    ledger: Ledger,
    limit: int = 20,
    *,
    suite: str | None = None,
    status: str | None = None,
    before: datetime | None = None,
) -> list[RunRow]:
    """The newest runs first; with ``before`` only those that began earlier."""
    query = select(runs).order_by(desc(runs.c.created_at), desc(runs.c.id)).limit(limit)
    if suite is not None:
        query = query.where(runs.c.suite == suite)
    if status is not None:
        query = query.where(runs.c.status == status)
    if before is not None:
        query = query.where(runs.c.created_at < before)
    with ledger.read() as connection:
        return [RunRow(**row._mapping) for row in connection.execute(query)]


def find_run(ledger: Ledger, name: str) -> RunRow:
    """A run by its id or a part of it that only one run has; ``latest`` is the newest.

    Raises
    ------
    DriftgateError
        No run, or more than one, fits.
    """
    newest = latest_runs(ledger, limit=8)
    if not newest:
        raise DriftgateError("the ledger holds no run", "begin one with: driftgate bench SUITE")
    if name == "latest":
        return newest[0]
    fitting = _runs_where(ledger, runs.c.id == name) or _runs_where(ledger, runs.c.id.contains(name, autoescape=True))
    fitting = [run for run in fitting if name in run.id]  # SQLite's LIKE takes capitals for small letters
    if len(fitting) != 1:
        found = f"{len(fitting)} runs fit '{name}'"
        raise DriftgateError(found, nearest(name, [run.id for run in (fitting or newest)[:8]]))
    return fitting[0]


def _runs_where(ledger: Ledger, condition: ColumnElement[bool]) -> list[RunRow]:
    """The newest first, however many there are."""
    query = select(runs).where(condition).order_by(desc(runs.c.created_at), desc(runs.c.id))
    with ledger.read() as connection:
        return [RunRow(**row._mapping) for row in connection.execute(query)]
