"""Ways to run one line of a flow; each is a module that exposes ``create``."""

from flows.engines._engine import (
    ENGINES,
    NODE_TIMEOUT,
    Engine,
    EngineFactory,
    LineResult,
    NodeResult,
    ReplayingEngine,
)

__all__ = [
    "ENGINES",
    "NODE_TIMEOUT",
    "Engine",
    "EngineFactory",
    "LineResult",
    "NodeResult",
    "ReplayingEngine",
]
