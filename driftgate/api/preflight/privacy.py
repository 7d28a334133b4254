"""Who else can read what driftgate keeps, and secrets that could not be told from ordinary text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection, texts_of
from driftgate.flows.environment import REFERENCE, SECRET_KEYS, may_read
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import readable_by_others
from driftgate.flows.scrubbing import ordinary
from driftgate.ledger import readers_of

_STATE = ".driftgate"


def look(inspection: Inspection) -> Iterator[Finding]:
    """Look at the whole workspace; what is made from now on is private by itself."""
    if not inspection.scope.whole:
        return
    yield from _weak_secrets(inspection)
    if inspection.ledger is not None:
        for what, who, remedy in readers_of(inspection.ledger):
            yield Finding("warning", "ledger", f"{what} can be read by {who}", remedy)
    yield from _files(inspection)


def _weak_secrets(inspection: Inspection) -> Iterator[Finding]:
    """Secrets that nothing blanks, as they are words or numbers that stand in other texts too."""
    seen: set[str] = set()
    for text, location in texts_of(inspection.workspace.document.value, ()):
        if not SECRET_KEYS & set(location):
            continue
        for name in REFERENCE.findall(text):
            value = os.environ.get(name, "")
            if name in seen or not value.strip() or not may_read(name):
                continue
            seen.add(name)
            if why := ordinary(value):
                yield Finding(
                    "warning",
                    " ".join([str(location[0]).removesuffix("s"), *map(str, location[1:2])]),
                    f"what {name} holds is not blanked where it is repeated, as {why}",
                    "use a longer random secret; where the service asks for none, leave it out",
                    inspection.where(*location),
                )


def _files(inspection: Inspection) -> Iterator[Finding]:
    """Folders in which others can read something; one line for each."""
    workspace = inspection.workspace
    folders = [workspace.folder / _STATE]
    for name in ("reports", "telemetry"):
        try:
            folders.append(getattr(workspace, name))
        except DriftgateError:  # it lies outside of the workspace, which another check says
            continue
    for folder in dict.fromkeys(folders):
        if folder.is_dir() and not any(other in folder.parents for other in folders):
            found = [(path, who) for path in _within(folder) if (who := readable_by_others(path))]
            if found:
                path, who = found[0]
                others = f", and {len(found) - 1:,} more in {folder}" if len(found) > 1 else ""
                yield Finding("warning", "files", f"{path} can be read by {who}{others}", f"chmod -R go-rwx {folder}")


def _within(folder: Path) -> Iterator[Path]:
    """A folder and all in it; nobody gets past a folder that is closed."""
    yield folder
    if readable_by_others(folder):
        yield from sorted(path for path in folder.rglob("*") if not path.is_symlink())


CHECK = Check(look)
