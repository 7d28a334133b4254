"""What every node and every evaluator did on all lines of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftgate.ledger._details import check_texts_of_cell, detail_rows
from driftgate.ledger._schema import evaluations, node_outputs
from driftgate.ledger._store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.flows.engines import NodeResult


def node_results(ledger: Ledger, cell_id: int) -> dict[int, dict[str, NodeResult]]:
    """What every node did on the newest round of every sample of a cell, by sample id and node.

    Raises
    ------
    DriftgateError
        The run was expired, or its archive cannot be read.
    """
    from driftgate.flows.engines import NodeResult

    check_texts_of_cell(ledger, cell_id)
    found: dict[int, dict[str, NodeResult]] = {}
    columns = ("node", "status", "output", "seconds", "error")
    for row in detail_rows(ledger, node_outputs, cell_id, columns, newest=True):
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

    columns = ("sample_id", "round", "node", "evaluator", "metric", "value")
    rows = detail_rows(ledger, evaluations, cell_id, columns[2:], newest=True)
    frame = pd.DataFrame(map(tuple, rows), columns=list(columns))
    frame = frame[frame["value"].notna()]
    name = frame["node"] + "." + frame["evaluator"] + "." + frame["metric"]
    return frame.assign(name=name).pivot(index="sample_id", columns="name", values="value")
