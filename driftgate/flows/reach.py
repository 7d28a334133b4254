"""Which sources a node of a flow is made of, what they read from a reply, and whether they can ask the line's model.

A tool reaches the model through :mod:`driftgate.flows.line`. What a node's own modules import can be read; what an
installed package does, or a module that imports by name at run time, cannot, so it may ask.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.errors import DriftgateError
from driftgate.flows.flex import flex_sources

_DYNAMIC = frozenset({"builtins", "gc", "importlib", "inspect", "pkgutil", "runpy", "sys"})
"""Modules of the standard library by which any other module can be reached."""
_CALLS = frozenset({"__import__", "eval", "exec"})
_CANNOT = (sys.stdlib_module_names - _DYNAMIC) | {"promptflow"}
"""Top-level names of modules that never ask the model of a line."""
_READERS: Mapping[str, Literal["choice", "quantity"]] = {
    "driftgate.flows.quantities": "quantity",
    "driftgate.flows.extraction": "choice",
}
_CLIENTS = frozenset(
    {
        *("aiohttp", "anthropic", "azure", "boto3", "cohere", "google", "groq", "grpc", "httpx", "langchain"),
        *("langchain_openai", "litellm", "llama_index", "mistralai", "openai", "requests", "semantic_kernel"),
        *("http.client", "socket", "urllib.request", "urllib3", "websockets"),
    }
)
"""Modules by which a tool asks a service."""
_WHOLE_FLOWS = frozenset({"AsyncFlow", "Flow", "PFClient", "load_flow"})
"""What of prompt flow runs another flow."""
_ASKING = _WHOLE_FLOWS | {"AsyncPrompty", "Prompty"}
"""What of prompt flow asks a service by itself."""


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


def reads_of(flow: FlowDefinition) -> Literal["choice", "quantity", "none"]:
    """What the tools of a flow read from a reply with driftgate's own readers, as far as their imports tell."""
    if flow.port is not None:
        return "none"
    imported = {name for file in _sources(flow) if file.suffix == ".py" for name, _ in imports_of(file)}
    for module, read in _READERS.items():
        if any(name == module or name.startswith(f"{module}.") for name in imported):
            return read
    return "none"


def asks_elsewhere(flow: FlowDefinition) -> str:
    """Why a line of the flow may ask a service that is no model of the workspace, in words; empty where none does.

    An llm node with a connection, a tool of an installed package, and code that imports a client of a service or lets
    prompt flow ask by itself.
    """
    if flow.port is not None:
        return ""
    for node in flow.resolved_nodes():
        source, name = node.get("source") or {}, node["name"]
        if node.get("type") == "llm":
            if connection := flow.connection_of(node):
                return f"its node '{name}' asks the connection '{connection}'"
        elif source.get("type") == "package":
            return f"its node '{name}' is a tool of an installed package"
    for file in _sources(flow):
        for name, taken in imports_of(file) if file.suffix == ".py" else ():
            itself = name.split(".")[0] == "promptflow" and not _ASKING.isdisjoint(taken)
            if itself or name in _CLIENTS or name.split(".")[0] in _CLIENTS or name.startswith("promptflow.tools"):
                return f"its {file.name} imports {', '.join(sorted(_ASKING & {*taken})) if itself else name}"
    return ""


def asks_unseen(flow: FlowDefinition) -> str:
    """Who may ask a service where driftgate cannot see what it costs, in words; empty where nobody does."""
    if flow.port is not None:
        return f"the port {flow.name} asks for itself"
    for node in flow.resolved_nodes():
        model = node.get("model")
        settings = (model.get("configuration") if isinstance(model, dict) else None) or {}
        of_prompty = settings.get("connection") if isinstance(settings, dict) else None
        named = [node.get("connection"), of_prompty, *(node.get("inputs") or {}).values()]
        if found := [name for name in named if isinstance(name, str) and name in flow.connections]:
            return f"node '{node['name']}' of flow '{flow.name}' asks through the connection '{found[0]}'"
    elsewhere = asks_elsewhere(flow)
    return f"the flow '{flow.name}' may ask a service by itself: {elsewhere}" if elsewhere else ""


def _sources(flow: FlowDefinition) -> list[Path]:
    if flow.kind == "flex":
        return list(flex_sources(flow.folder))
    paths = [str((node.get("source") or {}).get("path")) for node in flow.resolved_nodes()]
    return [file for path in paths for file in node_sources(flow.folder, path)]


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
