"""Ways to run one line of a flow; each is a module that exposes ``create``."""

from driftgate.flows.engines._aggregate import numbers
from driftgate.flows.engines._engine import (
    ENGINES,
    NODE_TIMEOUT,
    AggregatingEngine,
    Aggregation,
    Engine,
    EngineFactory,
    FinishedLine,
    LineResult,
    NodeResult,
    ReplayingEngine,
)
from driftgate.flows.engines._open import open_engine

__all__ = [
    "ENGINES",
    "NODE_TIMEOUT",
    "AggregatingEngine",
    "Aggregation",
    "Engine",
    "EngineFactory",
    "FinishedLine",
    "LineResult",
    "NodeResult",
    "ReplayingEngine",
    "numbers",
    "open_engine",
]
