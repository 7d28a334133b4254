"""The ledger and the disk that it lies on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection
from driftgate.ledger import latest_runs

_LEAST_FREE = 1e9


def look(inspection: Inspection) -> Iterator[Finding]:
    """How much the ledger holds, and how much more the disk could."""
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


CHECK = Check(look)
