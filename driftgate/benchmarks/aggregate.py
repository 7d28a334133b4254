"""Aggregation nodes, run once a cell is complete, over what the ledger holds of its lines, whoever ran them."""

from __future__ import annotations

from typing import cast

from driftgate.benchmarks.suite import Cell
from driftgate.flows.engines import AggregatingEngine, Engine, FinishedLine, numbers
from driftgate.flows.evaluators import Evaluators
from driftgate.ledger import (
    AggregationRow,
    Ledger,
    add_aggregation,
    evaluated_lines_of,
    node_results,
    outcome_frame,
)

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
        add_aggregation(ledger, cell_id, AggregationRow(len(lines), numbers(done.metrics), done.error))


async def aggregate_evaluations(ledger: Ledger, cell_id: int, evaluators: Evaluators) -> None:
    """Run the aggregation nodes of the evaluation flows of a cell, in the dataset's order, and keep what they logged.

    A sample that was not evaluated, or whose evaluation failed, is left out, as prompt flow leaves out failed lines.
    """
    found = [(binding, evaluators.flows.get(binding.key)) for binding in evaluators.bindings]
    aggregating = [(binding, flow) for binding, flow in found if flow is not None and flow.aggregates]
    if not aggregating:  # most cells: their outcomes need not be read
        return
    order = [int(sample_id) for sample_id in outcome_frame(ledger, cell_id)["sample_id"]]
    for binding, evaluator in aggregating:
        node, name = binding.node, binding.name
        by_sample = evaluated_lines_of(ledger, cell_id, node, name)
        lines = [by_sample[sample_id] for sample_id in order if sample_id in by_sample]
        if not lines:
            add_aggregation(ledger, cell_id, AggregationRow(0, {}, "no line was evaluated", node, name))
            continue
        done = await evaluator.aggregate(lines)
        made = AggregationRow(len(lines), numbers(done.metrics), done.error, node, name)
        add_aggregation(ledger, cell_id, made)
