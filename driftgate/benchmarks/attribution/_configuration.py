"""How each node of a flow is configured, and which nodes of two flows are configured otherwise."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.errors import DriftgateError
from driftgate.flows.reach import imports_of, node_sources

_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][\w-]*)\.([A-Za-z_]\w*)")
MODEL, RETRIEVER = "model", "retriever"
_ASKING = {"ask": MODEL, "search": RETRIEVER}
"""What the functions of :mod:`driftgate.flows.line` reach."""


@dataclass(frozen=True)
class NodeConfiguration:
    """Everything in a flow that decides what a node makes of its inputs."""

    node: str
    settings: str
    """Digest of the node in the DAG, its source apart."""
    source: str
    """Digest of its source and of the modules beside it which that imports."""
    needs: frozenset[str]
    """Nodes it takes something from."""
    inputs: frozenset[str]
    """Inputs of the flow that it takes."""
    reaches: frozenset[str]
    """What of a line its source asks for: ``model``, ``retriever``."""


@dataclass(frozen=True)
class Player:
    """Nodes that are exchanged together, and what of them differs."""

    nodes: tuple[str, ...]
    differs: tuple[str, ...]
    """``source``, ``settings``, ``model``, ``retriever``, ``input NAME``, ``added NODE``, ``removed NODE``."""

    @property
    def name(self) -> str:
        """The node's name; several are joined."""
        return "+".join(self.nodes)


def node_configurations(flow: FlowDefinition) -> dict[str, NodeConfiguration]:
    """The configuration of every node that is run for a sample, by name."""
    found = {}
    for node in flow.resolved_nodes():
        if node.get("aggregation"):
            continue
        settings = {name: value for name, value in node.items() if name not in ("source", "use_variants")}
        path = (node.get("source") or {}).get("path")
        settings["source"] = {name: value for name, value in (node.get("source") or {}).items() if name != "path"}
        wiring = json.dumps([node.get("inputs"), node.get("activate")], default=str)
        references = set(_REFERENCE.findall(wiring))
        files = node_sources(flow.folder, str(path)) if path else []
        reaches = {reached for file in files for reached in _reaches(file)}
        if node.get("type") == "llm":
            reaches.add(MODEL)
        found[node["name"]] = NodeConfiguration(
            node=node["name"],
            settings=digest(settings),
            source=hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest(),
            needs=frozenset(name for name, _ in references if name != "inputs"),
            inputs=frozenset(name for root, name in references if root == "inputs"),
            reaches=frozenset(reaches),
        )
    return found


def digest(value: Any) -> str:
    """Hash of a JSON value: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()


def players(
    first: Mapping[str, NodeConfiguration],
    second: Mapping[str, NodeConfiguration],
    changed_inputs: frozenset[str],
    changed_reach: frozenset[str],
) -> list[Player]:
    """The nodes that differ. A node that only one side has is exchanged together with those that take from it.

    Parameters
    ----------
    changed_inputs
        Inputs of the flow that the two sides are given differently.
    changed_reach
        ``model``, ``retriever``: what the two sides reach differently.
    """
    differs: dict[str, list[str]] = {}
    for name in [*first, *(name for name in second if name not in first)]:
        if name not in second:
            differs[name] = [f"removed {name}"]
        elif name not in first:
            differs[name] = [f"added {name}"]
        else:
            one, other = first[name], second[name]
            said = ["settings"] * (one.settings != other.settings) + ["source"] * (one.source != other.source)
            said += sorted((one.reaches | other.reaches) & changed_reach)
            said += [f"input {given}" for given in sorted((one.inputs | other.inputs) & changed_inputs)]
            if said:
                differs[name] = said
    group = {name: name for name in differs}
    for alone, side in ((set(first) - set(second), first), (set(second) - set(first), second)):
        for name in alone:
            for consumer in (node for node in side.values() if name in node.needs):
                old, new = group[consumer.node], group[name]
                group = {node: new if place == old else place for node, place in group.items()}
    members: dict[str, list[str]] = {}
    for name, place in group.items():
        members.setdefault(place, []).append(name)
    return [Player(tuple(nodes), tuple(w for node in nodes for w in differs[node])) for nodes in members.values()]


def common_order(*sides: Mapping[str, NodeConfiguration]) -> list[str]:
    """An order in which the nodes can run whichever side each is taken from.

    Raises
    ------
    DriftgateError
        There is none: what comes before what was exchanged.
    """
    graph: dict[str, set[str]] = {}
    for side in sides:
        for name, node in side.items():
            graph.setdefault(name, set()).update(node.needs & set(side))
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as problem:
        raise DriftgateError(
            f"the order of the nodes {', '.join(dict.fromkeys(problem.args[1]))} is another in each of the flows",
            "compare flows whose nodes run in one order",
        ) from problem


def _reaches(file: Path) -> set[str]:
    if file.suffix != ".py":
        return set()
    lines = [names for module, names in imports_of(file) if module == "driftgate.flows.line"]
    return {_ASKING[name] for names in lines for name in names if name in _ASKING}
