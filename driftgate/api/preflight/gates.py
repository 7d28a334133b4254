"""Every name in the rules of a gate is one that its suite will have: models, datasets, variants, metrics, slices."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight._rules import AGGREGATE, Judged, absent_columns, binding_of, evaluated, rules, values_of
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.gate import ANCHOR, BASELINE, CHAMPION, PREVIOUS
from driftgate.benchmarks.metrics import METRICS
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import cells_of, find_run, names_of_baselines

_KINDS = ("category", "super_category")
_PRICED = ("cost", "cost_per_sample")
"""Metrics that need the model's prices."""


def look(inspection: Inspection) -> Iterator[Finding]:
    """Hold each rule against each cell that it is about."""
    judging = {gate for gate, _ in inspection.judged}
    said: dict[str, list[Finding]] = {gate: [] for gate in dict.fromkeys(gate for gate, _ in inspection.judged)}
    for judged in rules(inspection):
        told = dict.fromkeys(_of_rule(judged))  # cells may have the same to say
        said[judged.gate] += [finding for finding in told if finding not in said[judged.gate]]
    for gate, findings in said.items():
        findings += _anchor(inspection, gate)
        yield from findings
        if all(finding.severity == "good" for finding in findings):
            count = len(inspection.workspace.config.gates[gate].rules)
            yield Finding("good", f"gate {gate}", f"{count} rules, every name known")
    for gate in inspection.workspace.config.gates if inspection.scope.whole else ():
        if gate not in judging:
            found = "it judges nothing: it names no suite, and no recipe names it"
            yield Finding("warning", f"gate {gate}", found, "give it a suite", inspection.where("gates", gate))


def _of_rule(judged: Judged) -> Iterator[Finding]:
    suite, rule = judged.asking.suite, judged.rule
    names = [*_unknown(judged, "model", rule.model, judged.asking.named)]
    names += _unknown(judged, "dataset", rule.dataset, suite.datasets)
    names += _opponent(judged)
    cells = judged.inspection.cells(judged.asking)
    if cells:
        names += _unknown(judged, "variant", rule.variant, [cell.variant for cell in cells])
    yield from names
    if not cells:
        if not names:
            found = f"the rule '{rule.text}' was not looked at, as {judged.asking.subject} cannot be planned"
            yield Finding("unchecked", judged.subject, found, "", judged.where())
        return
    fitting = judged.cells
    if not fitting:
        if not names:
            known = ", ".join(dict.fromkeys(cell.name for cell in cells))
            found = f"the rule '{rule.text}' fits no cell of {judged.asking.subject}"
            yield Finding("error", judged.subject, found, f"its cells: {known}", judged.where())
        return
    for cell in fitting:
        yield from _metric(judged, cell)
        yield from _slices(judged, cell)


def _unknown(judged: Judged, kind: str, wanted: str | None, known: Collection[str]) -> Iterator[Finding]:
    if wanted is not None and wanted not in known:
        found = f"a rule is about the {kind} '{wanted}', which {judged.asking.subject} does not have"
        yield Finding("error", judged.subject, found, nearest(wanted, known), judged.where(kind))


def _opponent(judged: Judged) -> Iterator[Finding]:
    """Whom a rule compares with."""
    rule, suite, config = judged.rule, judged.asking.suite, judged.inspection.workspace.config
    wanted, key = rule.opponent, "better_than" if rule.better_than is not None else "no_worse_than"
    if wanted is None or wanted in (ANCHOR, PREVIOUS):
        return
    if wanted.startswith(BASELINE):
        name = wanted.removeprefix(BASELINE)
        yield from _imported(judged.inspection, judged.subject, name, judged.where(key), first=True)
        return
    if wanted != CHAMPION:
        if wanted not in judged.asking.named:
            found = f"a rule compares with '{wanted}', which is no model of {judged.asking.subject}"
            known = [ANCHOR, CHAMPION, PREVIOUS, *judged.asking.named]
            yield Finding("error", judged.subject, found, nearest(wanted, known), judged.where(key))
        return
    if judged.asking.champion is not None:
        return
    slot = config.gates[judged.gate].slot
    slots = [slot] if slot is not None else list(config.champions)
    if len(slots) != 1:
        found = f"a rule compares with the champion, and the workspace has {len(slots)} places with one"
        remedy = f"set the gate's slot: {', '.join(slots)}" if slots else "name one under champions"
        yield Finding("error", judged.subject, found, remedy, judged.where(key))
    elif (live := judged.inspection.live(slots[0])) not in suite.models:
        found = (
            f"a rule compares with the champion {live}, which {judged.asking.subject} does not ask: whether an earlier "
            "run has it is seen when the gate judges"
        )
        yield Finding("unchecked", judged.subject, found, f"add champion:{slots[0]} to its models", judged.where(key))


def _anchor(inspection: Inspection, gate: str) -> Iterator[Finding]:
    """The gate's anchor is there."""
    anchor, subject, where = inspection.workspace.config.gates[gate].anchor, f"gate {gate}", ("gates", gate, "anchor")
    if anchor is None:
        return
    if anchor.startswith(BASELINE):
        name = anchor.removeprefix(BASELINE)
        yield from _imported(inspection, subject, name, inspection.where(*where), first=False)
    elif inspection.ledger is None:
        found = f"whether its anchor, run '{anchor}', is there is seen in the ledger"
        yield Finding("unchecked", subject, found, "", inspection.where(*where))
    else:
        try:
            run = find_run(inspection.ledger, anchor.partition("/")[0])
        except DriftgateError as problem:
            yield Finding("error", subject, f"its anchor: {problem.message}", problem.remedy, inspection.where(*where))
            return
        if run.status != "complete":
            found = f"its anchor, run {run.id}, is {run.status}, and nothing can be compared with it"
            yield Finding("error", subject, found, "name a run that is complete", inspection.where(*where))
            return
        model = anchor.partition("/")[2]
        cells = [cell for cell in cells_of(inspection.ledger, run.id) if not model or cell.model == model]
        if cells and all(cell.stopped for cell in cells):
            found = f"its anchor, run {run.id}, was {cells[0].stopped}, and nothing can be compared with it"
            yield Finding("error", subject, found, "name a run that asked everything", inspection.where(*where))


def _imported(inspection: Inspection, subject: str, name: str, where: str, *, first: bool) -> Iterator[Finding]:
    """A baseline is there; ``first``: the gate follows its ``first_run`` where none was imported at all."""
    if inspection.ledger is None:
        found = f"whether the baseline '{name}', which a rule compares with, was imported is seen in the ledger"
        yield Finding("unchecked", subject, found, "", where)
    elif name not in (known := names_of_baselines(inspection.ledger)):
        found = f"a rule compares with the baseline '{name}', which was not imported"
        remedy = nearest(name, known) if known else f"driftgate baseline import FILE --name {name}"
        yield Finding("unchecked" if first and not known else "error", subject, found, remedy, where)


def _metric(judged: Judged, cell: Cell) -> Iterator[Finding]:
    metric = judged.rule.metric
    if metric in METRICS:
        if metric in _PRICED and not cell.model_config.prices.known:
            found = f"a rule is about {metric}, and model '{cell.model}' has no prices: it can only be unmeasurable"
            yield Finding("warning", judged.subject, found, "give it prices", judged.where("metric"))
        return
    if metric.startswith(AGGREGATE):
        if not cell.flow.aggregates:
            found = f"a rule is about '{metric}', and the flow '{cell.flow.name}' has no aggregation node"
            yield Finding("error", judged.subject, found, "take a metric that it has", judged.where("metric"))
        else:
            found = f"whether the aggregation of the flow '{cell.flow.name}' logs '{metric}' is seen in a run"
            yield Finding("unchecked", judged.subject, found, "", judged.where("metric"))
        return
    parted = evaluated(metric)
    assert parted is not None  # a rule's own validation sees to it
    yield from _evaluated(judged, cell, *parted)


def _evaluated(judged: Judged, cell: Cell, key: str, name: str) -> Iterator[Finding]:
    """A metric of an evaluator: it is bound, and gives a number of that name."""
    metric, where = judged.rule.metric, judged.where("metric")
    binding = binding_of(cell, key)
    if binding is None:
        known = [b.key for b in cell.evaluators.bindings]
        found = f"a rule is about '{metric}', and the flow '{cell.flow.name}' has no evaluator '{key}'"
        close = nearest(metric, METRICS) if metric.count(".") < 2 else nearest(key, known)
        yield Finding("error", judged.subject, found, close, where)
        return
    if name.startswith(AGGREGATE):
        aggregates = key in cell.evaluators.flows and cell.evaluators.flows[key].aggregates
        found = f"whether the aggregation of '{key}' logs '{metric}' is seen in a run"
        if not aggregates:
            found = f"a rule is about '{metric}', and '{key}' is no evaluation flow with an aggregation node"
        yield Finding("unchecked" if aggregates else "error", judged.subject, found, "", where)
        return
    if absent := absent_columns(cell, binding):
        found = f"a rule is about '{metric}', and no sample of dataset '{cell.dataset.name}' has '{absent[0]}' for it"
        yield Finding("error", judged.subject, found, f"give the dataset the column '{absent[0]}'", where)
        return
    given = values_of(judged.trial(cell), key)
    numbers = [one.metric for one in given if one.value is not None] or list(binding.declared or ())
    labels = [one.metric for one in given if one.value is None and not one.error]
    if name in numbers:
        return
    if name in labels:
        found = f"a rule is about '{metric}', which is a text and no number"
        yield Finding("error", judged.subject, found, nearest(name, numbers), where)
    elif not numbers:
        found = f"whether '{key}' gives '{name}' is not known, as it could not be tried"
        yield Finding("unchecked", judged.subject, found, "", where)
    else:
        # An evaluator of one's own may give a number on some samples only.
        sure = binding.declared is not None or not binding.own or difflib.get_close_matches(name, numbers, n=1)
        found = f"a rule is about '{metric}', and '{key}' gives {', '.join(numbers)}"
        remedy = nearest(name, numbers) if sure else "see that it gives it on every sample"
        yield Finding("error" if sure else "warning", judged.subject, found, remedy, where)


def _slices(judged: Judged, cell: Cell) -> Iterator[Finding]:
    rule = judged.rule
    if rule.slices is not None:
        if not any(getattr(sample, rule.slices) for sample in cell.samples):
            kind = rule.slices.replace("_", "-")
            found = f"a rule is about every {kind}, and no sample of dataset '{cell.dataset.name}' has one"
            yield Finding("error", judged.subject, found, "name the column in the dataset", judged.where("slices"))
        return
    if not rule.slice:
        return
    drawn = {getattr(sample, kind) for sample in cell.samples for kind in _KINDS} - {""}
    if rule.slice in drawn:
        return
    whole = {getattr(sample, kind) for sample in cell.dataset.samples for kind in _KINDS} - {""}
    found = f"a rule is about the slice '{rule.slice}', which dataset '{cell.dataset.name}' does not have"
    remedy = nearest(rule.slice, whole)
    if rule.slice in whole:
        found = f"a rule is about the slice '{rule.slice}', of which none of the {len(cell.samples):,} samples is drawn"
        remedy = "raise the limit, or take the rule out"
    elif rule.dataset is None and len(judged.asking.suite.datasets) > 1:
        remedy += "; a rule about one dataset alone names it: dataset: NAME"
    yield Finding("error", judged.subject, found, remedy, judged.where("slice"))


CHECK = Check(look)
