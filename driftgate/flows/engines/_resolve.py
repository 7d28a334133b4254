"""Load, validate and resolve a flow with prompt flow, for whichever engine then runs it.

What prompt flow refuses is refused, with its reason. :mod:`driftgate.flows.engines._direct` does without prompt flow
what it can.
"""

from __future__ import annotations

import inspect
import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from driftgate.flows.connections import for_promptflow
from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._chat import ask_the_model
from driftgate.flows.engines._inputs import LineInputs
from driftgate.flows.engines._own_tools import own_tools
from driftgate.flows.engines._scope import enter_environment, working_folder
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extras import MissingExtra, installed


@dataclass(frozen=True)
class Resolved:
    """A flow whose tools are loaded."""

    executor: Any
    """Prompt flow's ``FlowExecutor``; None where the flow was read without it."""
    flow: Any
    """Prompt flow's ``Flow`` or ours, the chosen variants in place and the nodes in topological order."""
    scope: ExitStack
    """Ends what the flow needs from outside: its environment variables and its merged folder."""
    asks: Mapping[str, Callable[..., Any]]
    """What nodes do that have no tool of prompt flow's: the llm nodes that ask the line's model, by node."""
    read_inputs: Callable[[Mapping[str, Any]], dict[str, Any]]
    """Checks and converts a line's inputs."""
    result: str = ""
    """The node that gives all outputs, whatever their names; empty where the flow says which node gives which."""
    aggregate: Callable[[list[Any]], Awaitable[Any]] | None = None
    """A flex flow's ``__aggregate__``; it takes what the lines returned."""
    tools: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """By node, the tools that were loaded without prompt flow."""

    def tool(self, node: str) -> Callable[..., Any]:
        """The tool of a node."""
        ours = self.asks.get(node) or self.tools.get(node)
        tool: Callable[..., Any] = ours or self.executor._tools_manager.get_tool(node)
        return tool


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
        from driftgate.flows.engines._flex import resolve_flex

        return resolve_flex(flow)
    if flow.kind == "prompty":
        from driftgate.flows.engines._prompty import resolve_prompty

        return resolve_prompty(flow)
    from promptflow.contracts.flow import Flow
    from promptflow.executor.flow_executor import FlowExecutor

    compile_templates_once()
    flow.check_connections()
    connections = for_promptflow(flow.connections)
    with ExitStack() as scope:
        folder = working_folder(scope, flow)
        with refusals(flow), own_tools(flow, folder, scope):
            loaded = Flow.from_yaml(flow.file, working_dir=folder)
            enter_environment(scope, environment_of(loaded, connections))
            for name, variant in flow.chosen.items():
                loaded.node_variants[name].default_variant_id = variant
            loaded._apply_default_node_variants()
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
        return Resolved(executor, resolved, scope.pop_all(), asks, LineInputs(resolved))


@contextmanager
def refusals(flow: FlowDefinition) -> Iterator[None]:
    """Make what prompt flow raises in the body of a ``with`` its reason for refusing the flow."""
    try:
        yield
    except DriftgateError:
        raise
    except (Exception, SystemExit) as problem:  # its own classes, and whatever a tool's module raises on import
        if (own := _own_fault(problem)) is not None:
            raise DriftgateError(f"the flow '{flow.name}': {own.message}", own.remedy) from problem
        raise DriftgateError(
            f"prompt flow refuses the flow '{flow.name}': {one_line(str(problem))}", f"correct {flow.file}"
        ) from problem


def _own_fault(problem: BaseException) -> DriftgateError | None:
    """What is wrong with the flow's own code, around which prompt flow has put an exception of its own."""
    cause: BaseException | None = problem
    while cause is not None and not isinstance(cause, DriftgateError):
        cause = cause.__cause__
    return cause


_OF_A_CONNECTION = re.compile(r"\$\{([^.{}]+)\.([^.{}]+)\}")


def environment_of(loaded: Any, connections: Mapping[str, Any]) -> dict[str, str]:
    """The flow's environment variables; ``${connection.key}`` is replaced, as prompt flow does."""
    variables: dict[str, str] = loaded.get_environment_variables_with_overrides()
    for name, value in variables.items():
        found = _OF_A_CONNECTION.fullmatch(value.strip())
        if found and found[1] in connections:
            values = connections[found[1]]["value"]
            if found[2] not in values:
                raise DriftgateError(f"the connection '{found[1]}' has no '{found[2]}'", nearest(found[2], values))
            variables[name] = values[found[2]]
    return variables


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
            named = [node.inputs[name] for name in ("model", "deployment_name") if name in node.inputs]
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


def quiet_promptflow() -> None:
    """Keep prompt flow from logging every line, from sending telemetry and from starting its service."""
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""  # the temporary folder of Windows is the user's own
    home = Path(os.environ.setdefault("PF_HOME_DIRECTORY", str(Path(gettempdir()) / f"driftgate-pf{user}")))
    settings = home / "pf.yaml"
    if not settings.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.write_text("telemetry:\n  enabled: false\ntrace:\n  destination: none\n", encoding="utf-8")
    os.environ.setdefault("PF_DISABLE_TRACING", "true")
    for switch in ("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED"):
        os.environ.setdefault(switch, "true")
    os.environ.setdefault("PF_LOGGING_LEVEL", "CRITICAL")  # read when its loggers are made
    from promptflow._utils import logger_utils

    for logger in (logger_utils.logger, logger_utils.flow_logger, logger_utils.bulk_logger):
        logger.setLevel(logging.CRITICAL)
    # It also makes azure-core print every request it sends.
    azure = logging.getLogger("azure.core.pipeline.policies._universal")
    azure.handlers.clear()
    azure.setLevel(logging.WARNING)


def compile_templates_once() -> None:
    """Give prompt flow's renderer an environment that remembers: it parses a node's template anew for every line.

    Its llm tools take the turns of their prompts from ours, so that no value begins one.
    """
    from promptflow.core import _utils
    from promptflow.tools import aoai, aoai_gpt4v, common, openai, openai_gpt4v

    from driftgate.flows.engines._chat import build_messages
    from driftgate.flows.engines._sandbox import sandbox

    common.SandboxedEnvironment = _utils.SandboxedEnvironment = sandbox
    for tools in (common, aoai, aoai_gpt4v, openai, openai_gpt4v):
        tools.build_messages = build_messages


def one_line(text: str) -> str:
    """Text without line breaks, at most 500 characters of it."""
    return " ".join(text.split())[:500]


def described(problem: BaseException) -> tuple[str, str]:
    """Reason and class of what ended a node or a line."""
    kind = type(problem).__name__
    return one_line(str(problem)) or kind, kind
