"""A flow on disk: its DAG, the variants chosen, its hash, and the evaluators bound to its nodes.

A flex flow and a prompty are DAGs of one and two nodes (:mod:`driftgate.flows.flex`, :mod:`driftgate.flows.prompty`).
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from driftgate.flows.answer import parse_answer
from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.flex import NODE, flex_sources
from driftgate.flows.flow_files import DAG_FILE, EVALUATORS_FILE, SHIPPED, Kind, read_flow_file, read_yaml
from driftgate.flows.own_code import own_code
from driftgate.flows.own_sources import hash_of, own_sources
from driftgate.flows.port import Port
from driftgate.flows.whom import WHOM, tested_dag

_LIKE = 0.8
"""How alike two names are (Ratcliff and Obershelp) from which one is taken for a slip of the other."""


@dataclass(frozen=True)
class GivenEvaluators:
    """Evaluators that a suite gives its flow, in the place of the file beside it."""

    primary: str
    nodes: Mapping[str, Mapping[str, Any]]
    """By node and by a name of their own, as in ``evaluators.yaml``."""
    place: Callable[[Sequence[str]], str]
    """File and line of a node's evaluator (``node, name``), of a node's (``node``), or of ``primary`` (nothing)."""

    def content_hash(self) -> str:
        """Hash of what they are: 12 hexadecimal digits."""
        content = json.dumps([self.primary, self.nodes], sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(content.encode(errors="replace")).hexdigest()[:12]


@dataclass(frozen=True)
class FlowDefinition:
    """A flow folder with one variant chosen for each node that has variants."""

    name: str
    folder: Path
    dag: Mapping[str, Any]
    chosen: Mapping[str, str]
    """Variant by node, for every node that has variants."""
    connections: Mapping[str, ConnectionConfig] = field(default_factory=dict)
    """Connections of the workspace, for the nodes that name one."""
    port: Port | None = None
    """The program that runs in the place of the DAG."""
    stands_for: FlowDefinition | None = None
    """The flow whose place this one is to take; that one's evaluators judge it."""
    workspace: Path | None = None
    """The workspace it belongs to; None where it ships with driftgate."""
    file_name: str = DAG_FILE
    """Name of the file that defines it, in its folder."""
    kind: Kind = "dag"
    """Which of prompt flow's three forms of a flow it is."""
    tested: frozenset[str] = frozenset()
    """Nodes that ask the model under test, whichever connection or model they name."""
    init: Mapping[str, Any] = field(default_factory=dict)
    """What the class of a flex flow is made with, beside its declared defaults."""
    given: GivenEvaluators | None = None
    """Evaluators in the place of its own."""

    def in_place_of(self, flow: FlowDefinition) -> FlowDefinition:
        """This flow, to be judged as a port of ``flow``."""
        return replace(self, stands_for=flow)

    def ported(self, port: Port) -> FlowDefinition:
        """A program in the place of this flow: its inputs, its outputs, its evaluators."""
        return replace(self, name=port.target, port=port, stands_for=self)

    @property
    def file(self) -> Path:
        """The file that defines it."""
        return self.folder / self.file_name

    @property
    def declares_as_shipped(self) -> bool:
        """Whether it is a flow that driftgate ships, or a copy of one that declares the very same inputs."""
        return self.dag.get("inputs") in _shipped_inputs()

    @property
    def evaluators_file(self) -> Path:
        """Where its evaluators stand; several flows of a folder may each have a file of their own."""
        own = self.file.with_suffix(f".{EVALUATORS_FILE}")
        return own if own.is_file() else self.folder / EVALUATORS_FILE

    @property
    def inputs(self) -> frozenset[str]:
        """Names of the flow's inputs."""
        return frozenset(self.dag.get("inputs") or {})

    @property
    def input_defaults(self) -> Mapping[str, Any]:
        """Default by input, for every input that has one."""
        declared = self.dag.get("inputs") or {}
        return {name: one["default"] for name, one in declared.items() if isinstance(one, dict) and "default" in one}

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the flow's outputs."""
        return frozenset(self.dag.get("outputs") or {})

    @property
    def includes(self) -> tuple[str, ...]:
        """Files and folders outside the flow's folder that are put into it (``additional_includes``)."""
        return tuple(str(path) for path in self.dag.get("additional_includes") or [])

    @property
    def code_folders(self) -> tuple[Path, ...]:
        """Where its tools' import statements look: its own folder, then the workspace."""
        return (self.folder, self.workspace) if self.workspace is not None else (self.folder,)

    @property
    def node_names(self) -> tuple[str, ...]:
        """Names of the nodes, in the order of the file."""
        return tuple(node["name"] for node in self.dag.get("nodes") or [])

    @property
    def aggregates(self) -> bool:
        """Whether it has aggregation nodes, or a flex flow's ``__aggregate__``."""
        return (self.kind == "flex" and self.dag["aggregates"]) or any(
            node.get("aggregation") for node in self.resolved_nodes()
        )

    @property
    def variants(self) -> Mapping[str, tuple[str, ...]]:
        """Variants by node, for every node that has them."""
        declared = self.dag.get("node_variants") or {}
        return {node: tuple((entry or {}).get("variants") or {}) for node, entry in declared.items()}

    def with_variant(self, variant: str) -> FlowDefinition:
        """Choose a variant: ``zero_shot`` where only one node has it, else ``node.variant``, several by commas.

        Raises
        ------
        DriftgateError
            No node, or more than one, has that variant.
        """
        chosen = dict(self.chosen)
        for part in filter(None, (piece.strip() for piece in variant.split(","))):
            node, _, wanted = part.rpartition(".")
            nodes = [n for n, names in self.variants.items() if wanted in names and node in ("", n)]
            if len(nodes) != 1:
                every = [f"{n}.{v}" for n, names in self.variants.items() for v in names]
                names = [v.split(".", 1)[1] for v in every] if not node else every
                found = "is in several nodes" if nodes else "is not there"
                raise DriftgateError(f"flow '{self.name}': variant '{part}' {found}", nearest(part, names))
            chosen[nodes[0]] = wanted
        return replace(self, chosen=chosen)

    def with_tested(self, names: Sequence[str]) -> FlowDefinition:
        """Let llm nodes ask the model under test, though they name a connection or a model.

        Raises
        ------
        DriftgateError
            There is no such node, or it is none that asks a model by itself.
        """
        dag = tested_dag(self.dag, names, self.name)
        return replace(self, dag=dag, tested=frozenset(names))

    def with_init(self, init: Mapping[str, Any]) -> FlowDefinition:
        """Make the class of a flex flow with these values.

        Raises
        ------
        DriftgateError
            It is no flex flow of a class, or the class takes no such value.
        """
        taken = self.dag.get("makes") if self.kind == "flex" else None
        for name in init:
            if taken is None:
                raise DriftgateError(
                    f"init gives '{name}', and the flow '{self.name}' has no class that is made with it",
                    "leave init out; it is for flex flows whose entry is a class",
                )
            if name not in taken:
                raise DriftgateError(
                    f"init gives '{name}', which the class of the flow '{self.name}' does not take",
                    nearest(name, taken),
                )
        nodes = [{**node, "given": dict(init)} if node["name"] == NODE else node for node in self.dag["nodes"]]
        return replace(self, dag={**self.dag, "nodes": nodes}, init=dict(init))

    def resolved_nodes(self) -> list[Mapping[str, Any]]:
        """The nodes with the chosen variants put in their place."""
        nodes: list[Mapping[str, Any]] = []
        for node in self.dag.get("nodes") or []:
            if node["name"] in self.chosen and node.get("use_variants"):
                variants = self.dag["node_variants"][node["name"]]["variants"]
                nodes.append({"name": node["name"], **variants[self.chosen[node["name"]]]["node"]})
            else:
                nodes.append(node)
        return nodes

    @staticmethod
    def connection_of(node: Mapping[str, Any]) -> str:
        """The connection that an llm node, or a prompty's configuration, names; empty where it names none."""
        if node.get("connection"):
            return str(node["connection"])
        model = node.get("model")
        configuration = model.get("configuration") if isinstance(model, dict) else None
        return str(configuration.get("connection") or "") if isinstance(configuration, dict) else ""

    def check_connections(self) -> None:
        """Refuse an llm node whose connection the workspace does not define: the model under test would answer it.

        Raises
        ------
        DriftgateError
            There is one.
        """
        for node in self.resolved_nodes():
            name = self.connection_of(node)
            # Prompt flow itself puts an environment variable into a prompty; the engine checks what came of it.
            if node.get("type") == "llm" and not name.startswith("${"):
                self.check_connection(node["name"], name)

    def check_connection(self, node: str, name: str) -> None:
        """Refuse a connection that the workspace does not define.

        Raises
        ------
        DriftgateError
            It is named, and not defined.
        """
        if name and name not in self.connections:
            raise DriftgateError(
                f"node '{node}' of the flow '{self.name}' names the connection '{name}', which the workspace does not "
                "define",
                f"{nearest(name, self.connections)}; define it under connections, or take it out of the node, "
                "which then asks the model under test",
            )

    def check_models(self, asked: Collection[str], known: Collection[str]) -> None:
        """Refuse an llm node that means another model of the workspace than those that its lines may ask.

        A name that is like none of them is a deployment's that prompt flow would ask: the model under test takes its
        place.

        Parameters
        ----------
        asked : collection of str
            The suite's models.
        known : collection of str
            All models of the workspace.

        Raises
        ------
        DriftgateError
            There is one: the model under test would answer in the other's place.
        """
        for node in self.resolved_nodes():
            inputs = node.get("inputs") or {}
            name = str(next((inputs[key] for key in WHOM if inputs.get(key)), ""))
            if node.get("type") != "llm" or self.connection_of(node) or name in ("", *asked) or "${" in name:
                continue
            meant = difflib.get_close_matches(name, {*asked, *known}, n=1, cutoff=_LIKE)
            if meant:
                raise DriftgateError(
                    f"node '{node['name']}' of the flow '{self.name}' names the model '{name}', which is not among the "
                    "suite's: the model under test would answer in its place",
                    (f"did you mean '{meant[0]}'? " if meant[0] != name else "")
                    + "name a model of the suite or a connection, or no model, to ask the one under test",
                )

    def evaluators_hash(self) -> str:
        """Hash of ``evaluators.yaml``, or of what a suite gives in its place: 12 hexadecimal digits."""
        judged = self.stands_for or self
        return _file_hash(judged.evaluators_file) if judged.given is None else judged.given.content_hash()

    def prompt_hash(self) -> str:
        """Hash of the templates of the chosen variants' prompt and llm nodes, or a port's: 12 hexadecimal digits."""
        if self.port is not None:
            return self.port.source_hash
        digest = hashlib.sha256()
        for node in self.resolved_nodes():
            if node.get("type") in ("prompt", "llm"):
                path = (node.get("source") or {}).get("path")
                digest.update(f"{node['name']}:{_file_hash(self.folder / str(path))}\n".encode())
        return digest.hexdigest()[:12]

    def content_hash(self) -> str:
        """Hash of what the chosen variants run: the resolved DAG and the sources its nodes name.

        Returns
        -------
        str
            12 hexadecimal digits. Another variant's template does not change it. The modules of the workspace that
            the sources import are part of it. A flex flow's covers every file of its folder but the evaluators, as
            its entry may read any.
        """
        if self.port is not None:
            return self.port.source_hash
        nodes = self.resolved_nodes()
        digest = hashlib.sha256()
        shape = {"nodes": nodes, "inputs": self.dag.get("inputs"), "outputs": self.dag.get("outputs")}
        shape |= {part: self.dag[part] for part in ("environment_variables",) if self.dag.get(part)}
        digest.update(json.dumps(_keyed(shape), sort_keys=True, default=str, ensure_ascii=False).encode())
        named = sorted({path for node in nodes if (path := (node.get("source") or {}).get("path"))})
        sources = [self.folder / source for source in named]
        counted = [*sources, *(flex_sources(self.folder) if self.kind == "flex" else ())]
        for include in sorted(self.includes):
            path = self.folder / include
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            counted += [file for file in files if file.suffix != ".pyc"]
        for one in counted:
            digest.update(one.read_bytes() if one.is_file() else b"")
        digest.update(self._imported(sources, {file.resolve() for file in counted}).encode())
        return digest.hexdigest()[:12]

    def _imported(self, sources: Sequence[Path], counted: Collection[Path]) -> str:
        """Hash of the modules that the sources import beside what was counted; empty where there are none."""
        python = [source for source in sources if source.suffix == ".py"]
        if not python:
            return ""
        beside = ((self.folder / include).parent for include in self.includes)
        code = own_code(self.folder, *beside, *self.code_folders[1:])
        found = own_sources(code, python)
        return hash_of(code, {file: digest for file, digest in found.items() if file.resolve() not in counted})


@cache
def _shipped_inputs() -> list[Any]:
    """What the flows that ship declare as their inputs."""
    return [read_yaml(file).get("inputs") for file in sorted(SHIPPED.glob(f"*/{DAG_FILE}"))]


def _keyed(value: Any) -> Any:
    """With keys that can be sorted: in YAML 1.1 a key may be a number or, written ``yes``, a truth value."""
    if isinstance(value, Mapping):
        return {str(key): _keyed(item) for key, item in value.items()}
    return [_keyed(item) for item in value] if isinstance(value, list) else value


def _file_hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes() if file.is_file() else b"").hexdigest()[:12]


def check_answer(flow: FlowDefinition, named: str, who: str) -> None:
    """Refuse an answer that is none of the flow's outputs.

    A flex flow and a prompty of JSON need not declare theirs: what they are shows when a sample is tried.

    Raises
    ------
    DriftgateError
        It is none.
    """
    output = parse_answer(named).path[0]
    if output not in flow.outputs and (flow.kind == "dag" or flow.outputs):
        raise DriftgateError(
            f"{who} names the answer {named}, and the flow '{flow.name}' has no output '{output}'",
            nearest(output, sorted(flow.outputs)),
        )


def load_flow(
    name: str, workspace: Path, connections: Mapping[str, ConnectionConfig] = MappingProxyType({})
) -> FlowDefinition:
    """Load a flow by the name of a shipped flow or by a folder of the workspace.

    A flow is code. Only folders inside the workspace and the flows driftgate ships are loaded.

    Parameters
    ----------
    name : str
        A shipped flow; a folder with a ``flow.dag.yaml`` or a ``flow.flex.yaml``; or a file of any name that holds a
        DAG, an ``entry`` or a prompty.
    connections : Mapping
        Connections of the workspace; an llm node that names none asks the model that is being benchmarked.

    Raises
    ------
    DriftgateError
        There is no such flow, it lies outside the workspace, or its file does not define one.
    """
    file = read_flow_file(name, workspace)
    variants = file.dag.get("node_variants") or {}
    chosen = {node: str((entry or {}).get("default_variant_id")) for node, entry in variants.items()}
    return FlowDefinition(
        file.called,
        file.path.parent,
        file.dag,
        chosen,
        connections,
        workspace=None if file.root == SHIPPED else file.root,
        file_name=file.path.name,
        kind=file.kind,
    )
