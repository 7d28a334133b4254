"""What every node and every evaluator did on all lines of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, and_, func, select

from driftgate.ledger._schema import evaluations, node_outputs, outcomes
from driftgate.ledger._store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.flows.engines import NodeResult


def node_results(ledger: Ledger, cell_id: int) -> dict[int, dict[str, NodeResult]]:
    """What every node did on the newest round of every sample of a cell, by sample id and node."""
    from driftgate.flows.engines import NodeResult

    found: dict[int, dict[str, NodeResult]] = {}
    columns = ("node", "status", "output", "seconds", "error")
    with ledger.read() as connection:
        for row in connection.execute(newest_rows(node_outputs, cell_id, columns)):
            result = NodeResult(row.node, row.status, row.output, row.seconds, row.error)
            found.setdefault(int(row.sample_id), {})[row.node] = result
    return found


def metric_frame(ledger: Ledger, cell_id: int) -> pd.DataFrame:
    """Every number that evaluators gave on the newest round of every sample of a cell.

    Returns
    -------
    pandas.DataFrame
        One row a sample, indexed by sample id; one column a metric, ``node.evaluator.metric``; NaN where there is none.
    """
    import pandas as pd

    columns = ("node", "evaluator", "metric", "value")
    with ledger.read() as connection:
        frame = pd.read_sql_query(newest_rows(evaluations, cell_id, columns), connection)
    frame = frame[frame["value"].notna()]
    name = frame["node"] + "." + frame["evaluator"] + "." + frame["metric"]
    return frame.assign(name=name).pivot(index="sample_id", columns="name", values="value")


def newest_rows(table: Table, cell_id: int, columns: tuple[str, ...]) -> Any:
    """Select these columns, and the sample's id, of the newest round of every sample of a cell."""
    newest = (
        select(outcomes.c.sample_id, func.max(outcomes.c.round).label("round"))
        .where(outcomes.c.cell_id == cell_id)
        .group_by(outcomes.c.sample_id)
        .subquery()
    )
    here = and_(table.c.sample_id == newest.c.sample_id, table.c.round == newest.c.round)
    query = select(table.c.sample_id, *(table.c[name] for name in columns)).join(newest, here)
    return query.where(table.c.cell_id == cell_id)
