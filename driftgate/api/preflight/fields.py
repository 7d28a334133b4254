"""What a dataset holds suits the flow that asks it: right answers can be graded, questions are asked whole."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Asking, Inspection
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.inputs import parse_inputs
from driftgate.flows import mapping
from driftgate.flows.evaluators import Binding
from driftgate.flows.text import as_name

_KEY = "answer"
"""Column of the right answer."""
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
            yield from _told(asking, cell, where)


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
    taken = set(_columns(cell).values())
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


def _told(asking: Asking, cell: Cell, where: str) -> Iterator[Finding]:
    """The right answer, where it is put into what the model is asked: it would be read there and given back."""
    flow = cell.flow
    told = {name for name, column in _columns(cell).items() if column == _KEY and name in flow.inputs}
    if not told or flow.port is not None or not any(_KEY in sample.data for sample in cell.samples):
        return
    own = asking.suite.prompt is not None
    if flow.kind == "dag" and not own:
        asks = [node for node in flow.resolved_nodes() if node.get("type") in ("prompt", "llm")]
        read = {str(value) for node in asks for value in (node.get("inputs") or {}).values()}
        told = {name for name in told if f"${{inputs.{name}}}" in read}
    elif flow.kind == "flex":
        return
    if told:
        yield Finding(
            "error" if own else "warning",
            asking.subject,
            f"the {'prompt' if own else f'flow {flow.name!r}'} puts the right answer of dataset '{cell.dataset.name}' "
            f"before its model, as '{min(told)}': what it measures is reading",
            f"take it out; a text that is to be judged belongs into a column of its own, and not into '{_KEY}'",
            where,
        )


def _columns(cell: Cell) -> dict[str, str]:
    """Which column each input of a flow is given, where it is given one."""
    given = parse_inputs(cell.inputs.inputs)
    own = {name: as_name(name) for name in cell.flow.inputs if as_name(name) not in given}
    return own | {n: e.path[0] for n, e in given.items() if isinstance(e, mapping.Reference) and e.path}


CHECK = Check(look)
