"""Every variable of the environment that a part in use refers to is set, and holds something."""

from __future__ import annotations

import os
from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection, texts_of
from driftgate.flows.environment import ALLOWED, REFERENCE, may_read

Location = tuple[str | int, ...]


def look(inspection: Inspection) -> Iterator[Finding]:
    """Name each variable that is missing once, with the first place that needs it."""
    seen: set[str] = set()
    for text, location in (found for part in _parts(inspection) for found in _texts(inspection, part)):
        for name in REFERENCE.findall(text):
            if name in seen:
                continue
            if not may_read(name):
                seen.add(name)
                yield Finding(
                    "error",
                    " ".join([str(location[0]).removesuffix("s"), *map(str, location[1:2])]),
                    f"{'.'.join(map(str, location))} reads the environment variable {name}, which {ALLOWED} does not "
                    "allow this workspace",
                    f"add {name} to {ALLOWED} outside of the workspace, if it is to have it",
                    inspection.where(*location),
                )
                continue
            if os.environ.get(name, "").strip():
                continue
            seen.add(name)
            state = "is empty" if name in os.environ else "is not set"
            yield Finding(
                "error",
                " ".join([str(location[0]).removesuffix("s"), *map(str, location[1:2])]),
                f"{'.'.join(map(str, location))} needs the environment variable {name}, which {state}",
                f"export {name}=…",
                inspection.where(*location),
            )


def unset(inspection: Inspection, *location: str | int) -> bool:
    """Whether a part of the workspace file needs a variable that is missing or forbidden, which :func:`look` says."""
    names = (name for text, _ in _texts(inspection, location) for name in REFERENCE.findall(text))
    return any(not may_read(name) or not os.environ.get(name, "").strip() for name in names)


def _parts(inspection: Inspection) -> list[Location]:
    if inspection.scope.whole:
        return [()]
    parts: list[Location] = [("models", name) for name in inspection.models]
    parts += [("retrievers", name) for name in inspection.retrievers]
    parts += [("recipes", name) for name in inspection.scope.recipes]
    cells = (cell for asking in inspection.askings for cell in inspection.cells(asking))
    flows = {id(cell.flow): cell.flow for cell in cells}.values()
    if any(flow.connection_of(node) for flow in flows for node in flow.resolved_nodes()):
        parts.append(("connections",))
    if inspection.scope.sends:
        parts.append(("azure_monitor",))
    if inspection.scope.serves:
        parts += [("service",), ("notifications",)]
    return parts


def _texts(inspection: Inspection, location: Location) -> list[tuple[str, Location]]:
    value = inspection.workspace.document.value
    for step in location:
        value = value.get(step) if isinstance(value, dict) else None
    return texts_of(value, location)


CHECK = Check(look)
