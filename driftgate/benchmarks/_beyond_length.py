r"""How much a judge says of texts that their length does not say.

Let :math:`m` be the best that a ruler can do: people's grades fitted by the length, by an isotonic regression that
rises [1]_, by one that falls, or by least squares on the length, its logarithm and its rank. What people say beyond it
is
:math:`r = k - m`, and :math:`\sum_i k_i r_i = \sum_i r_i^2`. Any grades :math:`g` that only rise with the length have
:math:`\sum_i g_i r_i \le 0`, as :math:`m` is the projection of :math:`k` on the cone of all of them; those that the
length's functions give have exactly 0. So

.. math:: s = \sum_i \min(g_i r_i, k_i r_i) \Big/ \sum_i r_i^2

is 1 for people themselves and at most 0 for a ruler. A grade farther from people's earns no more than one nearer, and
one beyond people's no more than theirs: no worse grade helps. (A correlation of what both say beyond length does not
have that property: it is divided by the spread of a judge's grades, which a worse grade may narrow.)

References
----------
.. [1] Barlow, Bartholomew, Bremner, Brunk (1972). Statistical Inference under Order Restrictions. Wiley. Theorem 1.7.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_BEYOND = 0.2
"""The least share of what people say beyond length that a judge says, too."""
_FEW = 1.0
"""Over the root of the number of texts, the share that is wanted with few: of the best rulers, their grades off by a
spread of up to one, at most one in eight says so much by chance on the anchors that ship (the tests measure it)."""
_NOTHING = 1e-9
"""Share of the spread of people's grades below which nothing is left beyond length."""


def wanted_beyond(n: int) -> float:
    """The share that is wanted on so many texts.

    >>> wanted_beyond(10) > wanted_beyond(24) > wanted_beyond(100) == LEAST_BEYOND
    True
    """
    return max(LEAST_BEYOND, _FEW / math.sqrt(n))


def beyond_length(given: Floats, known: Floats, lengths: Floats, scale: tuple[float, float]) -> Floats:
    """The share of what people say beyond length that one judge says, or each of many.

    Parameters
    ----------
    given : array, shape (n,) or (judges, n)
        The judges' grades; nan where one gave none, which counts as the end of the scale that earns less.
    known : array, shape (n,)
        People's.
    lengths : array, shape (n,)
        Of the texts. Where they are not known, or are all alike, the share is 1 and nothing is held against a judge.
    scale : tuple of float
        The lowest and the highest grade.

    Examples
    --------
    >>> people, long = np.array([1.0, 3, 2, 5, 4, 5]), np.array([10.0, 20, 30, 40, 50, 60])
    >>> float(beyond_length(people, people, long, (1, 5)))
    1.0
    >>> float(beyond_length(np.array([1.0, 1, 2, 3, 4, 5]), people, long, (1, 5))) <= 0
    True
    """
    least = np.ones(given.shape[:-1])
    if np.isnan(lengths).any() or np.ptp(lengths) == 0:
        return least
    for rest in _beyond(known, lengths):
        said = np.where(np.isnan(given), np.where(rest > 0, scale[0], scale[1]), given)
        whole = float(rest @ known)
        least = np.minimum(least, np.minimum(said * rest, known * rest).sum(axis=-1) / whole)
    return np.asarray(least, dtype=np.float64)


def _beyond(known: Floats, lengths: Floats) -> Iterator[Floats]:
    """What people say beyond each kind of ruler; without those that say all that people do, which tell nobody apart.

    Where the length's functions say all that people do, what is left is nobody's: there is nothing to be shown.
    """
    from scipy.optimize import isotonic_regression

    lengths, place, times = np.unique(lengths, return_inverse=True, return_counts=True)
    about = known - known.mean()
    least = _NOTHING * float(about @ about)
    means = np.bincount(place, weights=about) / times
    for rising in (True, False):
        rest = about - isotonic_regression(means, weights=times, increasing=rising).x[place]
        if float(rest @ rest) > least:
            yield rest
    ranks = np.arange(lengths.size, dtype=np.float64)[place]
    parts = [lengths[place], np.log1p(lengths[place]), ranks]
    basis = np.linalg.qr(np.column_stack([np.ones(known.size), *((x - x.mean()) / x.std() for x in parts)]))[0]
    rest = about - basis @ (basis.T @ about)
    if float(rest @ rest) > least:
        yield rest
