"""What a rule on a corrected pass rate needs is there beforehand: a calibration of its judge, with labels enough."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight._rules import Judged, evaluated, rules
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.gate import LABELS_WANTED
from driftgate.ledger import Ledger, calibrations_of


def look(inspection: Inspection) -> Iterator[Finding]:
    """Hold each such rule against the judges of the cells that it is about, and what people said of them."""
    told: set[Finding] = set()
    for judged in rules(inspection):
        if not judged.rule.corrected:
            continue
        for cell in judged.cells:
            for finding in _of_cell(judged, cell):
                if finding not in told:
                    told.add(finding)
                    yield finding


def _of_cell(judged: Judged, cell: Cell) -> Iterator[Finding]:
    parted, where = evaluated(judged.rule.metric), judged.where("corrected")
    if parted is None or not any(binding.key == parted[0] for binding in cell.evaluators.bindings):
        return  # the check of names says so
    key = parted[0]
    about = f"the rule '{judged.rule.text}' corrects the pass rate of {key}"
    if key not in cell.evaluators.judged:
        yield Finding("error", judged.subject, f"{about}, which asks no judge", "take 'corrected' out of it", where)
        return
    never = (
        "and samples that are asked several times cannot be corrected"
        if cell.repeats > 1
        else "and samples that come in clusters cannot be corrected"
        if any(sample.cluster for sample in cell.samples)
        else ""
    )
    if never:
        remedy = "take 'corrected' out of it, or have a suite without them"
        yield Finding("warning", judged.subject, f"{about}, {never}: it can only be unmeasurable", remedy, where)
        return
    ledger, pin = judged.inspection.ledger, cell.evaluators.judged[key].pin_id
    if ledger is None:
        found = f"{about}: whether people's labels of it are there is seen in the ledger"
        yield Finding("unchecked", judged.subject, found, "", where)
        return
    count = _labels(ledger, pin, key)
    if count >= LABELS_WANTED:
        found = f"{about}, of which people labelled {count:,} samples; those count whose text a run gives again"
        yield Finding("good", judged.subject, found, "", where)
        return
    lacking = f"only {count} samples are labelled" if count else f"there is no calibration of this judge (pin {pin})"
    found = f"{about}, and {lacking}, at least {LABELS_WANTED} are wanted: until then it is unmeasurable"
    remedy = f"after a run: driftgate calibrate {key} labels.csv --run latest --draw 100, for people to grade"
    yield Finding("warning", judged.subject, found, remedy, where)


def _labels(ledger: Ledger, pin: str, key: str) -> int:
    """Samples of runs of which people said whether they pass."""
    kept = calibrations_of(ledger, pin, key)
    return len({label.sample_id for row in kept for label in row.labels if label.passed is not None})


CHECK = Check(look)
