"""A flex flow: prompt flow loads its entry, whose call is the only node."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from driftgate.flows.connections import for_promptflow
from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._connections import connections_seen, provider_of
from driftgate.flows.engines._inputs import ExecutorInputs
from driftgate.flows.engines._own_tools import own_tools
from driftgate.flows.engines._promptflow import compile_templates_once, environment_of, refusals
from driftgate.flows.engines._resolved import Resolved
from driftgate.flows.engines._scope import enter_environment, working_folder
from driftgate.flows.flex import NODE
from driftgate.flows.own_code import OwnCode


def resolve_flex(flow: FlowDefinition) -> Resolved:
    """Load a flex flow; a class is made once, with the suite's ``init`` and its declared defaults.

    Raises
    ------
    DriftgateError
        Prompt flow refuses the flow; its reason is given.
    """
    from promptflow.contracts.flow import FlexFlow

    compile_templates_once()
    connections = for_promptflow(flow.connections)
    provider = provider_of(connections)
    with ExitStack() as scope:
        folder = working_folder(scope, flow)
        with refusals(flow), own_tools(flow, folder, scope) as code:
            declared = FlexFlow.deserialize({"environment_variables": flow.dag.get("environment_variables")})
            enter_environment(scope, environment_of(declared, connections))
            with connections_seen(provider):
                executor = _own_script(code)(flow.file, provider, folder, init_kwargs=dict(flow.init))
        if executor._flow is not None:
            executor._flow.sample = {}  # it would stand in for a line that has no inputs
        return Resolved(
            executor,
            one_node(NODE, list(executor._inputs)),
            scope.pop_all(),
            {NODE: _entry(executor)},
            ExecutorInputs(executor),
            folder,
            result=NODE,
            connections=provider,
            aggregate=_aggregating(executor),
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


def _aggregating(executor: Any) -> Callable[..., Any] | None:
    """The entry's ``__aggregate__``, whatever it calls its only parameter; an async one stays one."""
    given = getattr(executor, "_aggr_func_async", None)
    if given is None:
        return None

    def plain(returned: list[Any]) -> Any:
        return executor._aggr_func(returned)

    async def awaited(returned: list[Any]) -> Any:
        return await given(returned)

    return awaited if inspect.iscoroutinefunction(getattr(given, "__original_function", given)) else plain


def _entry(executor: Any) -> Callable[..., Any]:
    """The entry as its author wrote it."""
    call: Callable[..., Any] = executor._func_async if executor._is_async else executor._func
    return getattr(call, "__original_function", call)
