"""A flow whose tools are loaded, by prompt flow or without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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
    folder: Path
    """Where its tools work: its folder, or the copy of it with its additional includes."""
    result: str = ""
    """The node that gives all outputs, whatever their names; empty where the flow says which node gives which."""
    aggregate: Callable[..., Any] | None = None
    """A flex flow's ``__aggregate__``, sync or async; it takes what the lines ``returned``."""
    connections: Any = None
    """Prompt flow's provider of the workspace's connections; None where the flow was read without prompt flow."""
    tools: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """By node, the tools that were loaded without prompt flow."""

    def tool(self, node: str) -> Callable[..., Any]:
        """The tool of a node."""
        ours = self.asks.get(node) or self.tools.get(node)
        tool: Callable[..., Any] = ours or self.executor._tools_manager.get_tool(node)
        return tool
