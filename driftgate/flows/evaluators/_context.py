"""What an evaluator may know of the workspace it is bound in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.models import Capabilities, ModelConfig


@dataclass(frozen=True)
class EvaluatorContext:
    """Given to every factory that has a parameter ``context``."""

    models: Mapping[str, ModelConfig] = field(default_factory=dict)
    """The workspace's models, of which a judge is one."""
    folder: Path = field(default_factory=Path)
    """The workspace."""
    connections: Mapping[str, ConnectionConfig] = field(default_factory=dict)
    """The workspace's connections, for the llm nodes of evaluation flows."""
    known: Callable[[str], Capabilities | None] = field(default=lambda name: None, compare=False, repr=False)
    """What was learnt of the deployment of a model, by the model's name."""
