"""A folder of documents, searched by words, by runs of characters, by what stands around them, and by embeddings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from driftgate.flows.documents import Ingest
from driftgate.flows.retrieval._documents import Documents, FolderConfig, contexts, ingest, read_documents
from driftgate.flows.retrieval._documents import check as check_documents
from driftgate.flows.retrieval._embeddings import EmbeddingsConfig, check_embeddings, open_embedder
from driftgate.flows.retrieval._lexical import bm25_of, fused, tfidf_of
from driftgate.flows.retrieval._retriever import Paid, Passage, RetrieverKind

if TYPE_CHECKING:
    from driftgate.flows.retrieval._embeddings import Embedder, Vectors
    from driftgate.flows.retrieval._lexical import Scores

REACH = 2
"""Passages before and after one that are its context."""
WEIGHTS = (1.0, 2.0, 3.0, 6.0)
"""Of BM25 and n-grams over passages, and of the same over their contexts.

Chosen on the questions of the part ``dev`` of ``benchmarks/perf/retrieval_set``, and on nothing else.
"""


class HybridConfig(FolderConfig):
    """A folder of documents, searched in several ways whose rankings are fused."""

    kind: Literal["hybrid"] = "hybrid"
    """``hybrid``, which is also the kind of a retriever that names none."""
    k1: float = Field(1.5, ge=0)
    """Of BM25: how soon another occurrence of a term stops counting."""
    b: float = Field(0.75, ge=0, le=1)
    """Of BM25: how far a long passage is set back; 0: not at all."""
    embeddings: EmbeddingsConfig | None = None
    """A service whose embeddings make a further ranking. Unset: none, and nothing leaves this machine."""


@dataclass
class HybridRetriever:
    """Fuses rankings over passages; indexes are built with the first search."""

    name: str
    config: HybridConfig
    documents: Documents
    embedder: Embedder | None = None
    identity: Mapping[str, Any] = field(init=False)
    _vectors: Vectors | None = field(default=None, init=False)
    _embedding: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        """Hash the passages."""
        settings = self.config.model_dump(exclude={"folder", "embeddings"})
        settings |= {"weights": list(WEIGHTS), "reach": REACH}
        if (by := self.config.embeddings) is not None and self.embedder is not None:
            settings["embeddings"] = {**by.asked_of(self.embedder.endpoint), "weight": by.weight}
        self.identity = {**settings, "passages": len(self.documents.passages), "sha256": self.documents.sha256}

    @property
    def ingest(self) -> Ingest:
        """What became of the files."""
        return self.documents.ingest

    def take_paid(self) -> Sequence[Paid]:
        """What its embeddings took since this was asked last."""
        if self.embedder is None:
            return ()
        taken, self.embedder.paid = self.embedder.paid, []
        return taken

    @property
    def unpriced(self) -> str:
        """Why it is not known what a search costs; empty where it is."""
        by = self.config.embeddings
        return f"the embeddings of retriever '{self.name}' have no price" if by is not None and by.price is None else ""

    async def search(self, query: str, count: int | None = None) -> Sequence[Passage]:
        """Rank the passages; see :class:`driftgate.flows.retrieval.Retriever`.

        Without embeddings, what shares no character with the query is not found.

        Raises
        ------
        ModelMisconfigured
            The passages' embeddings were not to be had, which stops the run.
        ModelError
            The query's were not to be had.
        """
        import numpy as np

        rankings, weights = self._by_words(query), list(WEIGHTS)
        if self.embedder is not None and self.config.embeddings is not None:
            rankings.append(await self._by_embeddings(query, self.embedder))
            weights.append(self.config.embeddings.weight)
        scores = fused(rankings, weights)
        best = np.argsort(-scores, kind="stable")[: count or self.config.count]
        passages = self.documents.passages
        return [replace(passages[i], score=round(float(scores[i]), 4)) for i in best if scores[i] > 0]

    async def aclose(self) -> None:
        """Close the connections."""
        if self.embedder is not None:
            await self.embedder.aclose()

    def _by_words(self, query: str) -> list[Scores]:
        plain = tuple(passage.text for passage in self.documents.passages)
        around = tuple(contexts(self.documents.passages, REACH))
        return [
            index.scores(query)
            for texts in (plain, around)
            for index in (bm25_of(texts, self.config.k1, self.config.b), tfidf_of(texts))
        ]

    async def _by_embeddings(self, query: str, embedder: Embedder) -> Scores:
        import numpy as np

        if not query.strip():
            return np.zeros(len(self.documents.passages))
        async with self._embedding:
            if self._vectors is None:
                self._vectors = await embedder.of_passages([passage.text for passage in self.documents.passages])
        vector = await embedder.of_query(query)
        cosines = np.asarray(self._vectors @ vector, dtype=np.float64)
        least, most = float(cosines.min()), float(cosines.max())  # most models know no cosine of 0
        return np.asarray((cosines - least) / (most - least), dtype=np.float64) if most > least else cosines * 0 + 1


def open_retriever(name: str, config: HybridConfig, folder: Path) -> HybridRetriever:
    """Read the documents; the service is asked with the first search."""
    embedder = None if config.embeddings is None else open_embedder(name, config.embeddings, folder)
    return HybridRetriever(name, config, read_documents(name, config, folder), embedder)


def check(name: str, config: HybridConfig, folder: Path) -> str:
    """Read the documents, and connect to the host of the embeddings."""
    found = check_documents(name, config, folder)
    if config.embeddings is None:
        return found
    return f"{found}; embeddings: {check_embeddings(name, config.embeddings, folder)}"


KIND = RetrieverKind(HybridConfig, open_retriever, check, ingest)
