"""Shapley values of every sample's own game: the players are configurations, a coalition's worth is the score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EXACT_AT_MOST = 6
"""Players up to which every coalition is valued: 64 of them."""
_SAMPLED_ORDERS = 16


@dataclass(frozen=True)
class Design:
    """Which coalitions of each sample are valued, and how their worths become contributions.

    A coalition is a bit mask over the players: bit ``j`` is set where player ``j`` has joined. The empty coalition
    and the full one are always among those valued, so that contributions sum to the difference between the two.
    """

    players: int
    samples: int
    orders: NDArray[np.int64] | None
    """Orders in which the players join, shape (orders, samples, players); None where all coalitions are valued."""

    @property
    def exact(self) -> bool:
        """Whether contributions are the Shapley values themselves and not an estimate of them."""
        return self.orders is None

    def coalitions(self, sample: int) -> list[int]:
        """The coalitions of a sample that are valued, small ones first."""
        if self.orders is None:
            masks = set(range(1 << self.players))
        else:
            masks = {int(mask) for mask in _prefixes(self.orders[:, sample]).ravel()}
        return sorted(masks, key=lambda mask: (mask.bit_count(), mask))

    def contributions(self, worths: Sequence[Mapping[int, float]]) -> NDArray[np.float64]:
        """Split each sample's difference over the players.

        Parameters
        ----------
        worths
            By sample, the worth of every coalition that :meth:`coalitions` names.

        Returns
        -------
        array
            Shape (samples, players); each row sums to the full coalition's worth less the empty one's.

        Raises
        ------
        ValueError
            The number of samples is another.
        """
        if len(worths) != self.samples:
            raise ValueError(f"found the worths of {len(worths)} samples; expected {self.samples}")
        if self.orders is None:
            masks = range(1 << self.players)
            table = np.array([[worth[mask] for mask in masks] for worth in worths], dtype=np.float64)
            return table.reshape(self.samples, len(masks)) @ _weights(self.players)
        result = np.zeros((self.samples, self.players))
        for sample, worth in enumerate(worths):
            orders = self.orders[:, sample]
            steps = np.array([[worth[int(mask)] for mask in row] for row in _prefixes(orders)], dtype=np.float64)
            joined = np.empty(orders.shape)
            np.put_along_axis(joined, orders, np.diff(steps, axis=1), axis=1)
            result[sample] = joined.mean(axis=0)
        return result


def exact_design(players: int, samples: int) -> Design:
    r"""Value every coalition.

    .. math:: \phi_j = \sum_{S \not\ni j} \frac{|S|! \, (k - |S| - 1)!}{k!} \left( v(S \cup \{j\}) - v(S) \right)

    References
    ----------
    .. [1] Shapley (1953). A value for n-person games. Contributions to the Theory of Games II, 307-317.

    Examples
    --------
    The glove game: the first player holds a left glove, the two others a right one each; a pair is worth 1.

    >>> worth = {mask: float(mask & 1 and mask & 6 != 0) for mask in range(8)}
    >>> exact_design(3, 1).contributions([worth]).round(4).tolist()
    [[0.6667, 0.1667, 0.1667]]
    """
    return Design(players, samples, None)


def sampled_design(players: int, samples: int, *, orders: int = _SAMPLED_ORDERS, seed: int = 0) -> Design:
    """Value the coalitions along random orders of joining, drawn anew for every sample.

    Each order is followed by its reverse, which cancels much of the error [2]_. As the draws of different samples
    are independent, the spread of contributions over samples holds the error of the drawing as well.

    Parameters
    ----------
    orders
        Orders of each sample, an even number.
    seed
        Of the drawing.

    Raises
    ------
    ValueError
        The number of orders is odd or not positive.

    References
    ----------
    .. [1] Strumbelj, Kononenko (2014). Explaining prediction models and individual predictions with feature
       contributions. Knowledge and Information Systems 41, 647-665.
    .. [2] Mitchell, Cooper, Frank, Holmes (2022). Sampling permutations for Shapley value estimation. Journal of
       Machine Learning Research 23(43), 1-46.

    Examples
    --------
    >>> worths = [{mask: float(mask & 1 and mask & 6 != 0) for mask in range(8)}] * 500
    >>> sampled_design(3, 500, orders=2, seed=1).contributions(worths).mean(axis=0).round(2).tolist()
    [0.67, 0.18, 0.16]
    """
    if orders < 2 or orders % 2:
        raise ValueError(f"found {orders} orders; expected an even number of at least 2")
    rng = np.random.default_rng(seed)
    half = rng.permuted(np.tile(np.arange(players), (orders // 2, samples, 1)), axis=2)
    return Design(players, samples, np.concatenate([half, half[:, :, ::-1]]).astype(np.int64))


def plan_design(players: int, samples: int, *, seed: int = 0) -> Design:
    """All coalitions where there are few players, sampled orders where there are many."""
    exact = players <= EXACT_AT_MOST
    return exact_design(players, samples) if exact else sampled_design(players, samples, seed=seed)


def _weights(players: int) -> NDArray[np.float64]:
    """What a coalition's worth counts for each player, shape (coalitions, players)."""
    table = np.zeros((1 << players, players))
    for mask in range(1 << players):
        size = mask.bit_count()
        for player in range(players):
            if mask >> player & 1:  # it has joined: the worth is the end of its step
                table[mask, player] = 1.0 / (players * math.comb(players - 1, size - 1))
            else:  # the worth is where its step begins
                table[mask, player] = -1.0 / (players * math.comb(players - 1, size))
    return table


def _prefixes(orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """The coalitions that orders pass through, shape (orders, players + 1)."""
    joined = np.cumsum(np.int64(1) << orders, axis=1)
    return np.concatenate([np.zeros((orders.shape[0], 1), dtype=np.int64), joined], axis=1)
