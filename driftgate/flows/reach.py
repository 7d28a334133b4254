"""Which sources a node of a flow is made of, and whether it can reach the model of its line.

A tool reaches the model through :mod:`driftgate.flows.line`. What a node's own modules import can be read; what an
installed package does, or a module that imports by name at run time, cannot, so it may ask.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.errors import DriftgateError
from driftgate.flows.flex import flex_sources

_DYNAMIC = frozenset({"builtins", "gc", "importlib", "inspect", "pkgutil", "runpy", "sys"})
"""Modules of the standard library by which any other module can be reached."""
_CALLS = frozenset({"__import__", "eval", "exec"})
_CANNOT = (sys.stdlib_module_names - _DYNAMIC) | {"promptflow"}
"""Top-level names of modules that never ask the model of a line."""
_WHOLE_FLOWS = frozenset({"AsyncFlow", "Flow", "PFClient", "load_flow"})
"""What of prompt flow runs another flow."""


def check_asks(flow: FlowDefinition) -> None:
    """Refuse a flow of which it can be told beforehand that it never asks the model under test.

    Raises
    ------
    DriftgateError
        None of its nodes can.
    """
    if not may_ask(flow):
        raise DriftgateError(
            f"no node of the flow '{flow.name}' can ask the model under test, so that its score would be no model's",
            "give it a node that asks (an llm node without a connection, driftgate.flows.line.ask in a tool); to grade "
            "recorded answers, bind it as an evaluator (evaluator: flow:PATH) and name a model of provider 'recorded'",
        )


def may_ask(flow: FlowDefinition) -> bool:
    """Whether a line of the flow could ask the model under test; False only where none can."""
    if flow.port is not None or flow.includes:
        return True
    if flow.kind == "flex":
        return any(_reaches_out(file, flow.folder) for file in flex_sources(flow.folder) if file.suffix == ".py")
    return any(_node_may_ask(flow, node) for node in flow.resolved_nodes() if not node.get("aggregation"))


def _node_may_ask(flow: FlowDefinition, node: Mapping[str, Any]) -> bool:
    if node.get("type") == "llm":
        return not flow.connection_of(node)
    source = node.get("source") or {}
    if node.get("type") == "prompt":
        return False
    if node.get("type") != "python" or source.get("type") == "package":
        return not str(source.get("tool", "")).startswith("promptflow.")
    return any(_reaches_out(file, flow.folder) for file in node_sources(flow.folder, str(source.get("path"))))


def node_sources(folder: Path, path: str) -> list[Path]:
    """A node's file, and the modules of the flow's folder that it imports, in the order of their names."""
    found: set[Path] = set()
    waiting = [folder / path]
    while waiting:
        file = waiting.pop()
        if file in found or not file.is_file():
            continue
        found.add(file)
        if file.suffix == ".py":
            waiting += [beside for name, _ in imports_of(file) for beside in _beside(folder, file, name)]
    beside = sorted(found - {folder / path})
    return [file for file in (folder / path, *beside) if file in found]


def imports_of(file: Path) -> list[tuple[str, Sequence[str]]]:
    """Modules that a Python file imports, each with the names it takes from it; none where it is no Python."""
    return [
        found
        for part in ast.walk(_tree(file) or ast.Module([], []))
        for found in (
            [(alias.name, ()) for alias in part.names]
            if isinstance(part, ast.Import)
            else [("." * part.level + (part.module or ""), [alias.name for alias in part.names])]
            if isinstance(part, ast.ImportFrom)
            else []
        )
    ]


def _beside(folder: Path, file: Path, name: str) -> list[Path]:
    """The files of the flow that an import may mean."""
    places = [file.parent] if name.startswith(".") else [folder, file.parent]
    top = name.lstrip(".").split(".")[0]
    if not top:  # from . import x
        return sorted(file.parent.glob("*.py"))
    packages = [place / top for place in places if (place / top).is_dir()]
    modules = [place / f"{top}.py" for place in places if (place / f"{top}.py").is_file()]
    return [*modules, *(inner for package in packages for inner in sorted(package.rglob("*.py")))]


def _reaches_out(file: Path, folder: Path) -> bool:
    """Whether a file imports, or could import, what is neither its flow's own nor known never to ask."""
    tree = _tree(file)
    if tree is None:  # the engine says it better
        return True
    if any(isinstance(part, ast.Name) and part.id in _CALLS for part in ast.walk(tree)):
        return True
    for name, taken in imports_of(file):
        top = name.split(".")[0]
        runs_flows = top == "promptflow" and (not taken or not _WHOLE_FLOWS.isdisjoint(taken))
        if (top not in _CANNOT or runs_flows) and not _beside(folder, file, name):
            return True
    return False


def _tree(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return None
