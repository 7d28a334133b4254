"""The engine for a flow: the one that is asked for, or the one that runs its port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from driftgate.flows.definition import FlowDefinition
from driftgate.flows.engines._engine import ENGINES, NODE_TIMEOUT, Engine, LineResult, NodeResult
from driftgate.flows.line import Line
from driftgate.flows.port import implied_nodes


@dataclass
class _StandIn:
    """Runs a port, and tells of the flow's nodes what the port's outputs say of them."""

    inner: Engine
    flow: FlowDefinition
    """The flow whose place is taken."""

    async def run_line(self, inputs: Mapping[str, Any], line: Line) -> LineResult:
        result = await self.inner.run_line(inputs, line)
        implied = {} if result.output is None else implied_nodes(self.flow.dag, result.output)
        added = {
            name: NodeResult(name, "completed", output, 0.0)
            for name, output in implied.items()
            if name not in result.nodes
        }
        return replace(result, nodes={**result.nodes, **added})

    async def aclose(self) -> None:
        await self.inner.aclose()


def open_engine(flow: FlowDefinition, name: str, *, node_timeout: float = NODE_TIMEOUT) -> Engine:
    """Prepare the engine called ``name`` for a flow; a port has an engine of its own.

    Raises
    ------
    DriftgateError
        There is no such engine, or the flow or its port is not valid.
    """
    engine = ENGINES.get("callable" if flow.port else name)(flow, node_timeout=node_timeout)
    return engine if flow.stands_for is None else _StandIn(engine, flow.stands_for)
