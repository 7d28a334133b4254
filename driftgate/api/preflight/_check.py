"""What a check is, and the list of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.flows.registry import Registry

if TYPE_CHECKING:
    from driftgate.api.preflight._finding import Finding
    from driftgate.api.preflight._inspection import Inspection


@dataclass(frozen=True)
class Check:
    """One kind of question about a workspace. It asks no model, and raises nothing that is the workspace's fault."""

    look: Callable[[Inspection], Iterator[Finding]]
    """What it finds within the inspection's scope."""


CHECKS: Registry[Check] = Registry("preflight check", "driftgate.api.preflight", "CHECK")
"""Other distributions add theirs through the entry point group of the package's name."""
_ORDER = (
    "storage",
    "environment",
    "privacy",
    "network",
    "models",
    "datasets",
    "retrievers",
    "suites",
    "templates",
    "evaluators",
    "fields",
    "gates",
    "thresholds",
    "corrections",
    "monitors",
    "telemetry",
    "recipes",
    "syntheses",
    "schedule",
    "services",
    "azureml",
    "notifications",
    "endpoints",
    "judges",
    "prices",
)


def checks() -> list[Check]:
    """All checks, in the order a person reads them; those that reach out come last."""
    others = [name for name in CHECKS.names() if name not in _ORDER]
    return [CHECKS.get(name) for name in (*_ORDER, *others)]
