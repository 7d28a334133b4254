"""Read a DAG flow of templates and of driftgate's own tools without prompt flow, which takes seconds to import.

Whatever is not certain to mean the same in prompt flow is left to prompt flow: it is :class:`Unfit`. The rules, and
the order of the nodes, are those of its ``FlowValidator`` and ``ToolResolver``; the conformance suite runs every flow
that fits here through prompt flow's executor as well.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir
from enum import EnumMeta
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Union, get_args, get_origin

import yaml
from jinja2 import TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._dag import Activate, Assignment, Flow, Input, Node, NodeType, Origin, Output, ValueType
from driftgate.flows.engines._inputs import LineInputs, holds_image
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._sandbox import sandbox
from driftgate.flows.engines._scope import enter_environment, working_folder
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra
from driftgate.flows.own_code import OwnCode, own_code
from driftgate.flows.tool import MARK
from driftgate.flows.yaml_text import parse

_FLOW_KEYS = frozenset(
    {
        "$schema",
        "additional_includes",
        "description",
        "display_name",
        "environment",
        "environment_variables",
        "id",
        "inputs",
        "language",
        "message_format",
        "name",
        "node_variants",
        "nodes",
        "outputs",
        "tags",
        "type",
    }
)
_NODE_KEYS = frozenset({"activate", "comment", "inputs", "name", "source", "type", "use_variants"})
_USUAL = {"language": "python", "message_format": "basic"}
_IMAGE = re.compile(r"!\[\s*image\s*\]\(\{\{")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_NUMBER_LIKE = re.compile(r"[-+]?\.?[0-9][0-9a-fA-FxXoO_.:eE+-]*|[-+]?\.(inf|nan)", re.IGNORECASE)
_ONCE_BOOLEAN = frozenset({"yes", "no", "on", "off"})


class Unfit(Exception):
    """Prompt flow is needed: to run the flow, or to say what is wrong with it.

    Parameters
    ----------
    reason : str
        What was found.
    wrong : bool
        Whether the flow is wrong, and not only beyond what is done here.
    """

    def __init__(self, reason: str, *, wrong: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wrong = wrong


def read_directly(flow: FlowDefinition) -> Resolved:
    """Load, validate and resolve ``flow`` with its chosen variants.

    Raises
    ------
    Unfit
        It is a matter for prompt flow.
    """
    if os.environ.get("PF_USE_SANDBOX_FOR_JINJA", "true").lower() == "false":
        raise Unfit("PF_USE_SANDBOX_FOR_JINJA is false")
    _check_yaml(flow.file)
    _check_keys(flow)
    nodes = [_node(one) for one in flow.resolved_nodes()]
    dag = _ordered(Flow(nodes, _inputs(flow), _outputs(flow)))
    _check_references(dag)
    with ExitStack() as scope:
        folder = working_folder(scope, flow)
        sources = {node["name"]: _file(folder, node) for node in flow.resolved_nodes()}
        _check_sources(dag, sources)
        enter_environment(scope, _environment(flow))
        had = "promptflow" in sys.modules
        code = own_code(folder, *flow.code_folders[1:])
        if folder != flow.folder:
            scope.callback(code.close)
        tools: dict[str, Callable[..., Any]] = {}
        resolved = []
        with chdir(folder):
            for node in dag.nodes:
                if node.type is NodeType.PROMPT:
                    tools[node.name] = partial(_rendered, template=sources[node.name].read_text(encoding="utf-8"))
                    resolved.append(node)
                else:
                    tools[node.name] = _tool(_run(code, scope, sources[node.name]), sources[node.name])
                    resolved.append(_with_literals(node, tools[node.name]))
        if not had and "promptflow" in sys.modules:
            raise Unfit("a module that it imports imports promptflow")
        dag = Flow(resolved, dag.inputs, dag.outputs)
        return Resolved(None, dag, scope.pop_all(), {}, LineInputs(dag), folder, tools=tools)


def _rendered(template: str, **inputs: Any) -> str:
    return sandbox(trim_blocks=True, keep_trailing_newline=True).from_string(template).render(inputs)


def _check_yaml(file: Path) -> None:
    """Leave to prompt flow, which reads YAML 1.2, what YAML 1.1 reads otherwise."""
    found: list[str] = []
    seen: set[int] = set()

    def visit(node: yaml.Node | None) -> None:
        if id(node) in seen:  # an anchor and its aliases are one node
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if twice := sorted({key for key in keys if keys.count(key) > 1}):
                raise Unfit(f"'{twice[0]}' stands twice in one mapping of {file.name}", wrong=True)
            for pair in node.value:
                for one in pair:
                    visit(one)
        elif isinstance(node, yaml.SequenceNode):
            for one in node.value:
                visit(one)
        elif isinstance(node, yaml.ScalarNode) and node.style is None:
            text = node.value
            if text.lower() in _ONCE_BOOLEAN or (_NUMBER_LIKE.fullmatch(text) and not _NUMBER.fullmatch(text)):
                found.append(text)

    visit(parse(file.read_text(encoding="utf-8"), str(file))[0])
    if found:
        raise Unfit(f"'{found[0]}' in {file.name} means one thing in YAML 1.1 and may mean another in 1.2: quote it")


def _check_keys(flow: FlowDefinition) -> None:
    """Leave to prompt flow what the file says beyond nodes of the two kinds."""
    dag = flow.dag
    if other := set(dag) - _FLOW_KEYS:
        raise Unfit(f"it sets '{min(map(str, other))}'")
    for key, usual in _USUAL.items():
        if dag.get(key) not in (None, usual):
            raise Unfit(f"its {key} is {dag[key]}")
    for node in flow.resolved_nodes():
        name, kind = node["name"], node.get("type")
        if kind not in ("python", "prompt"):
            raise Unfit(f"its node '{name}' is of the type {kind}")
        if other := {key for key, value in node.items() if key not in _NODE_KEYS and value}:
            raise Unfit(f"its node '{name}' sets '{min(map(str, other))}'")
        source = node.get("source")
        if not isinstance(source, dict) or source.get("type", "code") != "code" or set(source) - {"type", "path"}:
            raise Unfit(f"the source of its node '{name}' is not a file")


def _node(given: Mapping[str, Any]) -> Node:
    inputs = given.get("inputs") or {}
    if not isinstance(inputs, dict):
        raise Unfit(f"the inputs of node '{given['name']}' are no mapping", wrong=True)
    activate = given.get("activate")
    if "activate" in given and not (isinstance(activate, dict) and {"when", "is"} <= set(activate)):
        raise Unfit(f"'activate' of node '{given['name']}' needs 'when' and 'is'", wrong=True)
    return Node(
        given["name"],
        NodeType(given["type"]),
        {str(name): Assignment.read(value) for name, value in inputs.items()},
        Activate(Assignment.read(activate["when"]), activate["is"]) if activate else None,
    )


def _inputs(flow: FlowDefinition) -> dict[str, Input]:
    made = {}
    for name, given in (flow.dag.get("inputs") or {}).items():
        made[str(name)] = Input(_type("input", name, given), given.get("default"))
    return made


def _outputs(flow: FlowDefinition) -> dict[str, Output]:
    made = {}
    for name, given in (flow.dag.get("outputs") or {}).items():
        _type("output", name, given)
        made[str(name)] = Output(Assignment.read(given.get("reference", "")))
    return made


def _type(kind: str, name: object, given: Any) -> ValueType:
    try:
        return ValueType(given["type"])
    except (KeyError, TypeError, ValueError):
        of = given.get("type") if isinstance(given, dict) else given
        raise Unfit(f"its {kind} '{name}' is of the type {of}") from None


def _ordered(flow: Flow) -> Flow:
    """The flow with its nodes in the order in which prompt flow sorts them."""
    names = [node.name for node in flow.nodes]
    for node in flow.nodes:
        if names.count(node.name) > 1:
            raise Unfit(f"it has two nodes '{node.name}'", wrong=True)
        if unknown := node.sources - set(names):
            raise Unfit(f"its node '{node.name}' refers to a node '{min(unknown)}', which is not there", wrong=True)
    left, sorted_ = list(flow.nodes), list[Node]()
    while left:
        done = {node.name for node in sorted_}
        ready = next((node for node in left if node.sources <= done), None)
        if ready is None:
            raise Unfit(f"its nodes {', '.join(sorted(node.name for node in left))} wait for one another", wrong=True)
        left.remove(ready)
        sorted_.append(ready)
    return Flow(sorted_, flow.inputs, flow.outputs)


def _check_references(flow: Flow) -> None:
    for whose, one in _assignments(flow):
        if one.value_type is Origin.NODE_REFERENCE and one.section != "output":
            raise Unfit(f"{whose} refers to ${{{one.value}.{one.section}}}: write ${{{one.value}.output}}", wrong=True)
        if one.value_type is Origin.FLOW_INPUT and one.value not in flow.inputs:
            raise Unfit(f"{whose} refers to an input '{one.value}', which is not there", wrong=True)
    names = {node.name for node in flow.nodes}
    for name, output in flow.outputs.items():
        one = output.reference
        if one.value == "" and one.value_type is Origin.LITERAL:
            raise Unfit(f"its output '{name}' refers to nothing", wrong=True)
        if one.value_type is Origin.NODE_REFERENCE and one.value not in names:
            raise Unfit(f"its output '{name}' refers to a node '{one.value}', which is not there", wrong=True)


def _assignments(flow: Flow) -> Iterator[tuple[str, Assignment]]:
    for node in flow.nodes:
        for one in (*node.inputs.values(), *([node.activate.condition] if node.activate else [])):
            yield f"its node '{node.name}'", one
    for name, output in flow.outputs.items():
        yield f"its output '{name}'", output.reference


def _file(folder: Path, node: Mapping[str, Any]) -> Path:
    path = node["source"].get("path")
    if not path or not (folder / str(path)).is_file():
        raise Unfit(f"the file of its node '{node['name']}' is not there: {path}", wrong=True)
    return folder / str(path)


def _check_sources(flow: Flow, sources: Mapping[str, Path]) -> None:
    for node in flow.nodes:
        file = sources[node.name]
        text = file.read_text(encoding="utf-8")
        if node.type is NodeType.PYTHON:
            if _imports_promptflow(text):
                raise Unfit(f"{file.name} imports promptflow; tools marked with driftgate.flows.tool do not need it")
            continue
        try:
            variables = meta.find_undeclared_variables(SandboxedEnvironment().parse(text))
        except TemplateError as problem:
            raise Unfit(f"{file.name} is no template: {problem}", wrong=True) from problem
        if "template" in variables:
            raise Unfit(f"{file.name} names a variable 'template'", wrong=True)
        if _IMAGE.search(text):
            raise Unfit(f"{file.name} shows an image")


def _imports_promptflow(source: str) -> bool:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False  # the import says why
    names = [alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names]
    names += [one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom) and not one.level]
    return any(name.split(".")[0] == "promptflow" for name in names)


def _environment(flow: FlowDefinition) -> dict[str, str]:
    """The flow's environment variables, as text as prompt flow gives them."""
    variables = flow.dag.get("environment_variables") or {}
    if not isinstance(variables, dict) or any(str(value).strip().startswith("${") for value in variables.values()):
        raise Unfit("its environment variables refer to connections")
    return {
        str(name): json.dumps(value) if isinstance(value, (dict, list)) else str(value)
        for name, value in variables.items()
    }


def _tool(module: ModuleType, file: Path) -> Callable[..., Any]:
    """The one function of a file that is marked as a tool."""
    functions = [
        one
        for _, one in inspect.getmembers(module)
        if isinstance(one, FunctionType) and hasattr(one, MARK) and one.__module__ == module.__name__
    ]
    if len(functions) != 1:
        names = ", ".join(one.__name__ for one in functions) or "none"
        raise Unfit(f"{file.name} must have one function marked with @tool; it has {names}", wrong=True)
    return functions[0]


def _run(code: OwnCode, scope: ExitStack, file: Path) -> ModuleType:
    """Run the file of a tool as a module of its own, which nobody else imports, as prompt flow does."""
    try:
        module = code.run(file.resolve())
    except DriftgateError as problem:
        cause = problem.__cause__
        missing = isinstance(cause, ModuleNotFoundError) and (cause.name or "").startswith("promptflow")
        raise Unfit(problem.message, wrong=not missing) from problem
    scope.callback(sys.modules.pop, module.__name__, None)
    return module


def _with_literals(node: Node, tool: Callable[..., Any]) -> Node:
    """The node with its constants converted to the types of the tool's parameters; empty ones are left out."""
    parameters = inspect.signature(tool).parameters
    inputs = {}
    for name, one in node.inputs.items():
        if one.value_type is not Origin.LITERAL:
            inputs[name] = one
        elif one.value is not None and one.value != "":
            value = one.value
            known = parameters.get(name)
            if known is not None and known.kind not in (known.VAR_KEYWORD, known.VAR_POSITIONAL):
                value = _converted(node.name, name, known, value)
            inputs[name] = Assignment(value)
    return Node(node.name, node.type, inputs, node.activate)


def _converted(node: str, name: str, parameter: inspect.Parameter, value: Any) -> Any:
    kind = _kind(parameter)
    try:
        made = kind.parse(value)
    except Exception as problem:
        reason = f"input '{name}' of its node '{node}' is {value!r}, and the tool takes {kind.value}"
        raise Unfit(reason, wrong=True) from problem
    if holds_image(made):
        raise Unfit(f"input '{name}' of its node '{node}' is an image")
    return made


def _kind(parameter: inspect.Parameter) -> ValueType:
    """The type of a tool's parameter.

    Source: ``promptflow._utils.tool_utils.param_to_definition``, without connections.
    """
    annotation: Any = parameter.annotation
    if get_origin(annotation) is Union:
        members: Sequence[Any] = [one for one in get_args(annotation) if one is not type(None)]
        annotation = members[0] if len(members) == 1 else object
    if annotation is parameter.empty and parameter.default is not parameter.empty:
        annotation = type(parameter.default)
    return ValueType.STRING if isinstance(annotation, EnumMeta) else ValueType.of(annotation)


def explained(flow: FlowDefinition, unfit: Unfit) -> DriftgateError:
    """What a person is told where prompt flow is not installed."""
    if unfit.wrong:
        return DriftgateError(f"the flow '{flow.name}' cannot be run: {unfit.reason}", f"correct {flow.file}")
    return MissingExtra("promptflow", f"the flow '{flow.name}' ({unfit.reason})")
