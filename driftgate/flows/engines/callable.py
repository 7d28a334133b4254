"""A port in a flow's place: a Python callable or a workflow object, here or in an environment of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines import _port_program
from driftgate.flows.engines._engine import NODE_TIMEOUT, LineResult, NodeResult
from driftgate.flows.engines._port_process import PortProcess
from driftgate.flows.errors import DriftgateError
from driftgate.flows.foreign import described, is_its_own, own_copy
from driftgate.flows.line import Line, entered
from driftgate.flows.own_code import own_code


@dataclass
class PortEngine:
    """Calls a port with each line's inputs by name."""

    flow: FlowDefinition
    call: _port_program.Call
    """Takes a line's inputs; returns what the port gave and what it tells of its steps."""
    process: PortProcess | None
    timeout: float
    """Seconds a line may take."""

    async def run_line(self, inputs: Mapping[str, Any], line: Line) -> LineResult:
        """Take one line through the port; see :class:`driftgate.flows.engines.Engine`.

        Raises
        ------
        DriftgateError
            The port's process cannot be begun or has ended.
        """
        began = time.perf_counter()
        line.given(inputs)
        try:
            with entered(line):
                async with asyncio.timeout(self.timeout):
                    given, told = await self.call(own_copy({**self.flow.input_defaults, **inputs}))
            output = self._output(given)
        except TimeoutError:
            return LineResult(None, {}, error=f"the port did not end within {self.timeout:g} s")
        except DriftgateError as problem:
            if self.process is not None and not self.process.alive:
                raise
            return LineResult(None, {}, error=str(problem))
        except BaseException as problem:  # someone else's program may raise anything, and it concerns this line alone
            if not is_its_own(problem):
                raise
            return LineResult(None, {}, error=" ".join(described(problem).split()))
        if isinstance(given, Mapping):  # what it returns beside the outputs may be called after nodes
            told = told | {name: value for name, value in given.items() if name not in output}
        seconds = time.perf_counter() - began
        nodes = {
            name: NodeResult(name, "completed", told[name], seconds) for name in self.flow.node_names if name in told
        }
        return LineResult(output, nodes)

    def _output(self, given: Any) -> dict[str, Any]:
        declared = sorted(self.flow.outputs)
        if isinstance(given, Mapping):
            if absent := [name for name in declared if name not in given]:
                raise ValueError(f"the port returned no '{', '.join(absent)}'")
            return {name: given[name] for name in declared}
        if len(declared) != 1:
            raise TypeError(f"the port returned {type(given).__name__}, expected a dict with {', '.join(declared)}")
        return {declared[0]: given}

    async def aclose(self) -> None:
        """End the port's process, if it has one."""
        if self.process is not None:
            await self.process.aclose()


def create(flow: FlowDefinition, *, node_timeout: float = NODE_TIMEOUT) -> PortEngine:
    """Import the port that is to take the flow's place; in another environment that happens with the first line.

    Raises
    ------
    DriftgateError
        The port cannot be imported, or needs an input that the flow does not have.
    """
    port = flow.port
    if port is None:
        raise DriftgateError(f"the flow '{flow.name}' is no port", "name package.module:function in its place")
    if port.python is not None:
        process = PortProcess(port, flow.inputs)
        return PortEngine(flow, process, process, node_timeout)
    try:
        target = own_code(port.folder).load(port.target)
        call, needed = _port_program.prepare(target), _port_program.needs(target)
    except DriftgateError as problem:
        raise DriftgateError(
            f"the port '{port.target}' cannot be imported: {problem.message}", problem.remedy
        ) from problem
    except Exception as problem:  # what has no signature is no port
        raise DriftgateError(
            f"the port '{port.target}' cannot be called: {type(problem).__name__}: {problem}",
            "name a function, a workflow object, or a function without parameters that makes either",
        ) from problem
    port.check_needs(needed, flow.inputs)
    return PortEngine(flow, call, None, node_timeout)
