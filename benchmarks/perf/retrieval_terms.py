"""Which terms find Korean passages? ``python -m benchmarks.perf.retrieval_terms`` prints the table of docs/rag.md."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import bm25s
import numpy as np

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.flows.documents import read_folder
from driftgate.flows.evaluators._text import stem
from driftgate.flows.retrieval._documents import SHIPPED
from driftgate.flows.retrieval._lexical import terms

Split = Callable[[str], list[str]]


def words(text: str) -> list[str]:
    """Words by white space, without punctuation."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def grams(size: int, form: str = "NFC") -> Split:
    """Runs of ``size`` characters within each word; in form NFD the characters are jamo."""

    def split(text: str) -> list[str]:
        forms = [unicodedata.normalize(form, word) for word in words(text)]  # type: ignore[arg-type]
        return [word[i : i + size] for word in forms for i in range(max(1, len(word) - size + 1))]

    return split


SPLITS: Mapping[str, Split] = {
    "words": words,
    "words without particles": lambda text: [stem(word) for word in words(text)],
    "**pairs of characters** (used)": terms,
    "triples of characters": grams(3),
    "three jamo": grams(3, "NFD"),
    "four jamo": grams(4, "NFD"),
}


def main() -> None:
    """Index the shipped documents by each kind of term, and search them with every shipped question."""
    dataset = load_dataset("handbook", parse_config({"kind": "handbook"}), Path())
    samples = [*dataset.samples, *dataset.shots]
    passages, _ = read_folder(SHIPPED, 400)
    print(f"{len(passages)} passages, {len(samples)} questions; a passage that holds the answer:")
    print("| terms | first | among two | mean reciprocal rank |\n|---|---|---|---|")
    for name, split in SPLITS.items():
        vocabulary: dict[str, int] = {}
        numbered = [[vocabulary.setdefault(term, len(vocabulary)) for term in split(p.text)] for p in passages]
        index = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
        index.index((numbered, dict(vocabulary)), show_progress=False)
        ranks = []
        for sample in samples:
            known = [vocabulary[term] for term in split(sample.data["question"]) if term in vocabulary]
            order = np.argsort(-index.get_scores_from_ids(known), kind="stable")
            holds = [
                passages[i].document in sample.data["relevant"] and sample.data["spans"][0] in passages[i].text
                for i in order
            ]
            ranks.append(holds.index(True) + 1)
        rank = np.array(ranks)
        print(f"| {name} | {(rank == 1).mean():.3f} | {(rank <= 2).mean():.3f} | {(1 / rank).mean():.3f} |")


if __name__ == "__main__":
    main()
