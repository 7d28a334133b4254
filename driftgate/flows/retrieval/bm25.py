"""BM25 over a folder of documents, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from driftgate.flows.documents import Ingest
from driftgate.flows.retrieval._documents import Documents, FolderConfig, check, ingest, read_documents
from driftgate.flows.retrieval._lexical import bm25_of
from driftgate.flows.retrieval._retriever import Passage, RetrieverKind


class Bm25Config(FolderConfig):
    """A folder of documents, searched by the pairs of characters that they share with the question."""

    kind: Literal["bm25"]
    """``bm25``."""
    k1: float = Field(1.5, ge=0)
    """How soon another occurrence of a term stops counting."""
    b: float = Field(0.75, ge=0, le=1)
    """How far a long passage is set back; 0: not at all."""


@dataclass
class Bm25Retriever:
    """An index over passages; built with the first search, once for all retrievers over the same passages."""

    config: Bm25Config
    documents: Documents
    identity: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Hash the passages."""
        settings = self.config.model_dump(exclude={"folder"})  # the same documents elsewhere are the same documents
        self.identity = {**settings, "passages": len(self.documents.passages), "sha256": self.documents.sha256}

    @property
    def passages(self) -> Sequence[Passage]:
        """All that can be found."""
        return self.documents.passages

    @property
    def ingest(self) -> Ingest:
        """What became of the files."""
        return self.documents.ingest

    async def search(self, query: str, count: int | None = None) -> Sequence[Passage]:
        """Rank the passages; see :class:`driftgate.flows.retrieval.Retriever`. What shares no term is not found."""
        import numpy as np

        scores = bm25_of(tuple(p.text for p in self.passages), self.config.k1, self.config.b).scores(query)
        best = np.argsort(-scores, kind="stable")[: count or self.config.count]
        return [replace(self.passages[i], score=round(float(scores[i]), 4)) for i in best if scores[i] > 0]

    async def aclose(self) -> None:
        """Nothing is held open."""


def open_retriever(name: str, config: Bm25Config, folder: Path) -> Bm25Retriever:
    """Read the documents."""
    return Bm25Retriever(config, read_documents(name, config, folder))


KIND = RetrieverKind(Bm25Config, open_retriever, check, ingest)
