"""Samples that a run did not ask, as its gate had decided before it came to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, func, select

from driftgate.ledger._insert import insert_many
from driftgate.ledger._schema import asked, outcomes
from driftgate.ledger._store import Ledger

NOT_NEEDED = "not_needed"
"""The outcome of a sample that was not asked. It is in no denominator: frames of outcomes are without it."""
SEQUENTIAL = "sequential"
"""In the details of a cell: by which gate, in which order and in what steps it may stop."""
_COLUMNS = (
    "cell_id",
    "sample_id",
    "round",
    "outcome",
    "rule",
    "error",
    "finish_reason",
    "seconds",
    "served_model",
    "fingerprint",
    "attempts",
    "cached",
    "finished_at",
)


def leave_out(ledger: Ledger, cell_ids: Collection[int]) -> int:
    """Say of all samples of some cells that have no outcome that they are not needed, all or nothing.

    Returns
    -------
    int
        How many there are.
    """
    now = datetime.now(UTC)
    own = and_(outcomes.c.cell_id == asked.c.cell_id, outcomes.c.sample_id == asked.c.sample_id)
    query = (
        select(asked.c.cell_id, asked.c.sample_id)
        .select_from(asked.outerjoin(outcomes, own))
        .where(asked.c.cell_id.in_(cell_ids), outcomes.c.sample_id.is_(None))
    )
    with ledger.write() as connection:
        left = connection.execute(query).all()
        rows = [(cell, sample, 0, NOT_NEEDED, "", "", "", 0.0, "", "", 0, False, now) for cell, sample in left]
        insert_many(connection, outcomes, _COLUMNS, rows)
    return len(rows)


def not_needed(connection: Connection, cell_ids: Collection[int]) -> dict[int, int]:
    """How many samples of cells were not asked, of those of which any was not."""
    query = select(outcomes.c.cell_id, func.count()).where(
        outcomes.c.cell_id.in_(cell_ids), outcomes.c.outcome == NOT_NEEDED
    )
    return {int(cell): int(count) for cell, count in connection.execute(query.group_by(outcomes.c.cell_id))}
