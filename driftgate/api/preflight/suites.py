"""Everything that is going to be asked can be planned: its flow, variants, inputs, evaluators and limit on cost."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Asking, Inspection
from driftgate.benchmarks.inputs import EXAMPLES_INPUT
from driftgate.benchmarks.spending import check_budget
from driftgate.flows.errors import DriftgateError


def look(inspection: Inspection) -> Iterator[Finding]:
    """Plan each; what is wrong with a dataset or a model is said of it, and not again."""
    for asking in inspection.askings:
        if _said_elsewhere(inspection, asking):
            continue
        where = inspection.where(*asking.location)
        try:
            cells = inspection.planned(asking).cells
            check_budget(asking.suite, cells)
            evaluators = {id(cell.flow): cell.evaluators for cell in cells}.values()
            for one in evaluators:
                one.open()
        except DriftgateError as problem:
            yield of_problem(asking.subject, problem, where)
            continue
        flow = cells[0].flow
        bound = len(next(iter(evaluators)).bindings)
        found = f"flow {flow.name}: {len(flow.node_names)} nodes, {bound} evaluators, valid"
        yield Finding("good", asking.subject, found)
        yield from _unjudged(inspection, asking)
        yield from _fewer_shots(inspection, asking)


def _unjudged(inspection: Inspection, asking: Asking) -> Iterator[Finding]:
    """A flow without evaluators: what it answers is kept, and nothing says whether it is right."""
    cell = inspection.cells(asking)[0]
    if cell.evaluators.primary:
        return
    decides = asking.location[:1] != ("suites",)
    yield Finding(
        "error" if decides else "warning",
        asking.subject,
        f"no evaluator judges the flow '{cell.flow.name}': "
        + ("nothing can be decided by it" if decides else "its accuracy will be unmeasurable"),
        f"write {cell.flow.evaluators_file}" + ("" if decides else ", or give evaluators and primary in the suite"),
        inspection.where(*asking.location),
    )


def _said_elsewhere(inspection: Inspection, asking: Asking) -> bool:
    for name in asking.suite.datasets:
        try:
            inspection.dataset(name)
        except DriftgateError:
            return True
    return False


def _fewer_shots(inspection: Inspection, asking: Asking) -> Iterator[Finding]:
    """Examples that a suite asks for by number and that its dataset has not."""
    suite = asking.suite
    if asking.location[:1] != ("suites",) or "few_shot" not in suite.model_fields_set or EXAMPLES_INPUT in suite.inputs:
        return
    used = f"${{inputs.{EXAMPLES_INPUT}}}"
    told: set[str] = set()
    for cell in inspection.cells(asking):
        takes = any(used in map(str, (node.get("inputs") or {}).values()) for node in cell.flow.resolved_nodes())
        if takes and cell.shots < suite.few_shot and cell.dataset.name not in told:
            told.add(cell.dataset.name)
            yield Finding(
                "warning",
                asking.subject,
                f"few_shot is {suite.few_shot}, and dataset '{cell.dataset.name}' has {len(cell.dataset.shots)} "
                f"examples: the variant '{cell.variant}' is asked with {cell.shots}",
                "give the dataset a development split, or lower few_shot",
                inspection.where(*asking.location, "few_shot"),
            )


CHECK = Check(look)
