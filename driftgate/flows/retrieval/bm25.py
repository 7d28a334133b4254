"""BM25 over a folder of documents, in this process."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from driftgate.flows.errors import DriftgateError
from driftgate.flows.path_settings import READ
from driftgate.flows.retrieval._documents import read_passages
from driftgate.flows.retrieval._retriever import Passage, RetrieverConfig, RetrieverKind
from driftgate.flows.text import on_disk
from driftgate.shipped import shipped

SHIPPED = shipped("flows") / "rag_qa" / "documents"
"""The handbook of a made-up firm that comes with the flow ``rag_qa``."""


class Bm25Config(RetrieverConfig):
    """A folder of ``.md`` and ``.txt`` files."""

    kind: Literal["bm25"]
    """``bm25``."""
    folder: Annotated[str | None, READ] = None
    """Folder of the documents. Unset: the sixteen documents that ship with ``rag_qa``."""
    longest: int = Field(400, ge=50)
    """Characters of a passage, at most; longer paragraphs are cut between sentences."""
    k1: float = Field(1.5, ge=0)
    """How soon another occurrence of a term stops counting."""
    b: float = Field(0.75, ge=0, le=1)
    """How far a long passage is set back; 0: not at all."""


@dataclass
class Bm25Retriever:
    """An index over passages; built with the first search, once for all retrievers over the same passages."""

    config: Bm25Config
    passages: tuple[Passage, ...]
    identity: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Hash the passages."""
        content = hashlib.sha256("\0".join(f"{p.id}\n{p.text}" for p in self.passages).encode()).hexdigest()
        settings = self.config.model_dump(exclude={"folder"})  # the same documents elsewhere are the same documents
        self.identity = {**settings, "passages": len(self.passages), "sha256": content[:16]}

    async def search(self, query: str, count: int | None = None) -> Sequence[Passage]:
        """Rank the passages; see :class:`driftgate.flows.retrieval.Retriever`. What shares no term is not found."""
        import numpy as np

        index, vocabulary = _index(tuple(p.text for p in self.passages), self.config.k1, self.config.b)
        known = [vocabulary[term] for term in terms(query) if term in vocabulary]
        if not known:
            return []
        scores = index.get_scores_from_ids(known)
        best = np.argsort(-scores, kind="stable")[: count or self.config.count]
        return [replace(self.passages[i], score=round(float(scores[i]), 4)) for i in best if scores[i] > 0]

    async def aclose(self) -> None:
        """Nothing is held open."""


@lru_cache(maxsize=8)
def _index(texts: tuple[str, ...], k1: float, b: float) -> tuple[Any, Mapping[str, int]]:
    """The index and its vocabulary.

    Source: S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, with the
    idf of Lucene; X. H. Lù, "BM25S", arXiv:2407.03618.
    """
    import bm25s

    vocabulary: dict[str, int] = {}
    numbered = [[vocabulary.setdefault(term, len(vocabulary)) for term in terms(text)] for text in texts]
    index = bm25s.BM25(k1=k1, b=b, method="lucene")
    index.index((numbered, dict(vocabulary)), show_progress=False)
    return index, vocabulary


def terms(text: str) -> list[str]:
    """Pairs of neighbouring characters within each word; a word of one character as it stands.

    Korean particles and endings attach to the noun, so that a word seldom stands in question and document alike;
    its pairs do. On the shipped questions they found more than words, words without particles, triples and jamo:
    see the documentation of ``rag_qa``.

    Examples
    --------
    >>> terms("연차휴가는 며칠인가?")
    ['연차', '차휴', '휴가', '가는', '며칠', '칠인', '인가']
    """
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    return [word[i : i + 2] for word in words for i in range(max(1, len(word) - 1))]


def open_retriever(name: str, config: Bm25Config, folder: Path) -> Bm25Retriever:
    """Read the documents."""
    return Bm25Retriever(config, read_passages(_documents(name, config, folder), config.longest))


def check(name: str, config: Bm25Config, folder: Path) -> str:
    """Read the documents."""
    passages = open_retriever(name, config, folder).passages
    return f"{len({p.document for p in passages})} documents, {len(passages)} passages"


def _documents(name: str, config: Bm25Config, folder: Path) -> Path:
    if config.folder is None:
        return SHIPPED
    found = on_disk(folder / config.folder).resolve()
    if not found.is_dir():
        raise DriftgateError(f"retriever '{name}': there is no folder {found}", "make it, or correct 'folder'")
    return found


KIND = RetrieverKind(Bm25Config, open_retriever, check)
