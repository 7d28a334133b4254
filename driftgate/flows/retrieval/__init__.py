"""Retrievers: a question in, passages of a team's documents out, the best first.

A kind of retriever is a module of this package that exposes ``KIND``; see :class:`RetrieverKind`.
"""

from driftgate.flows.retrieval._retriever import (
    RETRIEVERS,
    USUAL_KIND,
    Paid,
    Passage,
    Retriever,
    RetrieverConfig,
    RetrieverKind,
    ingest_of,
    open_retriever,
    paid_since,
    parse_config,
    read_ingest,
    unpriced_search,
)

__all__ = [
    "RETRIEVERS",
    "USUAL_KIND",
    "Paid",
    "Passage",
    "Retriever",
    "RetrieverConfig",
    "RetrieverKind",
    "ingest_of",
    "open_retriever",
    "paid_since",
    "parse_config",
    "read_ingest",
    "unpriced_search",
]
