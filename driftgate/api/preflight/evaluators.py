"""Evaluators are called with what a sample gives them; those that ask a service are only made ready."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Asking, Inspection
from driftgate.api.preflight._rules import absent_columns
from driftgate.api.preflight._trial import Trial
from driftgate.api.preflight.templates import DEFECTS
from driftgate.flows.errors import nearest
from driftgate.flows.evaluators import Binding, Evaluation


def look(inspection: Inspection) -> Iterator[Finding]:
    """Say of each evaluator that was called whether it graded."""
    for asking in inspection.askings:
        seen: set[tuple[str, str]] = set()
        for trial in inspection.trials(asking):
            for finding in _of_trial(inspection, asking, trial):
                if (finding.severity, finding.found) not in seen:
                    seen.add((finding.severity, finding.found))
                    yield finding


def _of_trial(inspection: Inspection, asking: Asking, trial: Trial) -> Iterator[Finding]:
    where = inspection.where(*asking.location)
    if trial.ungraded is not None:
        yield of_problem(asking.subject, trial.ungraded, where)
        return
    if trial.result is None:
        return
    bindings = {binding.key: binding for binding in trial.cell.evaluators.bindings}
    for one in trial.evaluations:
        if one.error and not bindings[f"{one.node}.{one.evaluator}"].unfit(trial.sample.row):  # said of the dataset
            yield _failed(asking, trial, bindings[f"{one.node}.{one.evaluator}"], one, where)
        elif one.key == trial.cell.evaluators.primary and _off_the_scale(inspection, asking, one):
            found = f"the primary metric '{one.key}' is {one.value:g} on sample '{trial.sample.id}'"
            meant = "accuracy is then no share of right answers, which are 1 and wrong ones 0"
            remedy = "divide it by its highest value, or state its scale in the gate's rules: scale: [LOW, HIGH]"
            yield Finding("warning", asking.subject, f"{found}: {meant}", remedy, where)
    graded = trial.cell.evaluators.judged if inspection.scope.probes else {}
    untried = [key for key, binding in bindings.items() if binding.asks and key not in graded]
    if untried and inspection.scope.whole:
        found = f"{', '.join(untried)}: made ready and not called, as a grade is asked of a service"
        yield Finding("unchecked", asking.subject, found, "", where)


def _off_the_scale(inspection: Inspection, asking: Asking, one: Evaluation) -> bool:
    """Whether a grade of the primary lies outside 0 to 1, and no rule says that it may."""
    if one.value is None or 0 <= one.value <= 1:
        return False
    rules = (rule for name in asking.gates for rule in inspection.workspace.config.gates[name].rules)
    return all(rule.scale is None for rule in rules)


def _failed(asking: Asking, trial: Trial, binding: Binding, one: Evaluation, where: str) -> Finding:
    said = f"the evaluator '{binding.key}' gives no value on sample '{trial.sample.id}': {one.error}"
    remedy = "correct it; every sample without a value counts against a rule about it"
    if absent := absent_columns(trial.cell, binding):
        columns = sorted({column for sample in trial.cell.samples[:100] for column in sample.row})
        decides = trial.cell.evaluators.primary.rpartition(".")[0] == binding.key
        return Finding(
            "error" if decides else "warning",
            asking.subject,
            f"the evaluator '{binding.key}' is given ${{data.{absent[0]}}}, and no sample of dataset "
            f"'{trial.cell.dataset.name}' has '{absent[0]}'",
            nearest(absent[0], columns),
            where,
        )
    every = all(binding.key in other.failing for other in trial.others)
    decides = one.key == trial.cell.evaluators.primary
    defect = every and (one.error.partition(":")[0] in DEFECTS or one.error.startswith("returned ") or decides)
    return Finding("error" if defect else "warning", asking.subject, said, remedy, where)


CHECK = Check(look)
