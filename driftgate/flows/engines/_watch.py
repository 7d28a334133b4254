"""The time a node may take."""

from __future__ import annotations

from driftgate.flows.deadlines import Deadlines, Limit
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import interrupted


class NodeTimedOut(DriftgateError):
    """A node did not end within its time."""


class NodeWatch(Deadlines):
    """Cancels nodes that take longer than ``seconds``."""

    def node(self, name: str) -> Limit:
        """A context manager for the body of a node; it raises :class:`NodeTimedOut`."""
        return _Watched(self, name)


class _Watched(Limit):
    __slots__ = ("_name",)

    def __init__(self, watch: NodeWatch, name: str) -> None:
        super().__init__(watch)
        self._name = name

    def late(self) -> Exception:
        late = f"node '{self._name}' did not end within {self._deadlines.seconds:g} s"
        if asked := interrupted():
            return NodeTimedOut(f"{late}: {asked}", "see to the model's service, or raise node_timeout in the suite")
        return NodeTimedOut(late, "mend the tool, or raise node_timeout in the suite")
