"""The content of a run as one hash: it changes with anything that was asked, answered or evaluated."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, or_, select

from driftgate.ledger._aggregations import aggregations_of
from driftgate.ledger._asked import models_asked
from driftgate.ledger._cells import cells_of
from driftgate.ledger._details import detail_rows
from driftgate.ledger._runs import find_run
from driftgate.ledger._schema import (
    asked,
    evaluated_lines,
    evaluations,
    expired_runs,
    forgotten_runs,
    outcomes,
    samples,
)
from driftgate.ledger._store import Ledger

_KEYS = ("cell_id", "sample_id")
_LATER = ("reasoning_tokens", "cached_tokens")
"""Columns that ledgers of an earlier format did not have."""


def run_hash(ledger: Ledger, run_id: str) -> str:
    """SHA-256 over a run's plan, the samples asked for, and every outcome, evaluation and aggregation in every round.

    Two runs of the same hash hold the same; a run that goes on, is asked again or is edited gets another. Names and row
    numbers that the ledger gave are not part of it, so that it is the same on either database, and so is where its
    details are. A run of which texts were removed keeps the hash that it had with them, as long as what is left is
    unchanged.

    Raises
    ------
    DriftgateError
        There is no such run, or its archive cannot be read.
    """
    run = find_run(ledger, run_id)
    now = remaining_hash(ledger, run.id)
    with ledger.read() as connection:
        for table in (expired_runs, forgotten_runs):
            known = select(table.c.content).where(table.c.run_id == run.id, table.c.remains == now).limit(1)
            if (content := connection.execute(known).scalar_one_or_none()) is not None:
                return str(content)
    return now


def remaining_hash(ledger: Ledger, run_id: str) -> str:
    """As :func:`run_hash`, over what is there, whether texts were removed from it or not."""
    run = find_run(ledger, run_id)
    digest = hashlib.sha256()
    _add(digest, [run.suite, dict(run.plan), run.plan_hash, run.seed, run.version])
    for cell in cells_of(ledger, run.id):
        _add(digest, [cell.ordinal, cell.model, cell.flow, cell.variant, cell.dataset, cell.signature, cell.details])
        questions = select(samples.c.edition).join(asked, asked.c.sample_id == samples.c.id)
        _add_rows(digest, ledger, questions.where(asked.c.cell_id == cell.id).order_by(asked.c.ordinal))
        columns = [column for column in outcomes.c if column.name not in (*_KEYS, *_LATER)]
        _add_rows(digest, ledger, _outcomes(cell.id, *columns))
        stated = or_(*(outcomes.c[name].is_not(None) for name in _LATER))  # a run of an earlier version keeps its hash
        _add_rows(digest, ledger, _outcomes(cell.id, *(outcomes.c[name] for name in _LATER)).where(stated))
        for table in (evaluations, evaluated_lines):
            _add_details(digest, ledger, table, cell.id)
        with ledger.read() as connection:
            if named := models_asked(connection, cell.id):  # a run of an earlier version keeps its hash
                _add(digest, ["asked", *named])
        for made in aggregations_of(ledger, cell.id):
            _add(digest, [made.prefix, dict(made.metrics), made.n, made.error])
    return digest.hexdigest()


def _outcomes(cell_id: int, *columns: ColumnElement[Any]) -> Select[Any]:
    """Columns of the outcomes of a cell, each after its sample."""
    return (
        select(samples.c.edition, *columns)
        .join(asked, (asked.c.cell_id == outcomes.c.cell_id) & (asked.c.sample_id == outcomes.c.sample_id))
        .join(samples, samples.c.id == outcomes.c.sample_id)
        .where(outcomes.c.cell_id == cell_id)
        .order_by(asked.c.ordinal, outcomes.c.round)
    )


def _add_rows(digest: Any, ledger: Ledger, query: Select[Any]) -> None:
    with ledger.read() as connection:
        for row in connection.execute(query):
            _add(digest, [_plain(value) for value in row])


def _add_details(digest: Any, ledger: Ledger, table: Table, cell_id: int) -> None:
    named = select(samples.c.id, samples.c.edition).join(asked, asked.c.sample_id == samples.c.id)
    with ledger.read() as connection:
        editions = {row.id: row.edition for row in connection.execute(named.where(asked.c.cell_id == cell_id))}
    columns = [column.name for column in table.c if column.name not in (*_KEYS, "round")]
    found = detail_rows(ledger, table, cell_id, columns)
    rows = [[editions[row[0]], *map(_plain, row[1:])] for row in found if row[0] in editions]
    # Databases collate text differently, so names are ordered here.
    for line in sorted(rows, key=lambda row: json.dumps(row, ensure_ascii=False)):
        _add(digest, line)


def _add(digest: Any, row: list[Any]) -> None:
    digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dict).encode())
    digest.update(b"\n")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
