"""The ledger and the disk that it lies on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import latest_runs

_LEAST_FREE = 1e9


def look(inspection: Inspection) -> Iterator[Finding]:
    """Where reports are written, how much the ledger holds, and how much more the disk could."""
    yield from _reports(inspection)
    if not inspection.scope.whole:
        return
    if (ledger := inspection.ledger) is not None:
        found = f"{ledger.engine.dialect.name}, {len(latest_runs(ledger, 1000))} runs"
        yield Finding("good", "ledger", found)
    free = shutil.disk_usage(inspection.workspace.folder).free
    said = f"{free / 1e9:.1f} GB free"
    if free > _LEAST_FREE:
        yield Finding("good", "disk", said)
    else:
        yield Finding("error", "disk", said, "free at least 1 GB")


def _reports(inspection: Inspection) -> Iterator[Finding]:
    """A folder that cannot be written to; it would be noticed once everything is asked and paid."""
    if not (inspection.scope.suites or inspection.scope.whole):
        return
    where = inspection.where("reports")
    try:
        folder = inspection.workspace.reports
    except DriftgateError as problem:
        yield of_problem("reports", problem, where)
        return
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        yield Finding(
            "error", "reports", f"{there} is a file, and reports are written below it", "name a folder", where
        )
    elif not os.access(there, os.W_OK | os.X_OK):
        yield Finding("error", "reports", f"{there} cannot be written to", "change its rights, or name another", where)


CHECK = Check(look)
