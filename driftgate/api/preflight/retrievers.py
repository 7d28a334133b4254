"""Every retriever that is used has its documents, or something that answers at its address."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight.environment import unset
from driftgate.flows.errors import DriftgateError
from driftgate.flows.retrieval import RETRIEVERS


def look(inspection: Inspection) -> Iterator[Finding]:
    """Try the least that shows it can be searched."""
    if not inspection.scope.reaches:
        return
    for name in inspection.retrievers:
        if unset(inspection, "retrievers", name):
            continue
        config = inspection.workspace.config.retrievers[name]
        subject = f"retriever {name}"
        try:
            found = RETRIEVERS.get(config.kind).check(name, config, inspection.workspace.folder)
        except DriftgateError as problem:
            yield of_problem(subject, problem, inspection.where("retrievers", name))
        else:
            yield Finding("good", subject, found)


CHECK = Check(look)
