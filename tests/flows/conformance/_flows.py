"""Flows as data: their files, and what prompt flow's documentation says becomes of some inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "flows"


@dataclass(frozen=True)
class ConformanceFlow:
    """One flow of the suite."""

    name: str
    shows: str
    """The feature, as a row of the table in the documentation says it."""
    files: Mapping[str, str]
    """Text by path; ``../x`` lies beside the flow's folder."""
    file: str = ""
    """The prompty that is the flow; empty where the folder is."""
    supported: bool = True
    """Whether driftgate runs what prompt flow runs here."""
    cases: tuple[Mapping[str, Any], ...] = ()
    """Inputs, and any of: ``variant``, ``output``, ``nodes``, ``bypassed``, ``error``, ``says``, ``asked``."""
    refused: str = ""
    """A pattern of what is said where the flow is not even loaded."""
    connections: Mapping[str, Any] = field(default_factory=dict)
    replies: Mapping[str, str] = field(default_factory=dict)
    """What the endpoint says to a prompt that holds a text."""
    metrics: Mapping[str, Any] | None = None
    """What the aggregation nodes log over all cases that completed."""
    aggregate: Mapping[str, Any] = field(default_factory=dict)
    """``nodes``, ``bypassed`` and ``error`` of the aggregation."""
    note: str = ""
    """A word of explanation for the table."""
    pure: str = ""
    """Why driftgate does not do what prompt flow does alone; empty where it does."""


def load() -> list[ConformanceFlow]:
    """Every flow of the suite, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for name, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            value["cases"] = tuple(value.get("cases", ()))
            found.append(ConformanceFlow(name=name, **value))
    return found


def table(flows: list[ConformanceFlow]) -> str:
    """The flows as the rows of the documentation's table, in Markdown."""
    rows = ["| feature | runs | flow of the suite |", "|---|---|---|"]
    for flow in flows:
        runs = "yes" if flow.supported else "no, refused with a sentence"
        note = f" ({flow.note})" if flow.note else ""
        rows.append(f"| {flow.shows}{note} | {runs} | `{flow.name}` |")
    return "\n".join(rows)
