"""A rule of a gate beside the cells that it judges, as the checks of names and of numbers both need it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from driftgate.api.preflight._inspection import Asking, Inspection
from driftgate.api.preflight._trial import Trial
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.gate import RuleConfig
from driftgate.benchmarks.metrics import METRICS
from driftgate.flows import mapping
from driftgate.flows.evaluators import Binding, Evaluation

AGGREGATE = "aggregate."


@dataclass(frozen=True)
class Judged:
    """One rule, and what it is going to judge."""

    inspection: Inspection
    gate: str
    place: int
    rule: RuleConfig
    asking: Asking

    @property
    def subject(self) -> str:
        """As findings call it."""
        return f"gate {self.gate}"

    def where(self, key: str = "") -> str:
        """File and line of the rule, or of one of its keys."""
        return self.inspection.where("gates", self.gate, "rules", self.place, *([key] if key else []))

    @property
    def cells(self) -> Sequence[Cell]:
        """The cells that the rule fits; none where nothing can be planned."""
        rule = self.rule
        return [
            cell
            for cell in self.inspection.cells(self.asking)
            if rule.model in (None, cell.model)
            and (cell.model != rule.opponent or self.asking.champion is not None)
            and rule.variant in (None, cell.variant)
            and rule.dataset in (None, cell.dataset.name)
        ]

    def trial(self, cell: Cell) -> Trial | None:
        """The sample that was taken through the cell's flow."""
        key = (cell.dataset.name, cell.variant, cell.model_config.scoring)
        trials = self.inspection.trials(self.asking)
        named = ((t.cell.dataset.name, t.cell.variant, t.cell.model_config.scoring) for t in trials)
        return next((trial for trial, name in zip(trials, named, strict=True) if name == key), None)


def rules(inspection: Inspection) -> Iterator[Judged]:
    """Every rule within the scope with each of the things that it judges."""
    for gate, asking in inspection.judged:
        for place, rule in enumerate(inspection.workspace.config.gates[gate].rules):
            yield Judged(inspection, gate, place, rule, asking)


def evaluated(metric: str) -> tuple[str, str] | None:
    """``node.evaluator`` and the metric's own name, which may hold dots; None where it is none of an evaluator.

    Examples
    --------
    >>> evaluated("extract.choice.correct"), evaluated("accuracy"), evaluated("aggregate.f1")
    (('extract.choice', 'correct'), None, None)
    """
    parts = metric.split(".", 2)
    if metric in METRICS or metric.startswith(AGGREGATE) or len(parts) < 3:
        return None
    return f"{parts[0]}.{parts[1]}", parts[2]


def binding_of(cell: Cell, key: str) -> Binding | None:
    """The binding ``node.evaluator`` of a cell."""
    return next((binding for binding in cell.evaluators.bindings if binding.key == key), None)


def absent_columns(cell: Cell, binding: Binding) -> list[str]:
    """Columns of the data that an evaluator takes and that no sample of a cell has."""
    taken = [e for e in binding.inputs.values() if isinstance(e, mapping.Reference) and e.root == "data" and e.path]
    return [e.path[0] for e in taken if not any(e.path[0] in sample.row for sample in cell.samples)]


def values_of(trial: Trial | None, key: str) -> list[Evaluation]:
    """What the evaluator ``node.evaluator`` gave when it was tried."""
    return [] if trial is None else [one for one in trial.evaluations if f"{one.node}.{one.evaluator}" == key]
