"""A flow's aggregation nodes, run once a cell is complete, over what the ledger holds of its lines."""

from __future__ import annotations

from typing import cast

from benchmarks.ledger import Ledger, add_aggregates, node_results, outcome_frame
from benchmarks.suite import Cell
from flows.engines import AggregatingEngine, Engine, FinishedLine, numbers

COMPLETED = ("answered", "unparsed", "truncated")
"""Outcomes of samples whose line went through the whole flow."""


async def aggregate_cell(ledger: Ledger, cell_id: int, cell: Cell, engine: Engine) -> None:
    """Run the aggregation nodes of a cell's flow, where it has any, and keep what they logged.

    Lines that failed are left out, as prompt flow leaves them out. A node that fails is kept with its reason: the
    cell's samples are measured all the same.
    """
    if not cell.flow.aggregates or cell.flow.port is not None:
        return
    frame = outcome_frame(ledger, cell_id)
    completed = frame[frame["outcome"].isin(COMPLETED)]
    ids = dict(zip(completed["key"], completed["sample_id"], strict=True))
    results = node_results(ledger, cell_id)
    lines = [
        FinishedLine(
            cell.line_inputs(sample),
            {name: node.output for name, node in results.get(int(ids[sample.key]), {}).items()},
        )
        for sample in cell.samples
        if sample.key in ids
    ]
    if lines:
        done = await cast(AggregatingEngine, engine).aggregate(lines)
        add_aggregates(ledger, cell_id, numbers(done.metrics), len(lines), done.error)
