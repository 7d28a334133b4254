"""What a dataset holds suits the flow that asks it: right answers can be graded, questions are asked whole."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Asking, Inspection
from driftgate.benchmarks.inputs import parse_inputs
from driftgate.benchmarks.suite import Cell
from driftgate.flows import mapping
from driftgate.flows.evaluators import Binding

_ASKED = {"choices": "choices", "passage": "passages"}
"""Columns that are a part of the question, and what they hold."""


def look(inspection: Inspection) -> Iterator[Finding]:
    """Hold every sample that is going to be asked against its flow, each dataset once."""
    for asking in inspection.askings:
        where = inspection.where(*asking.location)
        for cell in {cell.dataset.name: cell for cell in inspection.cells(asking)}.values():
            for binding in cell.evaluators.bindings:
                yield from _unfit(asking, cell, binding, where)
            yield from _unasked(asking, cell, where)


def _unfit(asking: Asking, cell: Cell, binding: Binding, where: str) -> Iterator[Finding]:
    """Right answers that an evaluator cannot grade by."""
    if binding.objection is None:
        return
    refused = {sample.id: reason for sample in cell.samples if (reason := binding.unfit(sample.row))}
    if not refused:
        return
    first, reason = next(iter(refused.items()))
    every = len(refused) == len(cell.samples)
    decides = cell.evaluators.primary.rpartition(".")[0] == binding.key
    graded = "none" if every else f"{len(cell.samples) - len(refused):,}"
    found = (
        f"the evaluator '{binding.key}' can grade {graded} of the {len(cell.samples):,} samples of "
        f"dataset '{cell.dataset.name}': {reason} (sample '{first}')"
    )
    remedy = "ask it with a flow and an evaluator that suit its right answers"
    if not every:
        remedy = "leave the others out by category or correct them; what is not graded counts against a rule"
    yield Finding("error" if every and decides else "warning", asking.subject, found, remedy, where)


def _unasked(asking: Asking, cell: Cell, where: str) -> Iterator[Finding]:
    """Parts of the question that the flow is not given."""
    flow = cell.flow
    if not flow.inputs or flow.kind == "flex" or flow.port is not None:
        return
    given = parse_inputs(cell.inputs.inputs)
    taken = {name for name in flow.inputs if name not in given}
    taken |= {e.path[0] for e in given.values() if isinstance(e, mapping.Reference) and e.path}
    for column, called in _ASKED.items():
        holding = sum(bool(sample.data.get(column)) for sample in cell.samples)
        if holding and column not in taken:
            yield Finding(
                "warning",
                asking.subject,
                f"the flow '{flow.name}' takes no {column}, and {holding:,} of {len(cell.samples):,} samples of "
                f"dataset '{cell.dataset.name}' have {called}: they are asked without them",
                f"use a flow that takes {column}, or map them to an input: inputs: {{INPUT: '${{data.{column}}}'}}",
                where,
            )


CHECK = Check(look)
