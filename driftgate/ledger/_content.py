"""The content of a run as one hash: it changes with anything that was asked, answered or evaluated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from driftgate.ledger._aggregations import aggregations_of
from driftgate.ledger._asked import models_asked
from driftgate.ledger._cells import cells_of
from driftgate.ledger._runs import find_run
from driftgate.ledger._schema import asked, evaluated_lines, evaluations, outcomes, samples
from driftgate.ledger._store import Ledger

_KEYS = ("cell_id", "sample_id")


def run_hash(ledger: Ledger, run_id: str) -> str:
    """SHA-256 over a run's plan, the samples asked for, and every outcome, evaluation and aggregation in every round.

    Two runs of the same hash hold the same; a run that goes on, is asked again or is edited gets another. Names and row
    numbers that the ledger gave are not part of it, so that it is the same on either database.

    Raises
    ------
    DriftgateError
        There is no such run.
    """
    run = find_run(ledger, run_id)
    digest = hashlib.sha256()
    _add(digest, [run.suite, dict(run.plan), run.plan_hash, run.seed, run.version])
    for cell in cells_of(ledger, run.id):
        _add(digest, [cell.ordinal, cell.model, cell.flow, cell.variant, cell.dataset, cell.signature, cell.details])
        questions = select(samples.c.edition).join(asked, asked.c.sample_id == samples.c.id)
        _add_rows(digest, ledger, questions.where(asked.c.cell_id == cell.id).order_by(asked.c.ordinal))
        for table in (outcomes, evaluations, evaluated_lines):
            columns = [column for column in table.c if column.name not in _KEYS]
            rows = (
                select(samples.c.edition, *columns)
                .join(asked, (asked.c.cell_id == table.c.cell_id) & (asked.c.sample_id == table.c.sample_id))
                .join(samples, samples.c.id == table.c.sample_id)
                .where(table.c.cell_id == cell.id)
                .order_by(asked.c.ordinal, table.c.round)
            )
            _add_rows(digest, ledger, rows, sort=table is not outcomes)
        with ledger.read() as connection:
            if named := models_asked(connection, cell.id):  # a run of an earlier version keeps its hash
                _add(digest, ["asked", *named])
        for made in aggregations_of(ledger, cell.id):
            _add(digest, [made.prefix, dict(made.metrics), made.n, made.error])
    return digest.hexdigest()


def _add_rows(digest: Any, ledger: Ledger, query: Select[Any], *, sort: bool = False) -> None:
    with ledger.read() as connection:
        rows: Iterable[list[Any]] = ([_plain(value) for value in row] for row in connection.execute(query))
        if sort:
            # Databases collate text differently, so names are ordered here.
            rows = sorted(rows, key=lambda row: json.dumps(row, ensure_ascii=False))
        for row in rows:
            _add(digest, row)


def _add(digest: Any, row: list[Any]) -> None:
    digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dict).encode())
    digest.update(b"\n")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
