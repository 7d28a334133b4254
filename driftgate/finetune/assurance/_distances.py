"""How near made items are to the records they were made from, and to records that nothing was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftgate.finetune._jamo import hashed_ngrams

_LENGTH = 6
_BATCH = 256
_Z = 1.645
"""Quantile of the normal distribution for bounds of 95% on each side."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Nearness:
    """Cosine similarity of tf-idf vectors of jamo n-grams, 0 to 1."""

    to_source: Floats
    """Of every item: to the nearest source."""
    to_held_out: Floats
    of_source: Floats
    """Of every source: to the nearest item."""
    of_held_out: Floats


def nearness(items: Sequence[str], sources: Sequence[str], held_out: Sequence[str], seed: int) -> Nearness:
    """Measure the distances to the closest record; sources and held-out records are made equally many by a draw.

    Among more records there is a nearer one, so that unequal numbers would say one is copied where none is.
    """
    rng = np.random.default_rng(seed)
    size = min(len(sources), len(held_out))
    real = [text for side in (sources, held_out) for text in _drawn(side, size, rng)]
    vectors = _vectors([*real, *items])
    alike = [
        np.asarray((vectors[start : start + _BATCH] @ vectors[: 2 * size].T).todense())
        for start in range(2 * size, vectors.shape[0], _BATCH)
    ]
    near = np.concatenate(alike)
    of_real = near.max(axis=0)
    return Nearness(near[:, :size].max(axis=1), near[:, size:].max(axis=1), of_real[:size], of_real[size:])


def closer_share(near: Nearness) -> tuple[float, tuple[float, float]]:
    """Share of the items that are nearer to a source than to a held-out record, a tie counting half, and its bounds.

    Platzer and Reutterer, Holdout-Based Empirical Assessment of Mixed-Type Synthetic Data, 2021,
    https://doi.org/10.3389/fdata.2021.679939. Bounds are Wilson's.
    """
    closer = (near.to_source > near.to_held_out + 1e-9) + 0.5 * (np.abs(near.to_source - near.to_held_out) <= 1e-9)
    n, share = len(closer), float(closer.mean())
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return share, (float(middle - half), float(middle + half))


def membership_advantage(near: Nearness, seed: int) -> tuple[float, tuple[float, float]]:
    """How well "an item is near to it" tells sources from held-out records: true minus false positive rate, and bounds.

    The advantage is that of Yeom et al., Privacy Risk in Machine Learning, 2018, https://arxiv.org/abs/1709.01604; the
    attack is that of Chen et al. on generators, GAN-Leaks, 2020, https://arxiv.org/abs/1909.03935. The threshold is
    chosen on one half and the advantage taken on the other, and the other way round: one that is chosen and tried on
    the same records finds an advantage where there is none.
    """
    rng = np.random.default_rng(seed)
    halves = [
        (near.of_source[own % 2 == half], near.of_held_out[other % 2 == half])
        for own, other in [(rng.permutation(len(near.of_source)), rng.permutation(len(near.of_held_out)))]
        for half in (0, 1)
    ]
    rates = [_rates(*halves[half], threshold=_threshold(*halves[1 - half])) for half in (0, 1)]
    value = float(np.mean([true - false for true, false in rates]))
    n = len(near.of_source)
    true, false = (min(max(float(np.mean(rate)), 1 / n), 1 - 1 / n) for rate in zip(*rates, strict=True))
    half_width = _Z * float(np.sqrt((true * (1 - true) + false * (1 - false)) / n))
    return value, (value - half_width, value + half_width)


def _threshold(members: Floats, others: Floats) -> float:
    values = np.unique(np.concatenate([members, others]))
    gains = [np.mean(members >= value) - np.mean(others >= value) for value in values]
    return float(values[int(np.argmax(gains))])


def _rates(members: Floats, others: Floats, threshold: float) -> tuple[float, float]:
    return float(np.mean(members >= threshold)), float(np.mean(others >= threshold))


def _drawn(texts: Sequence[str], size: int, rng: np.random.Generator) -> list[str]:
    return [texts[place] for place in sorted(rng.choice(len(texts), size, replace=False))]


def _vectors(texts: Sequence[str]) -> Any:
    """Sparse rows of length 1."""
    from scipy import sparse

    rows, hashes = hashed_ngrams(texts, _LENGTH)
    known, columns = np.unique(hashes, return_inverse=True)
    counts = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(known)))
    counts.sum_duplicates()
    found = np.bincount(counts.indices, minlength=len(known))
    counts.data = (1 + np.log(counts.data)) * np.log((1 + len(texts)) / (1 + found[counts.indices])) + 1e-12
    sizes = np.sqrt(np.asarray(counts.power(2).sum(axis=1)).ravel())
    return sparse.diags_array(1 / np.maximum(sizes, 1e-12)) @ counts
