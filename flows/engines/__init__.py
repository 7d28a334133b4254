"""Ways to run one line of a flow; each is a module that exposes ``create``."""

from flows.engines._engine import ENGINES, Engine, EngineFactory, LineResult, NodeResult

__all__ = ["ENGINES", "Engine", "EngineFactory", "LineResult", "NodeResult"]
