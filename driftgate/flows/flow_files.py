"""Where a flow's file lies and what it holds: a DAG, the entry of a flex flow, or a prompty, whatever it is called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

from driftgate.flows.environment import check_readable
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.flex import FLEX_FILES, flex_dag
from driftgate.flows.prompty import prompty_dag
from driftgate.flows.text import on_disk
from driftgate.flows.yaml_text import Yaml12, parse
from driftgate.shipped import shipped

Kind = Literal["dag", "flex", "prompty"]
DAG_FILE = "flow.dag.yaml"
DAG_FILES = (DAG_FILE, "flow.dag.yml")
EVALUATORS_FILE = "evaluators.yaml"
PROMPTY = ".prompty"
SHIPPED = shipped("flows")
_USUAL = (*DAG_FILES, *FLEX_FILES)
_YAML = (".yaml", ".yml")
_FRONT = re.compile(r"\A\s*-{3,}\n")


class FlowFile(NamedTuple):
    """A flow's file, read."""

    path: Path
    kind: Kind
    dag: dict[str, Any]
    root: Path
    """The workspace, or the folder of the flows that ship: nothing outside of it is read."""

    @property
    def called(self) -> str:
        """The flow's name: its folder's, or the file's own where that is not the usual one."""
        if self.path.suffix == PROMPTY:
            return self.path.stem
        folder = self.path.parent.name
        return folder if self.path.name in _USUAL else f"{folder}/{self.path.stem}"


def read_flow_file(name: str, workspace: Path) -> FlowFile:
    """Find and read the file of a flow; its content says of which kind it is.

    Raises
    ------
    DriftgateError
        There is none, it lies outside the workspace, or it does not define a flow.
    """
    file = _find(name, workspace)
    folder = file.parent
    root = SHIPPED if folder.parent == SHIPPED else workspace.resolve()
    if _is_prompty(file):
        kind: Kind = "prompty"
        dag: Any = prompty_dag(file, root)
    else:
        kind, dag = "dag", read_yaml(file)
        if file.name in FLEX_FILES or (isinstance(dag, dict) and "entry" in dag):  # as prompt flow tells them apart
            kind, dag = "flex", flex_dag(file, dag)
    if said := _malformed(dag, folder, root):
        raise DriftgateError(f"{file} {said}", "write a prompt flow DAG: inputs, outputs, nodes, node_variants")
    return FlowFile(file, kind, dag, root)


def read_yaml(file: Path) -> Any:
    """What a YAML file holds.

    Raises
    ------
    DriftgateError
        It is no YAML, or too much of it.
    """
    try:
        text = file.read_text(encoding="utf-8")
        check_readable(text, str(file))
    except UnicodeDecodeError as problem:
        raise DriftgateError(f"{file} is not YAML: {' '.join(str(problem).split())}", "correct the file") from problem
    return parse(text, str(file), Yaml12)[1]


def _is_prompty(file: Path) -> bool:
    if file.suffix == PROMPTY:
        return True
    return file.suffix not in _YAML and _FRONT.match(file.read_text(encoding="utf-8", errors="replace")) is not None


def _malformed(dag: Any, folder: Path, root: Path) -> str:
    """What keeps ``dag`` from being read at all; prompt flow judges the rest when an engine loads it."""
    if not isinstance(dag, dict) or not isinstance(dag.get("nodes"), list):
        return "has no list of nodes"
    for part in ("inputs", "outputs", "node_variants"):
        if not isinstance(dag.get(part) or {}, dict):
            return f"has '{part}' that is no mapping"
    includes = dag.get("additional_includes") or []
    if not isinstance(includes, list):
        return "has 'additional_includes' that is no list"
    for path in includes:
        if not (folder / str(path)).resolve().is_relative_to(root):
            return f"includes '{path}' from outside the workspace"
    nodes = list(dag["nodes"])
    for number, node in enumerate(nodes, start=1):
        if not isinstance(node, dict) or not isinstance(node.get("name"), str):
            return f"has a node, number {number}, that has no name"
    for name, entry in (dag.get("node_variants") or {}).items():
        variants = entry.get("variants") if isinstance(entry, dict) else None
        if not isinstance(variants, dict) or str(entry.get("default_variant_id")) not in variants:
            return f"has variants of node '{name}' of which its default_variant_id names none"
        if not all(
            isinstance(variant, dict) and isinstance(variant.get("node"), dict) for variant in variants.values()
        ):
            return f"has a variant of node '{name}' without a node"
        nodes += [variant["node"] for variant in variants.values()]
    for node in nodes:
        source = node.get("source") or {}
        if not isinstance(source, dict):
            return "has a node whose source is no mapping"
        path = source.get("path")
        if path and not (folder / str(path)).resolve().is_relative_to(root):
            return f"takes '{path}' from outside the workspace"
    return ""


def _find(name: str, workspace: Path) -> Path:
    """The file that defines the flow."""
    for own in (on_disk(workspace / name), on_disk(workspace / "flows" / name)):
        files = [own / file for file in _USUAL if (own / file).is_file()] or ([own] if own.is_file() else [])
        if len(files) > 1:
            both = " and ".join(file.name for file in files)
            raise DriftgateError(f"the flow '{name}' has {both}", f"keep one of them, or name the file: {name}/FILE")
        if files:
            file = files[0].parent.resolve() / files[0].name
            if not file.resolve().is_relative_to(workspace.resolve()):
                raise DriftgateError(f"the flow '{name}' lies outside the workspace", "move it into the workspace")
            return file
    if (SHIPPED / name / DAG_FILE).is_file() and Path(name).name == name:
        return SHIPPED / name / DAG_FILE
    known = [path.parent.name for path in SHIPPED.glob(f"*/{DAG_FILE}")]
    folders = [path.parent for file in _USUAL for path in workspace.glob(f"*/*/{file}")]
    own_flows = [str(path.relative_to(workspace)) for path in (*folders, *workspace.glob(f"*/*{PROMPTY}"))]
    raise DriftgateError(f"there is no flow '{name}'", nearest(name, [*known, *own_flows]))
