"""Indexes over texts by the characters that they share with a query."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Scores = np.ndarray[tuple[int], np.dtype[np.float64]]


def words(text: str) -> list[str]:
    """Words without punctuation, in Unicode form NFKC and lower case."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


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
    return [word[i : i + 2] for word in words(text) for i in range(max(1, len(word) - 1))]


def grams(text: str, shortest: int = 2, longest: int = 4) -> list[str]:
    """Runs of characters within each word, its edges marked by a space.

    Examples
    --------
    >>> grams("병가", 2, 3)
    [' 병', '병가', '가 ', ' 병가', '병가 ']
    """
    edged = [f" {word} " for word in words(text)]
    return [
        word[i : i + size]
        for word in edged
        for size in range(shortest, longest + 1)
        for i in range(len(word) - size + 1)
        if word[i : i + size] != " "
    ]


@dataclass(frozen=True)
class Bm25:
    """BM25 over :func:`terms`.

    Source: S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, with the
    idf of Lucene; X. H. Lù, "BM25S", arXiv:2407.03618.
    """

    index: Any
    vocabulary: Mapping[str, int]
    size: int

    def scores(self, query: str) -> Scores:
        """One for each text; 0 where it shares no term with the query."""
        import numpy as np

        known = [self.vocabulary[term] for term in terms(query) if term in self.vocabulary]
        if not known:
            return np.zeros(self.size)
        return np.asarray(self.index.get_scores_from_ids(known), dtype=np.float64)


@lru_cache(maxsize=8)
def bm25_of(texts: tuple[str, ...], k1: float, b: float) -> Bm25:
    """Index texts; once for all who search the same ones."""
    import bm25s

    vocabulary: dict[str, int] = {}
    numbered = [[vocabulary.setdefault(term, len(vocabulary)) for term in terms(text)] for text in texts]
    index = bm25s.BM25(k1=k1, b=b, method="lucene")
    index.index((numbered, dict(vocabulary)), show_progress=False)
    return Bm25(index, vocabulary, len(texts))


@dataclass(frozen=True)
class TfIdf:
    """Cosine of tf-idf vectors over :func:`grams`, with 1 + log tf and a smoothed idf.

    Source: C. Manning, P. Raghavan and H. Schütze, "Introduction to Information Retrieval", 2008, section 6.4; the
    smoothing is scikit-learn's (``TfidfVectorizer(sublinear_tf=True)``).
    """

    matrix: Any
    vocabulary: Mapping[str, int]
    idf: Scores

    def scores(self, query: str) -> Scores:
        """One for each text, between 0 and 1."""
        import numpy as np

        vector = np.zeros(len(self.vocabulary))
        for gram, count in Counter(grams(query)).items():
            if (place := self.vocabulary.get(gram)) is not None:
                vector[place] = (1.0 + np.log(count)) * self.idf[place]
        length = float(np.linalg.norm(vector))
        return np.asarray(self.matrix @ (vector / length if length else vector), dtype=np.float64)


@lru_cache(maxsize=8)
def tfidf_of(texts: tuple[str, ...]) -> TfIdf:
    """Index texts; once for all who search the same ones."""
    import numpy as np
    from scipy.sparse import csr_matrix

    vocabulary: dict[str, int] = {}
    places: list[int] = []
    counts: list[int] = []
    ends = [0]
    for text in texts:
        counted = Counter(grams(text))
        places += [vocabulary.setdefault(gram, len(vocabulary)) for gram in counted]
        counts += counted.values()
        ends.append(len(places))
    held = np.bincount(places, minlength=len(vocabulary)) if places else np.zeros(len(vocabulary))
    idf = np.log((1 + len(texts)) / (1 + held)) + 1.0
    values = (1.0 + np.log(np.asarray(counts, dtype=np.float64))) * idf[places] if places else np.zeros(0)
    matrix = csr_matrix((values, places, ends), shape=(len(texts), len(vocabulary)))
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))).ravel()
    lengths[lengths == 0] = 1.0
    return TfIdf(matrix.multiply(1.0 / lengths[:, None]).tocsr(), vocabulary, idf)


def fused(scores: Sequence[Scores], weights: Sequence[float]) -> Scores:
    """Weighted mean of scores, each as a share of its best, so that 1 is first by every measure.

    Source: E. Fox and J. Shaw, "Combination of multiple searches", TREC-2, 1994 (CombSUM). On the questions that the
    weights were chosen on it was a little ahead of reciprocal rank fusion, which has no use for how far ahead the
    first is.

    Examples
    --------
    >>> import numpy as np
    >>> [float(s) for s in fused([np.array([4.0, 1.0, 0.0]), np.array([1.0, 2.0, 0.0])], [1.0, 1.0])]
    [0.75, 0.625, 0.0]
    """
    import numpy as np

    total = np.zeros(len(scores[0]))
    for one, weight in zip(scores, weights, strict=True):
        if (best := float(one.max(initial=0.0))) > 0:
            total += weight * one / best
    return np.asarray(total / sum(weights), dtype=np.float64)
