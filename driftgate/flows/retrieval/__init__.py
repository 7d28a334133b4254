"""Retrievers: a question in, passages of a team's documents out, the best first.

A kind of retriever is a module of this package that exposes ``KIND``; see :class:`RetrieverKind`.
"""

from driftgate.flows.retrieval._retriever import (
    RETRIEVERS,
    Passage,
    Retriever,
    RetrieverConfig,
    RetrieverKind,
    open_retriever,
    parse_config,
)

__all__ = [
    "RETRIEVERS",
    "Passage",
    "Retriever",
    "RetrieverConfig",
    "RetrieverKind",
    "open_retriever",
    "parse_config",
]
