"""Every dataset that is used can be read."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.flows.errors import DriftgateError


def look(inspection: Inspection) -> Iterator[Finding]:
    """Read them, each once."""
    for name in inspection.datasets:
        subject = f"dataset {name}"
        try:
            dataset = inspection.dataset(name)
        except DriftgateError as problem:
            yield of_problem(subject, problem, inspection.where("datasets", name))
        else:
            found = f"{len(dataset.samples):,} samples, {len(dataset.shots)} for examples, {dataset.source}"
            yield Finding("good", subject, found)


CHECK = Check(look)
