"""A flex flow: prompt flow loads its entry, whose call is the only node."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from driftgate.flows.connections import for_promptflow
from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._inputs import ExecutorInputs
from driftgate.flows.engines._own_tools import own_tools
from driftgate.flows.engines._promptflow import compile_templates_once, environment_of, refusals
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._scope import enter_environment, working_folder
from driftgate.flows.flex import NODE
from driftgate.flows.own_code import OwnCode


def resolve_flex(flow: FlowDefinition) -> Resolved:
    """Load a flex flow; a class is made once, with its declared ``init`` defaults.

    Raises
    ------
    DriftgateError
        Prompt flow refuses the flow; its reason is given.
    """
    from promptflow.contracts.flow import FlexFlow
    from promptflow.core._connection_provider._dict_connection_provider import DictConnectionProvider

    compile_templates_once()
    connections = for_promptflow(flow.connections)
    with ExitStack() as scope:
        folder = working_folder(scope, flow)
        with refusals(flow), own_tools(flow, folder, scope) as code:
            declared = FlexFlow.deserialize({"environment_variables": flow.dag.get("environment_variables")})
            enter_environment(scope, environment_of(declared, connections))
            provider = DictConnectionProvider({name: {"name": name, **one} for name, one in connections.items()})
            with _connections_from(provider):
                executor = _own_script(code)(flow.file, provider, folder)
        if executor._flow is not None:
            executor._flow.sample = {}  # it would stand in for a line that has no inputs
        return Resolved(
            executor,
            one_node(NODE, list(executor._inputs)),
            scope.pop_all(),
            {NODE: _entry(executor)},
            ExecutorInputs(executor),
            result=NODE,
            aggregate=getattr(executor, "_aggr_func_async", None),
        )


def _own_script(code: OwnCode) -> Any:
    """Prompt flow's executor of an entry, which imports the entry's module from the flow's own modules."""
    from promptflow.executor._script_executor import ScriptExecutor

    class OwnScript(ScriptExecutor):  # type: ignore[misc]
        def _parse_flow_file(self) -> tuple[str, str]:
            module, name = super()._parse_flow_file()
            return code.module_name(module.strip()), name

    return OwnScript


def one_node(name: str, inputs: list[str]) -> Any:
    """Prompt flow's ``Flow`` of one node that takes all inputs."""
    from promptflow.contracts.flow import Flow

    return Flow.deserialize(
        {
            "inputs": {given: {"type": "object"} for given in inputs},
            "outputs": {},
            "nodes": [{"name": name, "type": "python", "inputs": {given: f"${{inputs.{given}}}" for given in inputs}}],
        }
    )


@contextmanager
def _connections_from(provider: Any) -> Iterator[None]:
    """Let model configurations of an entry's ``__init__`` find their connections in the workspace, not in a keyring."""
    from promptflow.connections import ConnectionProvider

    before = ConnectionProvider._instance
    ConnectionProvider._instance = provider
    try:
        yield
    finally:
        ConnectionProvider._instance = before


def _entry(executor: Any) -> Callable[..., Awaitable[Any]] | Callable[..., Any]:
    """Call the entry; what it streams is joined, also inside the mapping or dataclass that it returns."""
    from promptflow._utils.dataclass_serializer import convert_dataclass_to_dict

    call = executor._func_async if executor._is_async else executor._func
    call = getattr(call, "__original_function", call)

    def in_a_thread(**inputs: Any) -> Any:
        return convert_dataclass_to_dict(executor._stringify_generator_output(call(**inputs)))

    async def on_the_loop(**inputs: Any) -> Any:
        given = call(**inputs)
        given = await given if inspect.isawaitable(given) else given
        return convert_dataclass_to_dict(await executor._stringify_generator_output_async(given))

    return on_the_loop if executor._is_async else in_a_thread
