"""What of a workspace goes to a machine elsewhere: just what a suite needs, laid out as it is here.

The copy is planned before anything is sent: where it would not ask what the run asks, a file is missing, and that is
said here and not by a machine that is paid for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from driftgate.api import session
from driftgate.api.session import Planned
from driftgate.api.workspace import FILE, OpenWorkspace, open_workspace
from driftgate.finetune.compute import AzureMLBench
from driftgate.finetune.holdouts import seals
from driftgate.flows.definition import FlowDefinition
from driftgate.flows.environment import REFERENCE, SECRET_KEYS
from driftgate.flows.errors import DriftgateError
from driftgate.flows.own_code import own_code
from driftgate.flows.own_sources import module_sources, own_sources
from driftgate.flows.path_settings import path_settings
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.flows.scrubbing import scrub
from driftgate.flows.text import on_disk
from driftgate.flows.yaml_text import parse
from driftgate.ledger import Ledger, RunRow, trained_model

_MOST = 100 * 2**20
"""Bytes; it is uploaded for every attempt, and Azure Machine Learning takes 300 MB of code."""
_SECTIONS = ("models", "datasets", "retrievers", "connections")


@dataclass(frozen=True)
class Carried:
    """A workspace that was laid out for another machine."""

    space: Path
    """Its folder."""
    files: int
    size: int
    """Bytes."""
    variables: tuple[str, ...]
    """Variables of the environment that it refers to, sorted."""
    secret: frozenset[str]
    """Those of them that are keys."""


def carry(
    workspace: OpenWorkspace, ledger: Ledger, planned: Planned, run: RunRow, config: AzureMLBench, folder: Path
) -> Carried:
    """Lay out below a folder what a run's suite needs of its workspace.

    Raises
    ------
    DriftgateError
        Something lies where it cannot be taken along from, holds a secret, or is too much; or the copy would not ask
        what the run asks.
    """
    document = _document(workspace, ledger, planned)
    roots = [*_settings(workspace, ledger, document), *_own(workspace, planned, config)]
    up = max((_levels_up(workspace.folder, path) for path in roots), default=0)
    space = folder.joinpath(*[f"above-{level}" for level in range(up, 0, -1)], "workspace")
    apart = _apart(workspace, ledger)
    files = 0
    for path in dict.fromkeys(roots):
        target = space / os.path.relpath(path, workspace.folder)
        for source, place in _files(path, target, [one for one in apart if not path.is_relative_to(one)]):
            _copy(source, place)
            files += 1
    replace_file(space / FILE, yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode())
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > _MOST:
        raise DriftgateError(
            f"suite '{planned.name}' needs {size / 2**20:,.0f} MiB of its workspace, of which {_MOST >> 20} go along",
            "let the dataset be read from the hub, or run it here: --shards without --on",
        )
    names = sorted(set(REFERENCE.findall(json.dumps(document, ensure_ascii=False))))
    _check_plan(workspace, ledger, planned, run, space)
    return Carried(space, files, size, tuple(names), frozenset(_secret_names(document)))


def _document(workspace: OpenWorkspace, ledger: Ledger, planned: Planned) -> dict[str, Any]:
    """The workspace file with nothing but what the suite needs; a champion is named by its model."""
    given = workspace.document.value
    suite = {**given["suites"][planned.name], "models": list(planned.suite.models), "cache": False}
    judges = {judged.judge.name for cell in planned.cells for judged in cell.evaluators.judged.values()}
    datasets = list(planned.suite.datasets)
    datasets += [of for name in datasets if isinstance(of := given["datasets"][name].get("of"), str)]
    flows = json.dumps([dict(flow.dag) for flow in _flows(planned)], default=str)
    names: dict[str, list[str]] = {
        "models": list(dict.fromkeys([*planned.suite.models, *sorted(judges)])),
        "datasets": list(dict.fromkeys(datasets)),
        "retrievers": [suite["retriever"]] if suite.get("retriever") else [],
        "connections": [name for name in given.get("connections") or {} if json.dumps(name) in flows],
    }
    kept: dict[str, Any] = {"version": 1}
    kept |= {key: given[key] for key in ("name", "network", "allowed_roots") if key in given}
    for section in _SECTIONS:
        found = {name: (given.get(section) or {}).get(name) for name in names[section]}
        if section == "models":
            found = {name: one or dict(trained_model(ledger, name) or {}) for name, one in found.items()}
        if found:
            kept[section] = found
    plain: dict[str, Any] = json.loads(json.dumps({**kept, "suites": {planned.name: suite}}, default=str))
    return plain


def _flows(planned: Planned) -> list[FlowDefinition]:
    """The suite's flows and those that evaluate them."""
    found = [cell.flow for cell in planned.cells]
    found += [evaluator.flow for cell in planned.cells for evaluator in cell.evaluators.flows.values()]
    return list({id(flow): flow for flow in found}.values())


def _settings(workspace: OpenWorkspace, ledger: Ledger, document: Mapping[str, Any]) -> Iterator[Path]:
    """What the settings that go along name on disk."""
    config = workspace.config
    named: dict[str, dict[str, Any]] = {
        "models": {name: session.model_config(workspace, ledger, name) for name in document["models"]},
        "datasets": {name: config.datasets[name] for name in document["datasets"]},
        "retrievers": {name: config.retrievers[name] for name in document.get("retrievers", ())},
    }
    for location, path, _ in path_settings(named):
        yield _inside(workspace, path, ".".join(map(str, location)))
    if config.network.ca_file:
        yield _inside(workspace, config.network.ca_file, "network.ca_file")


def _inside(workspace: OpenWorkspace, path: str, setting: str) -> Path:
    if Path(path).is_absolute() or path.startswith("~") or "${env:" in path:
        raise DriftgateError(
            f"'{setting}' is {path}, which is not where it is on another machine", "write it relative to the workspace"
        )
    workspace.inside(path, setting)  # links included, it leads out of no root
    return Path(os.path.normpath(on_disk(workspace.folder / path)))


def _own(workspace: OpenWorkspace, planned: Planned, config: AzureMLBench) -> Iterator[Path]:
    """The workspace's own flows, prompts and code, and what is named beside them."""
    folder = workspace.folder.resolve()

    def here(path: Path) -> Path:
        return workspace.folder / path.resolve().relative_to(folder)

    for flow in _flows(planned):
        if flow.workspace is None or not flow.folder.resolve().is_relative_to(folder):
            continue
        if ".driftgate" in flow.folder.resolve().relative_to(folder).parts:
            continue  # written for a prompt, and written again there
        whole = flow.folder.resolve() != folder
        named = [str((node.get("source") or {}).get("path") or "") for node in flow.resolved_nodes()]
        sources = [flow.folder / name for name in named if name and (flow.folder / name).is_file()]
        yield from map(here, [flow.folder] if whole else [flow.file, flow.evaluators_file, *sources])
        included = [(flow.folder / path).resolve() for path in flow.includes]
        yield from map(here, included)
        code = own_code(flow.folder, *(path.parent for path in included), *flow.code_folders[1:])
        python = sorted(flow.folder.rglob("*.py")) if whole else [one for one in sources if one.suffix == ".py"]
        yield from (here(file) for file in own_sources(code, python) if file.resolve().is_relative_to(folder))
    for cell in planned.cells:
        code = own_code(*cell.flow.code_folders) if cell.flow.workspace is not None else own_code(folder)
        for module in _modules(cell.flow):
            found = module_sources(code, module)
            yield from (here(file) for file in found if file.resolve().is_relative_to(folder))
    prompt = planned.suite.prompt
    if prompt is not None and "\n" not in prompt and (workspace.folder / prompt).is_file():
        yield _inside(workspace, prompt, f"suites.{planned.name}.prompt")
    for number, path in enumerate(config.files):
        beside = _inside(workspace, path, f"azureml.files.{number}")
        if not beside.exists():
            raise DriftgateError(f"azureml.files names {path}, which is not there", "correct the path")
        yield beside


def _modules(flow: FlowDefinition) -> set[str]:
    """Modules that the evaluators of a flow are of, wherever they are."""
    judged = flow.stands_for or flow
    if judged.given is not None:
        bound: Any = judged.given.nodes
    else:
        file = judged.evaluators_file
        bound = parse(file.read_text(encoding="utf-8"), str(file))[1]["nodes"] if file.is_file() else {}
    named = [str(one.get("evaluator", "")) for by_name in bound.values() for one in by_name.values()]
    modules = {name.partition(":")[0] for name in named if ":" in name}
    return {name for name in modules if all(part.isidentifier() for part in name.split("."))}


def _apart(workspace: OpenWorkspace, ledger: Ledger) -> list[Path]:
    """What never goes along unless the suite itself reads it: results, and the data of everything else."""
    config = workspace.config
    every = [config.datasets, config.recipes, config.synthesis, config.models, config.monitors, config.telemetry]
    named = [path for one in every for _, path, _ in path_settings(one)]
    named += [path for seal in seals(ledger) for key, path in seal.config.items() if key.endswith("path") and path]
    named += [config.reports, config.service.telemetry, config.keep.archive, config.ledger]
    plain = [path for path in named if path and "${env:" not in path and "://" not in path]
    return [Path(os.path.normpath(workspace.folder / Path(path).expanduser())) for path in plain]


def _files(source: Path, target: Path, apart: list[Path]) -> Iterator[tuple[Path, Path]]:
    """Files below a path and where they go, without hidden ones."""
    if any(source.is_relative_to(one) for one in apart):
        return
    if source.is_file():
        yield source, target
        return
    for entry in sorted(source.iterdir()) if source.is_dir() else ():
        if not entry.name.startswith(".") and entry.name != "__pycache__":
            yield from _files(entry, target / entry.name, apart)


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    text = content.decode("utf-8", "replace")
    if scrub(text) != text:
        raise DriftgateError(
            f"{source} holds the value of a secret, and would go to another machine", "write ${env:NAME} in its place"
        )
    make_folder(target.parent)
    replace_file(target, content)


def _levels_up(folder: Path, path: Path) -> int:
    return sum(part == ".." for part in Path(os.path.relpath(path, folder)).parts)


def _secret_names(value: Any, *, secret: bool = False) -> Iterator[str]:
    """Variables that stand under a key of secrets."""
    if isinstance(value, str):
        yield from REFERENCE.findall(value) if secret else ()
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secret_names(inner, secret=secret or key in SECRET_KEYS)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _secret_names(inner, secret=secret)


def _check_plan(workspace: OpenWorkspace, ledger: Ledger, planned: Planned, run: RunRow, space: Path) -> None:
    try:
        copied = open_workspace(space)
        again = session.plan_suite(copied, ledger, planned.name, copied.suite(planned.name))
        session.check_same_plan(run, again)
    except DriftgateError as problem:
        raise DriftgateError(
            f"what goes along for suite '{planned.name}' does not ask what the run asks: {problem.message}",
            "name what is missing under azureml.files",
        ) from problem
    finally:
        workspace.hold()
