"""Population stability index of counted features, calibrated by permuting rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import Interval
from driftgate.monitor.detectors._detector import MIN_ROWS, Detector, Evidence, too_few
from driftgate.monitor.signals import Direction

_METHOD = "psi-permutation"
_PERMUTATIONS = 1999
_BATCH = 200
_HITS = 20
_MOST_ROWS = 2000
_SMOOTHING = 0.5


def population_stability_index(reference: NDArray[Any], current: NDArray[Any]) -> NDArray[np.float64]:
    r"""Population stability index of histograms, :math:`\sum_b (q_b - p_b) \ln(q_b / p_b)`.

    It is Jeffreys' divergence [1]_: 0 for equal shares; in practice 0.1 is called a moderate change, 0.25 a large one.
    That holds only of large windows: with B bins and n and m independent counts, equal populations have an expected
    index of about :math:`(B - 1)(1/n + 1/m)` [2]_, which is no longer small for a hundred rows.

    Parameters
    ----------
    reference, current
        Counts, shape (..., bins). Half a count is added to every bin, so that none is empty.

    Returns
    -------
    ndarray
        Shape (...).

    References
    ----------
    .. [1] Jeffreys (1946). An invariant form for the prior probability in estimation problems. Proceedings of the
       Royal Society A 186, 453-461.
    .. [2] Yurdakul, Naranjo (2020). Statistical properties of the population stability index. Journal of Risk Model
       Validation 14, 89-100.

    Examples
    --------
    >>> round(float(population_stability_index(np.array([500, 300, 200]), np.array([400, 300, 300]))), 4)
    0.0627

    Equal populations, 20 bins and 200 counts each: about 19 (1/200 + 1/200) = 0.19 is expected.

    >>> counts = np.random.default_rng(0).multinomial(200, np.full(20, 0.05), size=(2, 5000))
    >>> round(float(population_stability_index(counts[0], counts[1]).mean()), 2)
    0.18
    """
    p, q = (np.asarray(counts, dtype=np.float64) + _SMOOTHING for counts in (reference, current))
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def compare(
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    bad: Direction = "either",
    resolution: float = 0.0,
    seed: int = 0,
) -> Evidence:
    """Compare two windows whose rows are count vectors, such as texts' n-grams.

    The n-grams of one text depend on each other, so that neither the chi-square test of the summed counts nor the
    index's expected value above holds. Rows are exchangeable if nothing changed: the p-value is the share of random
    divisions of all rows into two such windows whose index is at least as large (the observed one counted, which
    makes it exact [1]_), and their mean is what chance alone gives. Up to 1,999 divisions are drawn; fewer where
    twenty with as large an index were met before, which stays exact [2]_.

    Parameters
    ----------
    reference, current
        Counts, shapes (n, bins) and (m, bins). Of more than 2,000 rows on a side that many are drawn.
    seed
        Of draws and permutations.
    bad, resolution
        As in `driftgate.monitor.detectors.Detector`; not used here.

    Returns
    -------
    Evidence
        The effect is the index less its mean under permutation, with a normal interval whose standard error is the
        jackknife's over rows [3]_; ``detail`` holds the raw index and what chance gives.

    Raises
    ------
    ValueError
        The windows' vectors differ in length.

    References
    ----------
    .. [1] Phipson, Smyth (2010). Permutation p-values should never be zero. Statistical Applications in Genetics and
       Molecular Biology 9, 39.
    .. [2] Besag, Clifford (1991). Sequential Monte Carlo p-values. Biometrika 78, 301-304.
    .. [3] Efron, Stein (1981). The jackknife estimate of variance. Annals of Statistics 9, 586-596.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, same = rng.multinomial(30, np.full(16, 1 / 16), size=(2, 100))
    >>> other = rng.multinomial(30, np.r_[np.full(8, 1 / 12), np.full(8, 1 / 24)], size=100)
    >>> found = compare(before, other)
    >>> print(found.effect)
    0.1234 [0.0887, 0.1582] (95% jackknife, n=200)
    >>> found.p_value
    0.0005
    >>> round(compare(before, same).effect.estimate, 3)
    -0.004
    """
    before, after = np.asarray(reference), np.asarray(current)
    n, m = len(before), len(after)
    if min(n, m) < MIN_ROWS:
        return too_few(n, m, _METHOD)
    if before.shape[1:] != after.shape[1:]:
        raise ValueError(f"rows have shape {before.shape[1:]} and {after.shape[1:]}; expected equal vectors of counts.")
    rng = np.random.default_rng(seed)
    before, after = _drawn(before, rng), _drawn(after, rng)
    rows = np.concatenate([before, after]).astype(np.float32)
    total = rows.sum(axis=0)

    def index(chosen: NDArray[np.float32]) -> NDArray[np.float64]:
        counts = chosen @ rows
        return population_stability_index(total - counts, counts)

    member = np.repeat(np.array([0.0, 1.0], dtype=np.float32), [len(before), len(after)])
    observed = float(index(member))
    # A permutation that gives the very same split may differ from it by a rounding error.
    reached = observed * (1.0 - 1e-6)
    chance = np.empty(0)
    while chance.size < _PERMUTATIONS and (chance >= reached).sum() < _HITS:
        size = min(_BATCH, _PERMUTATIONS - chance.size)
        shuffled = rng.permuted(np.broadcast_to(member, (size, member.size)).copy(), axis=1)
        chance = np.concatenate([chance, index(shuffled)])
    estimate = observed - float(chance.mean())
    half = 1.959964 * _standard_error(before, after)
    return Evidence(
        p_value=_p_value(np.flatnonzero(chance >= reached), chance.size),
        effect=Interval(estimate, estimate - half, estimate + half, level=0.95, method="jackknife", n=n + m),
        reference_value=None,
        current_value=None,
        n_reference=n,
        n_current=m,
        method=_METHOD,
        detail={"index": observed, "expected_by_chance": float(chance.mean())},
    )


def _p_value(hits: NDArray[np.int64], drawn: int) -> float:
    if hits.size >= _HITS:
        return _HITS / float(hits[_HITS - 1] + 1)
    return float(1 + hits.size) / (1 + drawn)


def _standard_error(before: NDArray[Any], after: NDArray[Any]) -> float:
    first, second = before.sum(axis=0, dtype=np.float64), after.sum(axis=0, dtype=np.float64)
    without_one = (
        population_stability_index(first - before, second),
        population_stability_index(first, second - after),
    )
    return float(np.sqrt(sum((values.size - 1) * values.var() for values in without_one)))


def _drawn(rows: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    if len(rows) <= _MOST_ROWS:
        return rows
    return np.asarray(rows[np.sort(rng.choice(len(rows), _MOST_ROWS, replace=False))])


DETECTOR = Detector("histogram", compare)
