"""What material is about: texts as tf-idf vectors of jamo n-grams, clustered on the sphere.

Spherical k-means (Dhillon and Modha 2001, Concept decompositions for large sparse text data) with the seeding of
k-means++ (Arthur and Vassilvitskii 2007). Character n-grams need no morphology and no model, so every installation
clusters alike.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftgate.finetune._jamo import hashed_ngrams
from driftgate.finetune.synthesis._config import CoverageConfig
from driftgate.finetune.synthesis._values import Material

LENGTH, COLUMNS = 5, 2**16
"""Letters of an n-gram, and the values its hash is folded to."""
_ROUNDS, _KEYWORDS = 25, 4
_WORD = re.compile(r"[가-힣A-Za-z]{2,}")
_PLACEHOLDER = re.compile(r"<[A-Z_]+>")  # what stands for personal data
_MOST = 50


@dataclass(frozen=True, slots=True)
class Cluster:
    """Material of one subject."""

    name: str
    keywords: tuple[str, ...]
    """Words that stand in it more than elsewhere."""
    materials: int
    """Pieces of material."""
    failing: int
    """Samples that fail now and are nearest to it."""
    share: float
    """Part of the items it is to have."""


@dataclass(frozen=True)
class Coverage:
    """The clusters of some material."""

    clusters: tuple[Cluster, ...]
    of: Mapping[str, str]
    """The cluster of each material, by its id."""
    far: int = 0
    """Failing samples that are like none of the material: nothing can be made for them from it."""

    @property
    def shares(self) -> Mapping[str, float]:
        """Part of the items that each cluster is to have."""
        return {cluster.name: cluster.share for cluster in self.clusters}


def vectors(texts: Sequence[str], weights: npt.NDArray[np.float64] | None = None) -> Any:
    """Sparse rows of length 1 (of an empty text: 0), by n-gram frequency times inverse document frequency.

    Parameters
    ----------
    weights : array, optional
        Inverse document frequencies of other texts; by default those of these.
    """
    from scipy import sparse

    rows, hashes = hashed_ngrams(texts, LENGTH)
    counts = sparse.csr_array((np.ones(len(rows)), (rows, hashes % COLUMNS)), shape=(len(texts), COLUMNS))
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    found = counts @ sparse.diags_array(frequencies(counts) if weights is None else weights)
    lengths = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ found)


def frequencies(counts: Any) -> npt.NDArray[np.float64]:
    """Smoothed inverse document frequencies of the columns."""
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + documents)) + 1)


def cover(materials: Sequence[Material], config: CoverageConfig, seed: int, failing: Sequence[str] = ()) -> Coverage:
    """Cluster material and say which part of the items each cluster is to have.

    Parameters
    ----------
    failing : sequence of str
        What fails now; each counts for the cluster that it is nearest to.
    """
    from scipy import sparse

    texts = [f"{material.text}\n{material.passage}" for material in materials]
    rows, hashes = hashed_ngrams(texts, LENGTH)
    counts = sparse.csr_array((np.ones(len(rows)), (rows, hashes % COLUMNS)), shape=(len(texts), COLUMNS))
    counts.sum_duplicates()
    weights = frequencies(counts)
    found = vectors(texts, weights)
    wanted = config.clusters or round(math.sqrt(len(texts) / 2))
    places, centres = _clustered(found, max(1, min(wanted, len(texts), _MOST if not config.clusters else wanted)), seed)
    near = np.asarray(vectors(failing, weights) @ centres.T) if failing else np.zeros((0, len(centres)))
    like = near.max(axis=1) > 0 if failing else np.zeros(0, bool)
    hits = np.bincount(near.argmax(axis=1)[like], minlength=len(centres)) if failing else np.zeros(len(centres), int)
    sizes = np.bincount(places, minlength=len(centres))
    mix = sizes / sizes.sum() if config.mix == "natural" else (sizes > 0) / (sizes > 0).sum()
    part = config.weight if hits.sum() else 0.0
    shares = (1 - part) * mix + (part * hits / hits.sum() if hits.sum() else 0)
    words = _keywords(texts, places, len(centres))
    digits = len(str(len(centres)))
    clusters = tuple(
        Cluster(f"c{n + 1:0{digits}}", words[n], int(sizes[n]), int(hits[n]), round(float(shares[n]), 6))
        for n in range(len(centres))
    )
    of = {material.id: clusters[place].name for material, place in zip(materials, places, strict=True)}
    return Coverage(clusters, of, int((~like).sum()) if failing else 0)


def _clustered(rows: Any, count: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The cluster of each row, and the centres; clusters are numbered by their size, the largest first."""
    chance = np.random.default_rng(seed)
    chosen = [int(chance.integers(rows.shape[0]))]
    nearest = np.asarray((rows @ rows[[chosen[0]]].T).todense()).ravel()
    while len(chosen) < count:
        distance = np.maximum(1 - nearest, 0)
        if distance.sum() <= 1e-9:  # the rest are copies of what was chosen
            break
        chosen.append(int(chance.choice(rows.shape[0], p=distance / distance.sum())))
        nearest = np.maximum(nearest, np.asarray((rows @ rows[[chosen[-1]]].T).todense()).ravel())
    centres = np.asarray(rows[chosen].todense())
    places = np.full(rows.shape[0], -1)
    for _ in range(_ROUNDS):
        found = np.asarray(rows @ centres.T).argmax(axis=1)
        if (found == places).all():
            break
        places = found
        for number in range(len(centres)):
            own = np.flatnonzero(places == number)
            if len(own):
                middle = np.asarray(rows[own].sum(axis=0)).ravel()
                centres[number] = middle / max(float(np.linalg.norm(middle)), 1e-12)
    sizes = np.bincount(places, minlength=len(centres))
    order = [number for number in np.argsort(-sizes, kind="stable") if sizes[number]]
    renamed = np.zeros(len(centres), int)
    renamed[order] = np.arange(len(order))
    return renamed[places], centres[order]


def _keywords(texts: Sequence[str], places: npt.NDArray[np.int64], count: int) -> list[tuple[str, ...]]:
    everywhere: Counter[str] = Counter()
    inside: list[Counter[str]] = [Counter() for _ in range(count)]
    for text, place in zip(texts, places, strict=True):
        words = set(_WORD.findall(_PLACEHOLDER.sub(" ", text)))
        everywhere.update(words)
        inside[place].update(words)
    found = []
    for own in inside:
        rated = {word: n * math.log((1 + len(texts)) / everywhere[word]) for word, n in own.items()}
        found.append(tuple(sorted(rated, key=lambda word: (-rated[word], word))[:_KEYWORDS]))
    return found
