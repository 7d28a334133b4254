"""What a flow's aggregation nodes made of a cell's lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import func, insert, select

from benchmarks.ledger._schema import aggregates
from benchmarks.ledger._store import Ledger

FAILED = ""
"""In the place of a metric's name: the aggregation failed, and why."""


def add_aggregates(ledger: Ledger, cell_id: int, metrics: Mapping[str, float], n: int, error: str = "") -> None:
    """Keep what was logged over ``n`` lines; it takes the place of what was logged before more lines were there."""
    rows = [{"metric": name, "value": value, "error": ""} for name, value in metrics.items()]
    if error:
        rows.append({"metric": FAILED, "value": None, "error": error})
    now = datetime.now(UTC)
    with ledger.write() as connection:
        if rows:
            connection.execute(insert(aggregates), [{"cell_id": cell_id, "n": n, "at": now, **row} for row in rows])


def aggregates_of(ledger: Ledger, cell_id: int) -> tuple[dict[str, float], int, str]:
    """Metrics by name, the number of lines they were taken from, and why the aggregation failed, if it did."""
    here = aggregates.c.cell_id == cell_id
    newest = select(func.max(aggregates.c.at)).where(here).scalar_subquery()
    with ledger.read() as connection:
        rows = connection.execute(select(aggregates).where(here, aggregates.c.at == newest)).all()
    metrics = {row.metric: float(row.value) for row in rows if row.metric != FAILED and row.value is not None}
    error = next((row.error for row in rows if row.metric == FAILED), "")
    return metrics, rows[0].n if rows else 0, error
