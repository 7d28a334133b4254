"""Whom the llm nodes of a flow ask: the connection or the model that they name, or the model under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftgate.flows.errors import DriftgateError, nearest

WHOM = ("model", "deployment_name")
"""Inputs of an llm node that name a model."""


def tested_dag(dag: Mapping[str, Any], names: Sequence[str], flow: str) -> dict[str, Any]:
    """A flow's DAG whose llm nodes of these names ask the model under test, though they name a connection or a model.

    Raises
    ------
    DriftgateError
        There is no such node, or it is none that asks a model by itself.
    """
    variants = dag.get("node_variants") or {}
    asking = {str(node["name"]) for node in dag["nodes"] if node.get("type") == "llm"}
    asking |= {name for name, one in variants.items() if any(node.get("type") == "llm" for node in _nodes_of(one))}
    for name in names:
        if name not in asking:
            raise DriftgateError(
                f"the suite lists '{name}' as tested, which is no llm node of the flow '{flow}'",
                nearest(name, sorted(asking)) if asking else "leave it out: a tool in Python asks whom it names",
            )
    made = {**dag, "nodes": [_nameless(node) if node["name"] in names else node for node in dag["nodes"]]}
    if variants:
        made["node_variants"] = {
            name: _nameless_variants(one) if name in names else one for name, one in variants.items()
        }
    return made


def _nodes_of(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [variant["node"] for variant in entry["variants"].values()]


def _nameless(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node, or a prompty's, without the names of whom it would ask."""
    made = {name: value for name, value in node.items() if name != "connection"}
    if node.get("inputs"):
        made["inputs"] = {name: value for name, value in node["inputs"].items() if name not in WHOM}
    if isinstance(model := node.get("model"), dict):
        made["model"] = {name: value for name, value in model.items() if name != "configuration"}
    return made


def _nameless_variants(entry: Mapping[str, Any]) -> dict[str, Any]:
    variants = entry["variants"].items()
    return {**entry, "variants": {name: {**one, "node": _nameless(one["node"])} for name, one in variants}}
