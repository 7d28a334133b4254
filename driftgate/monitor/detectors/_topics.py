"""Texts as points whose nearness says that they are about the same, and groups of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Points = NDArray[np.float32]

_DIRECTIONS = 32
_ROWS_A_DIRECTION = 20
_GROUPS = 24
_ROWS_A_GROUP = 40
_SPARE = 10
_RARITY = 1.5
_PASSES = 3
_ROUNDS = 30


def placed(counts: csr_array, rng: np.random.Generator) -> Points:
    r"""Place texts by the counts of their n-grams.

    A count c of an n-gram that df of N texts have weighs :math:`\ln(1 + c) \ln(N / df)^{1.5}`. With the usual power of
    1 what two texts of one language share, whatever they are about, hides what they do not; with 2 a topic of a third
    of the texts weighs hardly anything. The weights' centred matrix is reduced to its leading
    directions, at most 32, by a randomised decomposition [1]_, and each text is brought to length 1, so that a long one
    counts no more than a short one.

    References
    ----------
    .. [1] Halko, Martinsson, Tropp (2011). Finding structure with randomness. SIAM Review 53, 217-288.
    """
    had = np.bincount(counts.indices, minlength=counts.shape[1])
    counts, had = counts[:, had > 0], had[had > 0]
    texts, _ = counts.shape
    rarity = (np.abs(np.log(had / texts)) ** _RARITY).astype(np.float32)
    weights = counts.copy()
    weights.data = np.log1p(counts.data) * rarity[counts.indices]
    lengths = np.sqrt(np.asarray((weights**2).sum(axis=1)))
    weights.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(weights.indptr))
    mean = np.asarray(weights.mean(axis=0), dtype=np.float32)

    # The centred matrix has no zeros left and is never made: its products are the sparse one's, less the mean's.
    def times(basis: Points) -> Points:
        return np.asarray(weights @ basis - mean @ basis, dtype=np.float32)

    def turned_times(rows: Points) -> Points:
        return np.asarray(weights.T @ rows - np.outer(mean, rows.sum(axis=0)), dtype=np.float32)

    directions = min(int(np.clip(texts // _ROWS_A_DIRECTION, 2, _DIRECTIONS)), weights.shape[1])
    basis = rng.standard_normal((weights.shape[1], directions + _SPARE)).astype(np.float32)
    for _ in range(_PASSES):
        basis = np.linalg.qr(turned_times(np.linalg.qr(times(basis))[0]))[0]
    left, sizes, _ = np.linalg.svd(times(basis), full_matrices=False)
    points = (left * sizes)[:, :directions]
    # Directions of no size are the rounding errors of texts that are all alike.
    points[:, sizes[:directions] <= 1e-4 * np.sqrt(texts)] = 0.0
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def levelled(points: Points) -> Points:
    """Bring each direction to unit variance; else the few widest would hide the others from a test of means [1]_.

    References
    ----------
    .. [1] Harchaoui, Bach, Moulines (2007). Testing for homogeneity with kernel Fisher discriminant analysis. Advances
       in Neural Information Processing Systems 20.
    """
    return np.asarray((points - points.mean(axis=0)) / np.maximum(points.std(axis=0), 1e-6), dtype=np.float32)


def grouped(points: Points, rng: np.random.Generator) -> NDArray[np.int64]:
    """The group of each text, from 0: at most 24, about forty texts or more each, by k-means [1]_ begun apart [2]_.

    References
    ----------
    .. [1] Lloyd (1982). Least squares quantization in PCM. IEEE Transactions on Information Theory 28, 129-137.
    .. [2] Arthur, Vassilvitskii (2007). k-means++: the advantages of careful seeding. Proceedings of the 18th annual
       ACM-SIAM symposium on discrete algorithms, 1027-1035.
    """
    count = int(np.clip(len(points) // _ROWS_A_GROUP, 2, _GROUPS))
    centres = _apart(points, count, rng)
    groups = np.zeros(len(points), dtype=np.int64)
    for _ in range(_ROUNDS):
        nearest = (points @ centres.T - 0.5 * (centres**2).sum(axis=1)).argmax(axis=1)
        if (nearest == groups).all():
            break
        groups = nearest
        member = (groups == np.arange(count)[:, None]).astype(np.float32)
        sizes = member.sum(axis=1, keepdims=True)
        centres = np.where(sizes > 0, member @ points / np.maximum(sizes, 1.0), centres)
    return groups


def _apart(points: Points, count: int, rng: np.random.Generator) -> Points:
    chosen = [int(rng.integers(len(points)))]
    distance = np.full(len(points), np.inf)
    for _ in range(count - 1):
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        if not distance.any():
            break
        chosen.append(int(rng.choice(len(points), p=distance / distance.sum())))
    return np.asarray(points[np.resize(chosen, count)])
