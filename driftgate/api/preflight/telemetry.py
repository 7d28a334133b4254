"""Where calls of production come from: folders are there and inside the workspace, patterns fit what lies there, and it
tells what a look reads."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection
from driftgate.flows.errors import DriftgateError


def look(inspection: Inspection) -> Iterator[Finding]:
    """Look at each telemetry source; what is not there makes a look at traffic unmeasurable, and no command fail."""
    if not inspection.scope.whole:
        return
    for index, source in enumerate(inspection.workspace.config.telemetry):
        subject, where = f"telemetry {source.name}", inspection.where("telemetry", index)
        try:
            placed = source.placed(inspection.workspace.inside)
            doubts, seen = list(placed.doubts()), []
            if not doubts:
                seen = list(placed.seen())
        except DriftgateError as problem:
            yield Finding("error", subject, problem.message, problem.remedy, where)
        except OSError as problem:
            yield Finding("error", subject, f"it cannot be read: {problem}", "correct the rights of its folder", where)
        else:
            for found, remedy in doubts:
                yield Finding("error", subject, found, remedy, where)
            for found, remedy in seen:
                yield Finding("warning" if remedy else "good", subject, found, remedy, where)


CHECK = Check(look)
