"""Runs: what was asked for, when, and how it ended."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, desc, exists, insert, select, update

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.scrubbing import told
from driftgate.ledger._asked import JUDGED
from driftgate.ledger._insert import insert_new
from driftgate.ledger._kinds import RunKind, how_to_finish
from driftgate.ledger._schema import cells, outcomes, runs
from driftgate.ledger._store import Ledger

REFUSED = "refused"
"""Status of a benchmark that was asked for and could not begin: there is nothing to be gone on with."""
_BEGIN = "begin one with: driftgate bench SUITE"


@dataclass(frozen=True)
class RunRow:
    """A run as the ledger holds it."""

    id: str
    suite: str
    kind: RunKind
    status: str
    """``running``, ``interrupted``, ``stopped`` (by a limit or an error), ``refused`` (before it began) or
    ``complete``."""
    reason: str
    created_at: datetime
    finished_at: datetime | None
    plan: Mapping[str, Any]
    plan_hash: str
    seed: int
    version: str

    @property
    def how_to_finish(self) -> str:
        """What goes on with it where it is not complete."""
        if self.status == REFUSED:
            return f"mend what kept it from beginning ({self.reason}), then run it again"
        return how_to_finish(self.kind, self.id)


def start_run(
    ledger: Ledger,
    suite: str,
    plan: Mapping[str, Any],
    plan_hash: str,
    seed: int,
    version: str,
    *,
    kind: RunKind = "benchmark",
    id: str | None = None,
) -> RunRow:
    """Add a run with a name that sorts by time, such as ``20261122-231500-nightly-3fa2``.

    Parameters
    ----------
    kind : str
        What it is made for; ``latest`` means benchmarks only.
    id : str, optional
        A name of its own. A run that has it already is left as it is and returned.
    """
    now = datetime.now(UTC)
    row = {
        "id": id or f"{now:%Y%m%d-%H%M%S}-{suite}-{secrets.token_hex(2)}",
        "suite": suite,
        "kind": kind,
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


def add_refused_run(ledger: Ledger, suite: str, reason: str, version: str, *, kind: RunKind = "benchmark") -> RunRow:
    """Keep that a suite was to be run and could not: whoever judges its newest run is then told."""
    run = start_run(ledger, suite, {"suite": suite, "cells": []}, "", 0, version, kind=kind)
    set_status(ledger, run.id, REFUSED, reason)
    return run


def set_status(ledger: Ledger, run: str, status: str, reason: str = "") -> None:
    """Say how a run stands."""
    with ledger.write() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(status=status, reason=told(reason)))


def finish_run(ledger: Ledger, run: str) -> None:
    """Mark a run complete; where nothing of a cell can be scored, its reason says so."""
    with ledger.write() as connection:
        reason = _without_score(connection, run)
        values = {"status": "complete", "reason": reason, "finished_at": datetime.now(UTC)}
        connection.execute(update(runs).where(runs.c.id == run).values(**values))


def _without_score(connection: Connection, run: str) -> str:
    """In how many cells of a run nothing was answered, and of how many no answer could be graded, in words."""
    own = and_(outcomes.c.cell_id == cells.c.id, outcomes.c.outcome == "answered")
    answered, graded = exists().where(own), exists().where(own, outcomes.c.correct.is_not(None))
    query = select(cells.c.details, answered.label("answered"), graded.label("graded")).where(cells.c.run_id == run)
    rows = connection.execute(query).all()
    silent = sum(not row.answered for row in rows)
    ungraded = sum(bool(row.answered) and not row.graded and row.details.get(JUDGED) is not False for row in rows)
    told = ((silent, "nothing was answered"), (ungraded, "no answer could be graded"))
    return "; ".join(
        what + (f" in {count} of {len(rows)} cells" if len(rows) > 1 else "") for count, what in told if count
    )


def latest_runs(
    ledger: Ledger,
    limit: int = 20,
    *,
    suite: str | None = None,
    status: str | None = None,
    kinds: Collection[str] = (),
    before: datetime | None = None,
) -> list[RunRow]:
    """The newest runs first; of some kinds where they are named, with ``before`` only those that began earlier."""
    query = select(runs).order_by(desc(runs.c.created_at), desc(runs.c.id)).limit(limit)
    if suite is not None:
        query = query.where(runs.c.suite == suite)
    if status is not None:
        query = query.where(runs.c.status == status)
    if kinds:
        query = query.where(runs.c.kind.in_(kinds))
    if before is not None:
        query = query.where(runs.c.created_at < before)
    with ledger.read() as connection:
        return [RunRow(**row._mapping) for row in connection.execute(query)]


def suites_of(ledger: Ledger) -> list[str]:
    """The suites that were ever run."""
    with ledger.read() as connection:
        return sorted(connection.execute(select(runs.c.suite).distinct()).scalars())


def runs_before(ledger: Ledger, before: datetime) -> list[RunRow]:
    """All runs that began before a time, the newest first."""
    return _runs_where(ledger, runs.c.created_at < before)


def find_run(ledger: Ledger, name: str) -> RunRow:
    """A run by its id or a part of it that only one run has.

    ``latest`` is the newest complete benchmark, ``latest:SUITE`` the newest complete one of a suite. A run of any other
    kind, or one that is not complete, is found by its id only.

    Raises
    ------
    DriftgateError
        No run, or more than one, fits.
    """
    if name == "latest" or name.startswith("latest:"):
        return _newest_benchmark(ledger, name.partition(":")[2])
    newest = latest_runs(ledger, limit=8)
    if not newest:
        raise DriftgateError("the ledger holds no run", _BEGIN)
    fitting = _runs_where(ledger, runs.c.id == name) or _runs_where(ledger, runs.c.id.contains(name, autoescape=True))
    fitting = [run for run in fitting if name in run.id]  # SQLite's LIKE takes capitals for small letters
    if len(fitting) != 1:
        found = f"{len(fitting)} runs fit '{name}'"
        raise DriftgateError(found, nearest(name, [run.id for run in (fitting or newest)[:8]]))
    return fitting[0]


def newer_unfinished(ledger: Ledger, name: str) -> RunRow | None:
    """The newest benchmark that ``latest`` or ``latest:SUITE`` passes over as it is not complete.

    Whoever judges the run before it judges nothing of what was asked last. None for a run that is named by its id.
    """
    if name != "latest" and not name.startswith("latest:"):
        return None
    found = latest_runs(ledger, 1, suite=name.partition(":")[2] or None, kinds=["benchmark"])
    return found[0] if found and found[0].status != "complete" else None


def _newest_benchmark(ledger: Ledger, suite: str) -> RunRow:
    of_suite = {"suite": suite or None, "kinds": ["benchmark"]}
    if complete := latest_runs(ledger, 1, status="complete", **of_suite):  # type: ignore[arg-type]
        return complete[0]
    of = f" of the suite '{suite}'" if suite else ""
    if begun := latest_runs(ledger, 1, **of_suite):  # type: ignore[arg-type]
        run = begun[0]
        raise DriftgateError(f"no benchmark{of} is complete; the newest, {run.id}, is {run.status}", run.how_to_finish)
    with ledger.read() as connection:
        suites = connection.execute(select(runs.c.suite).where(runs.c.kind == "benchmark").distinct()).scalars().all()
    if suites:
        raise DriftgateError(f"the ledger holds no benchmark{of}", nearest(suite, suites))
    others = latest_runs(ledger, 1)
    if others:
        raise DriftgateError(f"the ledger holds no benchmark, only runs such as {others[0].id}", _BEGIN)
    raise DriftgateError("the ledger holds no run", _BEGIN)


def _runs_where(ledger: Ledger, condition: ColumnElement[bool]) -> list[RunRow]:
    """The newest first, however many there are."""
    query = select(runs).where(condition).order_by(desc(runs.c.created_at), desc(runs.c.id))
    with ledger.read() as connection:
        return [RunRow(**row._mapping) for row in connection.execute(query)]
