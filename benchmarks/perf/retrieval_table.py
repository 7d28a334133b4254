"""Which retriever finds the document that answers? ``python -m benchmarks.perf.retrieval_table`` prints the table.

Thirty documents of a made-up firm and a hundred questions, ``benchmarks/perf/retrieval_set``. The hybrid's settings
were chosen on the sixty of the part ``dev``; the forty of ``held`` were written before that, and looked at when it was
done. Beside them the 128 questions of the shipped handbook, whose words are mostly those of its documents.
``--embeddings`` adds rows with those of the small local model that driftgate ships, served on loopback; ``--cases``
prints what the hybrid misses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.documents import read_folder
from driftgate.flows.retrieval import Passage, open_retriever
from driftgate.flows.retrieval import parse_config as parse_retriever
from driftgate.flows.retrieval._documents import SHIPPED
from driftgate.flows.retrieval._lexical import tfidf_of

SET = Path(__file__).parent / "retrieval_set"
DEPTH = 1000
WORKSPACE = Path(tempfile.gettempdir()) / "driftgate-retrieval-table"
"""Where embeddings are kept between runs of this script."""

PATIENT = {"in_flight": 1, "timeout": 600.0}

Search = Callable[[str], Sequence[Passage]]


@dataclass(frozen=True)
class Question:
    """A question, and the documents that answer it: none, where there is no answer."""

    id: str
    kind: str
    text: str
    relevant: tuple[str, ...]
    span: str = ""
    """Words that the passage with the answer holds; empty: any passage of the document will do."""


def questions(split: str) -> list[Question]:
    """Those of a part of the set."""
    rows = map(json.loads, (SET / "questions.jsonl").read_text(encoding="utf-8").splitlines())
    return [Question(r["id"], r["kind"], r["question"], tuple(r["relevant"])) for r in rows if r["split"] == split]


def handbook() -> list[Question]:
    """All questions about the shipped handbook."""
    dataset = load_dataset("handbook", parse_config({"kind": "handbook"}), Path())
    samples = [*dataset.samples, *dataset.shots]
    return [Question(s.id, "plain", s.data["question"], tuple(s.data["relevant"]), s.data["spans"][0]) for s in samples]


def kind_of(config: dict[str, Any], documents: Path) -> Search:
    """A retriever of a kind, over a folder."""
    parsed = parse_retriever({"folder": str(documents), "count": 100, **config})
    retriever = open_retriever("table", parsed, WORKSPACE)

    async def once(query: str) -> Sequence[Passage]:
        try:
            return await retriever.search(query)
        finally:
            await retriever.aclose()

    return lambda query: asyncio.run(once(query))


def tfidf(documents: Path) -> Search:
    """Cosine of tf-idf over runs of two to four characters of each passage, on its own."""
    passages, _ = read_folder(documents, 400)
    index = tfidf_of(tuple(p.text for p in passages))

    def search(query: str) -> Sequence[Passage]:
        scores = index.scores(query)
        order = np.argsort(-scores, kind="stable")
        return [Passage(passages[i].id, passages[i].document, passages[i].text) for i in order if scores[i] > 0]

    return search


def rank(search: Search, question: Question) -> int:
    """The place of the first document that answers, among documents; :data:`DEPTH` where it is not found.

    Where the words of the answer are known, that of the first passage which holds them, among passages.
    """
    if question.span:
        held = (p.document in question.relevant and question.span in p.text for p in search(question.text))
        return next((place for place, holds in enumerate(held, start=1) if holds), DEPTH)
    found = list(dict.fromkeys(passage.document for passage in search(question.text)))
    places = [found.index(name) + 1 for name in question.relevant if name in found]
    return min(places, default=DEPTH)


def report(name: str, search: Search, asked: Sequence[Question]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """One row of the table."""
    ranks = np.array([rank(search, question) for question in asked if question.relevant])
    print(f"{name:34} {(ranks <= 1).mean():.3f}      {(ranks <= 3).mean():.3f}      {(1 / ranks).mean():.3f}")
    return ranks


@contextmanager
def local_embeddings() -> Iterator[dict[str, Any]]:
    """The shipped model, Gemma 3 270M, as a server of embeddings on loopback."""
    import xllamacpp

    from driftgate.flows.models.local import embedded_model

    params = xllamacpp.CommonParams()
    params.model.path = str(embedded_model())
    params.embedding, params.n_ctx, params.n_batch, params.n_ubatch, params.warmup = True, 2048, 2048, 2048, False
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_parallel, params.verbosity, params.cpuparams.n_threads = 1, -1, 2
    server = xllamacpp.Server(params)
    yield {"endpoint": f"{server.listening_address}/v1", "model": "gemma3-270m", "price": 0.0, "batch": 4, **PATIENT}


def main() -> None:
    """Print the table."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--embeddings", action="store_true")
    given.add_argument("--cases", action="store_true")
    given.add_argument("--part", choices=("dev", "held", "handbook"), action="append")
    asked = given.parse_args()
    parts = {"dev": questions("dev"), "held": questions("held"), "handbook": handbook()}
    for part, of in parts.items():
        if asked.part and part not in asked.part:
            continue
        documents = SHIPPED if part == "handbook" else SET / "documents"
        answerable = [question for question in of if question.relevant]
        print(f"\n{part}: {len(answerable)} questions with an answer, {len(of) - len(answerable)} without")
        print(f"{'':34} recall@1   recall@3   mrr")
        report("bm25", kind_of({"kind": "bm25"}, documents), of)
        report("character tf-idf", tfidf(documents), of)
        hybrid = kind_of({"kind": "hybrid"}, documents)
        ranks = report("hybrid", hybrid, of)
        if asked.embeddings:
            with local_embeddings() as by:
                report("hybrid, Gemma 3 270M", kind_of({"kind": "hybrid", "embeddings": by}, documents), of)
                by["weight"] = 1e6
                report("Gemma 3 270M alone", kind_of({"kind": "hybrid", "embeddings": by}, documents), of)
        if part != "handbook":
            for kind in dict.fromkeys(question.kind for question in answerable):
                own = np.array([r for r, q in zip(ranks, answerable, strict=True) if q.kind == kind])
                print(f"    hybrid, {kind:20} {int((own <= 1).sum())} and {int((own <= 3).sum())} of {len(own)}")
            none = [question for question in of if not question.relevant]
            empty = sum(not hybrid(question.text) for question in none)
            print(f"    nothing found for {empty} of {len(none)} questions without an answer")
        if asked.cases:
            for question, place in zip(answerable, ranks, strict=True):
                if place > 1:
                    print(f"    {place:4}  {question.text}  ({', '.join(question.relevant)})")


if __name__ == "__main__":
    main()
