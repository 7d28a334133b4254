"""Load, validate and resolve a flow with prompt flow, for whichever engine then runs it.

What prompt flow refuses is refused, with its reason. :mod:`driftgate.flows.engines._direct` does without prompt flow
what it can.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Any

from driftgate.flows.connections import for_promptflow
from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._chat import ask_the_model
from driftgate.flows.engines._connections import connections_seen, provider_of
from driftgate.flows.engines._flex import resolve_flex
from driftgate.flows.engines._inputs import LineInputs
from driftgate.flows.engines._own_tools import own_tools
from driftgate.flows.engines._promptflow import compile_templates_once, environment_of, quiet_promptflow, refusals
from driftgate.flows.engines._prompty import resolve_prompty
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._scope import enter_environment, working_folder
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.whom import WHOM


def resolve_flow(flow: FlowDefinition) -> Resolved:
    """Load, validate and resolve ``flow`` with its chosen variants.

    Raises
    ------
    DriftgateError
        Prompt flow refuses the flow, whose reason is given, or the flow needs images or an assistant.
    """
    if not installed("promptflow"):
        raise MissingExtra("promptflow", f"the flow '{flow.name}'")
    quiet_promptflow()
    if flow.kind == "flex":
        return resolve_flex(flow)
    if flow.kind == "prompty":
        return resolve_prompty(flow)
    from promptflow.contracts.flow import Flow
    from promptflow.executor.flow_executor import FlowExecutor

    compile_templates_once()
    flow.check_connections()
    connections = for_promptflow(flow.connections)
    provider = provider_of(connections)
    with ExitStack() as scope:
        folder = working_folder(scope, flow)
        with refusals(flow), own_tools(flow, folder, scope), connections_seen(provider):
            loaded = Flow.from_yaml(flow.file, working_dir=folder)
            enter_environment(scope, environment_of(loaded, connections))
            for name, variant in flow.chosen.items():
                loaded.node_variants[name].default_variant_id = variant
            loaded._apply_default_node_variants()
            _forget_whom(loaded, flow.tested)
            _refuse_images(flow, loaded)
            asking = _render_what_is_asked(loaded)
            executor = FlowExecutor._create_from_flow(
                flow=loaded, flow_file=flow.file, connections=connections, working_dir=folder, raise_ex=False
            )
            resolved = executor._flow
            _refuse_references(flow, resolved)
            asks = {
                name: ask_the_model(name, api, executor._tools_manager.get_tool(name).keywords["template"], given)
                for name, (api, given) in asking.items()
            }
            for node in loaded.nodes:
                _refuse_assistant(flow, node.name, executor._tools_manager.get_tool(node.name))
        read = LineInputs(resolved)
        return Resolved(executor, resolved, scope.pop_all(), asks, read, folder=folder, connections=provider)


def _forget_whom(loaded: Any, tested: Collection[str]) -> None:
    """Take out whom the nodes that ask the model under test would ask otherwise."""
    for node in loaded.nodes:
        if node.name in tested:
            node.connection = None
            node.inputs = {name: one for name, one in node.inputs.items() if name not in WHOM}


def _render_what_is_asked(loaded: Any) -> dict[str, tuple[str, bool]]:
    """Make prompt nodes of the llm nodes that name no connection.

    Returns
    -------
    dict
        By node, which API it would use, and whether the model that it names comes from elsewhere than the flow.
    """
    from promptflow.contracts.flow import InputValueType
    from promptflow.contracts.tool import ToolType

    asking = {}
    for node in loaded.nodes:
        if node.type.value == "llm" and not node.connection:
            named = [node.inputs[name] for name in WHOM if name in node.inputs]
            given = any(one.value_type is not InputValueType.LITERAL for one in named)
            asking[node.name] = str(node.api or "chat"), given
            node.type = ToolType.PROMPT
    return asking


def _refuse_images(flow: FlowDefinition, loaded: Any) -> None:
    vision = loaded.message_format not in (None, "basic")
    named = [name for name, one in loaded.inputs.items() if one.type.value == "image"]
    if vision or named:
        what = f"its input '{named[0]}' is an image" if named else f"its message format is {loaded.message_format}"
        raise DriftgateError(f"the flow '{flow.name}' needs images: {what}", "images are not supported: give text")


def _refuse_assistant(flow: FlowDefinition, node: str, tool: Callable[..., Any]) -> None:
    kinds = {
        getattr(parameter.annotation, "__name__", str(parameter.annotation))
        for parameter in inspect.signature(tool).parameters.values()
    }
    for kind in ("AssistantDefinition", "Image"):
        if kind in kinds:
            raise DriftgateError(
                f"node '{node}' of the flow '{flow.name}' takes a prompt flow {kind}, which is not supported",
                "give it text",
            )


def _refuse_references(flow: FlowDefinition, resolved: Any) -> None:
    """Refuse at once what prompt flow refuses on every line: a reference to anything but a node's output."""
    assignments = [
        *(one for node in resolved.nodes for one in node.inputs.values()),
        *(node.activate.condition for node in resolved.nodes if node.activate),
        *(output.reference for output in resolved.outputs.values()),
    ]
    for one in assignments:
        if one.value_type.value == "NodeReference" and one.section != "output":
            raise DriftgateError(
                f"the flow '{flow.name}' refers to ${{{one.value}.{one.section}}}",
                f"write ${{{one.value}.output}}, with a point before what is inside it",
            )
