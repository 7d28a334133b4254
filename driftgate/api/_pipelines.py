"""Pipeline files for a workspace: suites are run and judged, and the ledger is kept from one run to the next."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from driftgate.api.workspace import OpenWorkspace, open_workspace
from driftgate.flows.environment import REFERENCE
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.flow_files import PROMPTY

_TEMPLATES = Path(__file__).parent / "pipelines"
_PLACES = {"github": ".github/workflows/driftgate.yml", "azure": "azure-pipelines.yml"}
"""Where each build system looks for its file, from the repository's top."""
_DATABASES = ("postgresql", "postgres")


@dataclass(frozen=True)
class _Kept:
    """What keeps the ledger."""

    path: str
    """The file, from the workspace; empty where it is a database."""
    variables: list[str]
    """Of the environment, that name it."""


def pipeline_path(folder: Path, system: str) -> Path:
    """Where the pipeline file of a workspace belongs.

    Raises
    ------
    DriftgateError
        There is no such build system, or the file is there already.
    """
    if system not in _PLACES:
        raise DriftgateError(f"--ci is '{system}'", nearest(system, _PLACES))
    path = _top(folder) / _PLACES[system]
    if path.exists():
        raise DriftgateError(f"{path} is already there", "edit it, or move it away")
    return path


def write_pipeline(folder: Path, system: str) -> Path:
    """Write the pipeline file of the workspace in a folder; what is there is never written over.

    Parameters
    ----------
    system : {"github", "azure"}
        Who runs it.

    Raises
    ------
    DriftgateError
        The file is there already or cannot be written, no gate judges a suite, or the ledger cannot be kept.
    """
    path = pipeline_path(folder, system)
    text = _text(open_workspace(folder), folder, system)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as problem:
        raise DriftgateError(f"cannot write {path}: {problem.strerror}", "choose a folder you may write") from problem
    return path


def _text(workspace: OpenWorkspace, folder: Path, system: str) -> str:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    top, main = _top(folder), _main_branch(_top(folder))
    place = PurePosixPath(folder.resolve().relative_to(top).as_posix())
    suites = list(dict.fromkeys(gate.suite for gate in workspace.config.gates.values() if gate.suite is not None))
    if not suites:
        raise DriftgateError(
            "no gate of the workspace judges a suite, so a build could not fail", "add one under gates"
        )
    kept = _kept(workspace)
    ledger = str(place / kept.path) if kept.path else ""
    template = SandboxedEnvironment(
        block_start_string="[%", block_end_string="%]", variable_start_string="[[", variable_end_string="]]",
        comment_start_string="[#", comment_end_string="#]", trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, undefined=StrictUndefined,
    ).from_string((_TEMPLATES / f"{system}.yml.jinja2").read_text(encoding="utf-8"))  # fmt: skip
    reports = PurePosixPath(workspace.config.reports)
    return template.render(
        main=main,
        suites=suites,
        place=str(place),
        sources=_below_sources(place),
        requirement=_requirement(workspace),
        ledger=f"{ledger}*" if ledger else "",  # with what SQLite leaves beside it
        ledger_in_bash=f"{shlex.quote(ledger)}*",
        ledger_folder=_below_sources(PurePosixPath(ledger).parent),
        secrets=sorted({*_variables(workspace.document.value), *kept.variables}),
        ledger_secrets=kept.variables,
        reports=shlex.quote(str(reports)),
        published=str(place / reports),
        junit=str(place / reports / "gate.xml"),
        published_from=_below_sources(place / reports),
        keep=f"and(not(canceled()), eq(variables['driftgate.keep'], 'true'), "
        f"eq(variables['Build.SourceBranch'], 'refs/heads/{main}'))",
    )


def _below_sources(path: PurePosixPath) -> str:
    """A path of the repository as Azure DevOps names it."""
    return "/".join(("$(Build.SourcesDirectory)", *path.parts))


def _top(folder: Path) -> Path:
    """The top of the repository that a folder lies in; the folder itself where it lies in none."""
    here = folder.resolve()
    return next((parent for parent in (here, *here.parents) if (parent / ".git").exists()), here)


def _main_branch(top: Path) -> str:
    """The branch that pull requests go to, as the clone knows it."""
    head = top / ".git/refs/remotes/origin/HEAD"
    said = head.read_text(encoding="utf-8").strip() if head.is_file() else ""
    name = said.removeprefix("ref: refs/remotes/origin/")
    return name if re.fullmatch(r"[\w./-]+", name) else "main"


def _kept(workspace: OpenWorkspace) -> _Kept:
    ledger = workspace.config.ledger
    variables = REFERENCE.findall(ledger)
    if variables or ledger.startswith(tuple(f"{name}://" for name in _DATABASES)):
        return _Kept("", variables)
    path = PurePosixPath(ledger)
    if "://" in ledger or path.is_absolute() or ".." in path.parts:
        raise DriftgateError(
            f"the ledger is {ledger}, which a pipeline cannot keep",
            "give 'ledger' a path in the workspace, or a database as ${env:DRIFTGATE_LEDGER}",
        )
    return _Kept(str(path), [])


def _variables(value: Any) -> Iterator[str]:
    """Names of the environment's variables that the workspace file refers to."""
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _variables(part)


def _requirement(workspace: OpenWorkspace) -> str:
    """This version of driftgate with the extras that the file is seen to need."""
    config, extras = workspace.config, set[str]()
    for model in config.models.values():
        if model.provider == "local":
            extras.add("local")
        if model.provider == "azure_openai" and not getattr(model, "api_key", None):
            extras.add("azure")
    if not _kept(workspace).path:
        extras.add("postgres")
    for dataset in config.datasets.values():
        if getattr(dataset, "hub", None):
            extras.add("hub")
        if dataset.kind == "parquet":
            extras.add("parquet")
    if any((suite.prompt or "").strip().endswith(PROMPTY) for suite in config.suites.values()):
        extras.add("promptflow")
    named = f"[{','.join(sorted(extras))}]" if extras else ""
    return f"driftgate{named}=={version('driftgate')}"
