"""A flex flow's file as a DAG of one node: what its entry takes and gives, read without running it.

Source: prompt flow, "Class and function based flows" (``flow.flex.yaml``).
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from driftgate.flows.errors import DriftgateError

FLEX_FILES = ("flow.flex.yaml", "flow.flex.yml")
AGGREGATE = "__aggregate__"
NODE = "flow"
"""Name of a flex flow's only node."""
_WRITTEN = (".log", ".tmp")
"""How files end that a flow writes in its folder while it runs, and that make no other flow of it."""
_SCALARS = ("str", "int", "float", "bool")


def flex_dag(file: Path, flow: Any) -> dict[str, Any]:
    """The DAG that stands for a flex flow: one node, ``flow``, whose output is what the entry returns.

    Inputs are the parameters of the entry and what the file declares; outputs are what the file declares, or
    ``output`` where the entry is annotated to return a text or a number.

    Parameters
    ----------
    file : Path
        The flow's file.
    flow : Any
        What it holds.

    Raises
    ------
    DriftgateError
        It has no entry, or its entry is not in the flow's folder.
    """
    if not isinstance(flow, dict) or not isinstance(flow.get("entry"), str):
        raise DriftgateError(f"{file} has no entry", "write entry: module:function, or module:Class")
    if (language := flow.get("language", "python")) != "python":
        raise DriftgateError(f"{file} is a flow in {language}", "only flows in Python are run")
    for part in ("inputs", "outputs", "init", "sample", "environment_variables"):
        if not isinstance(flow.get(part) or {}, dict):
            raise DriftgateError(f"{file} has '{part}' that is no mapping", "correct the file")
    module, _, name = flow["entry"].partition(":")
    source = _source(file, module.strip(), flow.get("additional_includes"))
    callee, made_by, aggregates = _entry(file, source, name.strip())
    inputs = _parameters(callee) if callee else {}
    for given, declared in (flow.get("inputs") or {}).items():
        inputs[given] = {**inputs.get(given, {}), **(declared or {})}
    return {
        **{part: flow[part] for part in ("environment_variables", "additional_includes") if flow.get(part)},
        "inputs": inputs,
        "outputs": _outputs(flow.get("outputs") or {}, callee),
        "aggregates": aggregates,
        "makes": made_by,
        "nodes": [
            {
                "name": NODE,
                "type": "python",
                "source": {"type": "code", "path": os.path.relpath(source, file.parent)},
                "entry": flow["entry"],
                "init": [flow.get("init"), (flow.get("sample") or {}).get("init")],
                "inputs": {given: f"${{inputs.{given}}}" for given in inputs},
            }
        ],
    }


def flex_sources(folder: Path) -> Iterator[Path]:
    """The files that a flex flow may use: all of its folder but its evaluators, what Python keeps, and logs."""
    for file in sorted(folder.rglob("*")):
        kept = "__pycache__" in file.parts or any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.is_file() and not kept and not file.name.endswith(("evaluators.yaml", *_WRITTEN)):
            yield file


def _source(file: Path, module: str, includes: Any) -> Path:
    parts = module.split(".")
    beside = [(file.parent / str(path)).parent for path in includes or []] if isinstance(includes, list) else []
    if all(part.isidentifier() for part in parts):
        for folder in (file.parent, *beside):
            for found in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
                if found.is_file():
                    return found
    raise DriftgateError(
        f"{file}: the module '{module}' of its entry is not in the flow's folder",
        "write entry: module:function, the module beside the file",
    )


_Callee = ast.FunctionDef | ast.AsyncFunctionDef


def _entry(file: Path, source: Path, name: str) -> tuple[_Callee | None, list[str] | None, bool]:
    """What is called, if the module itself defines it, what its class is made with, and whether it aggregates."""
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as problem:
        raise DriftgateError(f"{file}: {source.name} is not Python: {problem}", "correct it") from problem
    classes = {one.name: one for one in tree.body if isinstance(one, ast.ClassDef)}
    if name not in classes:
        functions = [one for one in tree.body if isinstance(one, _Callee) and one.name == name]
        return (functions[-1] if functions else None), None, False
    methods: dict[str, _Callee] = {}
    waiting = [classes[name]]
    while waiting:  # the class itself goes before its bases
        one = waiting.pop(0)
        methods = {method.name: method for method in one.body if isinstance(method, _Callee)} | methods
        waiting += [classes.pop(base.id) for base in one.bases if isinstance(base, ast.Name) and base.id in classes]
    call = methods.get("__call__")
    if call is not None:
        _without_self(call)
    init = methods.get("__init__")
    if init is not None:
        _without_self(init)
    return call, list(_parameters(init)) if init else [], AGGREGATE in methods


def _without_self(method: _Callee) -> None:
    arguments = method.args.posonlyargs or method.args.args
    del arguments[:1]


def _parameters(callee: _Callee) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    named = callee.args
    positional = [*named.posonlyargs, *named.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(named.defaults)) + [*named.defaults]
    pairs = [
        *zip(positional, defaults, strict=True),
        *zip(named.kwonlyargs, named.kw_defaults, strict=True),
    ]
    for argument, default in pairs:
        found[argument.arg] = {}
        if default is not None:
            try:
                found[argument.arg]["default"] = ast.literal_eval(default)
            except ValueError:  # an expression; the entry itself knows its value
                continue
    return found


def _outputs(declared: Mapping[str, Any], callee: _Callee | None) -> dict[str, Any]:
    returns = callee.returns if callee is not None else None
    if isinstance(returns, ast.Name) and returns.id in _SCALARS:
        return {"output": {"reference": f"${{{NODE}.output}}"}}
    return {name: {"reference": f"${{{NODE}.output.{name}}}"} for name in declared}
