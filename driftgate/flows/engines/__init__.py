"""Ways to run one line of a flow; each is a module that exposes ``create``."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
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
else:
    __getattr__ = lazily(__name__, __file__)

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
