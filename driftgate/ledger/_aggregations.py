"""What aggregation nodes made of a cell's lines: those of its flow, and of evaluation flows bound to nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from driftgate.flows.scrubbing import told
from driftgate.ledger._details import check_texts_of_cell, detail_rows
from driftgate.ledger._plain import plain_text
from driftgate.ledger._schema import aggregations, evaluated_lines
from driftgate.ledger._store import Ledger

if TYPE_CHECKING:
    from driftgate.flows.engines import FinishedLine

_RAN = ""
"""In the place of a metric's name: that the aggregation ran, and why it failed if it did."""


@dataclass(frozen=True)
class AggregationRow:
    """One aggregation over the lines of a cell."""

    n: int
    """Lines it was taken from."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    """Why it failed; empty when it did not."""
    node: str = ""
    """The node whose evaluator it is; empty where the cell's own flow aggregates."""
    evaluator: str = ""

    @property
    def prefix(self) -> str:
        """What the names of its scores begin with: ``aggregate.`` or ``node.evaluator.aggregate.``."""
        return f"{self.node}.{self.evaluator}.aggregate." if self.evaluator else "aggregate."


def add_aggregation(ledger: Ledger, cell_id: int, row: AggregationRow) -> None:
    """Keep an aggregation; it takes the place of one that was made before more lines were there."""
    values: list[tuple[str, float | None, str]] = [(_RAN, None, plain_text(told(row.error)))]
    for name, value in row.metrics.items():
        known = math.isfinite(value)
        values.append((plain_text(name), value if known else None, "" if known else f"it logged '{name}' as {value}"))
    common = {"cell_id": cell_id, "node": row.node, "evaluator": row.evaluator, "n": row.n, "at": datetime.now(UTC)}
    with ledger.write() as connection:
        rows = [common | {"metric": name, "value": value, "error": error} for name, value, error in values]
        connection.execute(insert(aggregations), rows)


def aggregations_of(ledger: Ledger, cell_id: int) -> list[AggregationRow]:
    """The newest aggregations of a cell, its own flow's first."""
    here = aggregations.c.cell_id == cell_id
    of = (aggregations.c.node, aggregations.c.evaluator)
    newest = select(*of, func.max(aggregations.c.at).label("at")).where(here).group_by(*of).subquery()
    same = [newest.c[name] == aggregations.c[name] for name in ("node", "evaluator", "at")]
    query = select(aggregations).join(newest, same[0] & same[1] & same[2]).where(here).order_by(aggregations.c.id)
    found: dict[tuple[str, str], AggregationRow] = {}
    with ledger.read() as connection:
        for row in connection.execute(query):
            known = found.get((row.node, row.evaluator)) or AggregationRow(row.n, {}, "", row.node, row.evaluator)
            named = {} if row.value is None else {row.metric: float(row.value)}
            found[row.node, row.evaluator] = AggregationRow(
                row.n, {**known.metrics, **named}, known.error or row.error, row.node, row.evaluator
            )
    return [found[key] for key in sorted(found)]


def evaluated_lines_of(ledger: Ledger, cell_id: int, node: str, evaluator: str) -> dict[int, FinishedLine]:
    """What an evaluation flow's aggregation nodes need of the newest round of every sample, by sample id."""
    from driftgate.flows.engines import FinishedLine

    check_texts_of_cell(ledger, cell_id)
    equal = {"node": node, "evaluator": evaluator}
    rows = detail_rows(ledger, evaluated_lines, cell_id, ("inputs", "outputs"), newest=True, equal=equal)
    return {int(row.sample_id): FinishedLine(row.inputs, row.outputs) for row in rows}
