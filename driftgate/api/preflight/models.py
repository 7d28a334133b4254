"""Every model that is used can be reached: its files are there, something listens at its address, one can sign in."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight.environment import unset
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import PROVIDERS


def look(inspection: Inspection) -> Iterator[Finding]:
    """Try the least that shows it; nothing is asked."""
    if not inspection.scope.reaches:
        return
    for name, config in inspection.models.items():
        if unset(inspection, "models", name):
            continue
        subject = f"model {name}"
        try:
            found = PROVIDERS.get(config.provider).check(name, config, inspection.workspace.folder)
        except DriftgateError as problem:
            yield of_problem(subject, problem, inspection.where("models", name))
        else:
            yield Finding("good", subject, found)


CHECK = Check(look)
