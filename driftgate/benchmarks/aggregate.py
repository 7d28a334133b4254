"""Aggregation nodes, run once a cell is complete, over what the ledger holds of its lines, whoever ran them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from driftgate.benchmarks.cell import Cell
from driftgate.flows.engines import AggregatingEngine, Aggregation, Engine, FinishedLine, numbers
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EvaluatedLine, Evaluators
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


@dataclass
class LiveLines:
    """What aggregation nodes take of lines as it was given, for the process that ran them.

    A run that was stopped goes on with what the ledger holds of the others, which gives back all but objects of classes
    that JSON cannot hold.
    """

    _lines: dict[tuple[str, str, int], tuple[int, FinishedLine]] = field(default_factory=dict)
    """By node, evaluator and sample: the newest round of it."""

    def keep(self, sample_id: int, round_: int, lines: Sequence[EvaluatedLine]) -> None:
        """Keep what was made of a sample's line."""
        for one in lines:
            key = (one.node, one.evaluator, sample_id)
            if key not in self._lines or self._lines[key][0] <= round_:
                self._lines[key] = (round_, one.line)

    def of(self, node: str, evaluator: str, stored: Mapping[int, FinishedLine]) -> dict[int, FinishedLine]:
        """The lines by sample: those that were run here, the others as they were stored.

        Raises
        ------
        DriftgateError
            One of the others held what JSON cannot give back.
        """
        here = {sample: line for (n, e, sample), (_, line) in self._lines.items() if (n, e) == (node, evaluator)}
        return {sample: here[sample] if sample in here else line.untagged() for sample, line in stored.items()}


async def aggregate_cell(ledger: Ledger, cell_id: int, cell: Cell, engine: Engine, live: LiveLines) -> None:
    """Run the aggregation nodes of a cell's flow, where it has any, and keep what they logged.

    Lines that failed are left out, as prompt flow leaves them out. A node that fails is kept with its reason: the
    cell's samples are measured all the same.
    """
    if not cell.flow.aggregates or cell.flow.port is not None:
        return
    frame = outcome_frame(ledger, cell_id)
    completed = frame[frame["outcome"].isin(COMPLETED)]
    ids = dict(zip(completed["key"], completed["sample_id"], strict=True))
    stored = evaluated_lines_of(ledger, cell_id, "", "")
    earlier = [place for place in map(int, ids.values()) if place not in stored]
    if earlier:  # lines that an earlier version ran, or of which only the inputs are aggregated: what was recorded
        results = node_results(ledger, cell_id)
        stored |= {
            place: FinishedLine({}, {name: node.output for name, node in results.get(place, {}).items()})
            for place in earlier
        }
    inputs = {int(ids[sample.key]): cell.line_inputs(sample) for sample in cell.samples if sample.key in ids}
    aggregate = cast(AggregatingEngine, engine).aggregate
    made = await _aggregated(aggregate, "", "", list(inputs), stored, live, inputs)
    if made is not None:
        add_aggregation(ledger, cell_id, made)


async def aggregate_evaluations(ledger: Ledger, cell_id: int, evaluators: Evaluators, live: LiveLines) -> None:
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
        stored = evaluated_lines_of(ledger, cell_id, node, name)
        made = await _aggregated(evaluator.aggregate, node, name, order, stored, live)
        nothing = AggregationRow(0, {}, "no line was evaluated", node, name)
        add_aggregation(ledger, cell_id, nothing if made is None else made)


async def _aggregated(
    aggregate: Callable[[Sequence[FinishedLine]], Awaitable[Aggregation]],
    node: str,
    evaluator: str,
    order: Sequence[int],
    stored: Mapping[int, FinishedLine],
    live: LiveLines,
    inputs: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
) -> AggregationRow | None:
    """What the aggregation nodes make of the lines of these samples; None where there are none.

    Parameters
    ----------
    inputs : Mapping
        By sample, where they are not kept with the lines.
    """
    try:
        by_sample = live.of(node, evaluator, stored)
    except DriftgateError as problem:
        return AggregationRow(len(stored), {}, str(problem), node, evaluator)
    found = [(inputs.get(sample), by_sample[sample]) for sample in order if sample in by_sample]
    lines = [line if own is None else replace(line, inputs=own) for own, line in found]
    if not lines:
        return None
    done = await aggregate(lines)
    return AggregationRow(len(lines), numbers(done.metrics), done.error, node, evaluator)
