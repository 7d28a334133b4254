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
        kind, folder = RETRIEVERS.get(config.kind), inspection.workspace.folder
        try:
            found = kind.check(name, config, folder)
            doubts = kind.ingest(name, config, folder).doubts if kind.ingest is not None else []
        except DriftgateError as problem:
            yield of_problem(subject, problem, inspection.where("retrievers", name))
        else:
            yield Finding("good", subject, found)
            where = inspection.where("retrievers", name)
            remedy = f"see each file with: driftgate documents {name}"
            for doubt in doubts:
                yield Finding("warning", subject, doubt, remedy, where)


CHECK = Check(look)
