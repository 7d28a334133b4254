"""A program that is to take a flow's place, and what its outputs say of the flow's nodes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.own_code import own_code
from driftgate.flows.own_sources import hash_of, module_sources

if TYPE_CHECKING:
    from driftgate.flows.engines import NodeResult

_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_]\w*)\.output((?:\.[A-Za-z_]\w*)*)\s*\}")


@dataclass(frozen=True)
class Port:
    """A Python callable, or a workflow object, that does what a flow does."""

    target: str
    """``package.module:name``."""
    folder: Path
    """Where its module is looked for first: the workspace."""
    python: Path | None = None
    """Interpreter of the environment it runs in, where that is not this one."""

    @property
    def source_hash(self) -> str:
        """Hash of the workspace's files that it runs, or of the name where it is installed: 12 hexadecimal digits."""
        code = own_code(self.folder)
        found = module_sources(code, self.target.partition(":")[0])
        return hashlib.sha256(f"{self.target}\0{hash_of(code, found)}".encode()).hexdigest()[:12]

    def check_needs(self, needed: Collection[str], inputs: Collection[str]) -> None:
        """Refuse a port that needs an input which the flow does not have.

        Raises
        ------
        DriftgateError
            It does.
        """
        if unknown := sorted(set(needed) - set(inputs)):
            raise DriftgateError(
                f"the port '{self.target}' needs '{unknown[0]}', which is no input of the flow",
                nearest(unknown[0], inputs),
            )


def output_references(dag: Mapping[str, Any]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The node, and the path into its output, that each output of a flow is taken from.

    Outputs taken from elsewhere, or through an index, are left out.

    Examples
    --------
    >>> output_references({"outputs": {"answer": {"reference": "${extract.output.answer}"}}})
    {'answer': ('extract', ('answer',))}
    """
    found = {}
    for name, declared in (dag.get("outputs") or {}).items():
        match = _REFERENCE.fullmatch(str((declared or {}).get("reference", "")).strip())
        if match is not None and match.group(1) != "inputs":
            found[name] = (match.group(1), tuple(filter(None, match.group(2).split("."))))
    return found


def flow_outputs(dag: Mapping[str, Any], nodes: Mapping[str, NodeResult]) -> dict[str, Any]:
    """The outputs of a line as far as what its nodes gave shows them."""
    found = {}
    for name, (node, path) in output_references(dag).items():
        result = nodes.get(node)
        if result is None or result.status != "completed":
            continue
        value = result.output
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        found[name] = value
    return found


def implied_nodes(dag: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
    """What the outputs of a line say of the nodes they are taken from: as much of each node's output as they show.

    So a port that has no node ``extract`` is still evaluated where the flow's answer is.

    Examples
    --------
    >>> implied_nodes({"outputs": {"answer": {"reference": "${extract.output.answer}"}}}, {"answer": "B"})
    {'extract': {'answer': 'B'}}
    """
    found: dict[str, Any] = {}
    for name, (node, path) in output_references(dag).items():
        if name not in output:
            continue
        if not path:
            found[node] = output[name]
            continue
        place = found.setdefault(node, {})
        for step in path[:-1]:
            place = place.setdefault(step, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict):
            place[path[-1]] = output[name]
    return found
