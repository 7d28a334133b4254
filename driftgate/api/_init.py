"""Make a workspace."""

from __future__ import annotations

import json
from pathlib import Path

from driftgate.api.workspace import FILE, json_schema
from driftgate.flows.errors import DriftgateError, nearest

_SCAFFOLD = Path(__file__).parent / "scaffold"
SCHEMA_FILE = "driftgate.schema.json"


def scaffold(folder: Path, example: str = "") -> list[Path]:
    """Write a workspace file to begin with, its schema for editors, and folders for data and flows.

    Parameters
    ----------
    example : str
        Name of an example to begin with in place of the plain workspace: ``rag``.

    Raises
    ------
    DriftgateError
        There is a workspace already, no such example, or the folder cannot be written.
    """
    file = folder / FILE
    template = _SCAFFOLD / (f"{example}.yaml" if example else FILE)
    if template.parent != _SCAFFOLD or not template.is_file():
        known = [path.stem for path in _SCAFFOLD.glob("*.yaml") if path.name != FILE]
        raise DriftgateError(f"there is no example '{example}'", nearest(example, known))
    if file.exists():
        raise DriftgateError(f"{file} is already there", "edit it, or choose another folder")
    try:
        for name in ("data", "flows"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text(".driftgate/\nreports/\n", encoding="utf-8")
        (folder / SCHEMA_FILE).write_text(json.dumps(json_schema(), indent=1) + "\n", encoding="utf-8")
        file.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as problem:
        raise DriftgateError(f"cannot write {folder}: {problem.strerror}", "choose a folder you may write") from problem
    return [file, folder / SCHEMA_FILE, folder / "data", folder / "flows"]
