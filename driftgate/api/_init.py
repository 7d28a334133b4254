"""Make a workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from driftgate.api.workspace import FILE, json_schema, read_workspace
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.shipped import FOLDERS, reference_workspace

_EXAMPLES = Path(__file__).parent / "scaffold"
_IGNORED = (".driftgate/", "reports/")
SCHEMA_FILE = "driftgate.schema.json"


def make(folder: Path, example: str = "", ci: str = "") -> list[Path]:
    """Make a workspace, a pipeline file for one, or both.

    Parameters
    ----------
    ci : {"github", "azure"}, optional
        Also write a pipeline file for this build system; where there is a workspace already, only that.

    Raises
    ------
    DriftgateError
        See :func:`scaffold` and :func:`driftgate.api._pipelines.write_pipeline`.
    """
    if not ci:
        return scaffold(folder, example)
    from driftgate.api._pipelines import pipeline_path, write_pipeline

    pipeline_path(folder, ci)  # before anything is made
    made = scaffold(folder, example) if example or not (folder / FILE).exists() else []
    return [*made, write_pipeline(folder, ci)]


def scaffold(folder: Path, example: str = "") -> list[Path]:
    """Write a workspace to begin with: the one that ships with driftgate, or an example.

    Parameters
    ----------
    example : str
        Name of an example to begin with in place of the plain workspace: ``rag``.

    Returns
    -------
    list of Path
        What was made: ``driftgate.yaml``, its schema for editors, the files that it includes, and the four folders.

    Raises
    ------
    DriftgateError
        One of its files is there already, there is no such example, or the folder cannot be written.
    """
    files = _example(example) if example else _reference()
    files = {name: _with_schema(name, text) for name, text in files.items()}
    files[SCHEMA_FILE] = json.dumps(json_schema(), indent=1) + "\n"
    there = next((name for name in files if name != SCHEMA_FILE and (folder / name).exists()), None)
    if there is not None:
        raise DriftgateError(f"{folder / there} is already there", "edit it, or choose another folder")
    about = {f"{name}/README.md": _shipped_text(f"{name}/README.md") for name in FOLDERS}
    files |= {name: text for name, text in about.items() if not (folder / name).exists()}
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        _ignore(folder / ".gitignore")
    except OSError as problem:
        raise DriftgateError(f"cannot write {folder}: {problem.strerror}", "choose a folder you may write") from problem
    return [folder / name for name in files]


def _reference() -> Mapping[str, str]:
    """The files of the workspace that ships, by their path in it."""
    document = read_workspace(reference_workspace())
    return {name: _shipped_text(name) for name in (FILE, *(one.name for one in document.included))}


def _example(name: str) -> Mapping[str, str]:
    template = _EXAMPLES / f"{name}.yaml"
    if template.parent != _EXAMPLES or not template.is_file():
        known = [path.stem for path in _EXAMPLES.glob("*.yaml")]
        raise DriftgateError(f"there is no example '{name}'", nearest(name, known))
    return {FILE: template.read_text(encoding="utf-8")}


def _shipped_text(name: str) -> str:
    return (reference_workspace() / name).read_text(encoding="utf-8")


def _with_schema(name: str, text: str) -> str:
    """The text with the line by which an editor finds the schema."""
    up = "../" * (len(PurePosixPath(name).parts) - 1)
    return f"# yaml-language-server: $schema={up}{SCHEMA_FILE}\n{text}"


def _ignore(file: Path) -> None:
    """Have git ignore what driftgate makes; what the file says already stays."""
    before = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    absent = [line for line in _IGNORED if line not in before.split()]
    if absent:
        between = "\n" if before and not before.endswith("\n") else ""
        text = before + between + "\n".join(absent) + "\n"
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
