"""Maximum mean discrepancy of texts, and the share of the traffic that went to other topics."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgate.benchmarks.stats import Interval
from driftgate.monitor.detectors._detector import MIN_ROWS, Detector, Evidence, too_few
from driftgate.monitor.detectors._topics import Points, grouped, levelled, placed
from driftgate.monitor.ngrams import counts, version_of
from driftgate.monitor.signals import Direction

_METHOD = "mmd-permutation"
_PERMUTATIONS = 9999
_BATCH = 500
_HITS = 20
_MOST_ROWS = 2000
_PARTS = 5
_GROWN = 1.645
"""Standard errors by which a group must have grown among the other parts of the texts."""
_QUANTILE = 1.959964


def compare(
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    bad: Direction = "either",
    resolution: float = 0.0,
    seed: int = 0,
    blocks: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> Evidence:
    r"""Compare two windows of texts, each kept as `driftgate.monitor.ngrams.ngrams` returns it.

    The evidence is the maximum mean discrepancy [1]_ (eq. 5, the biased estimate) with the inner product of tf-idf
    vectors, reduced to their leading directions and these levelled (`driftgate.monitor.detectors._topics`): with
    :math:`\bar\phi` the mean vectors of the two windows, :math:`\mathrm{MMD}^2 = \lVert \bar\phi_x - \bar\phi_y
    \rVert^2`. Vectors are made of both windows together, so that rows are exchangeable where nothing changed: the
    p-value is the share of random divisions of all rows with as large a discrepancy, the observed one counted [2]_. Up
    to 9,999 are drawn, a matrix product for each 500; fewer where twenty as large were met before [3]_.

    A discrepancy means little to a person, so the effect is a share of the traffic. The texts of both windows together
    are put into at most 24 groups. A fifth of the texts is set aside, the groups that grew are found among the others,
    and how much larger their share is in the current window is measured on that fifth; so with each fifth. The
    estimate is not flattered by the choice, and it is a lower bound of what went to other topics, as groups hold texts
    of several.

    Parameters
    ----------
    reference, current
        Shapes (n,) and (m,), of sequences of integers. Of more than 2,000 texts on a side that many are drawn. Empty
        ones were counted and not read.
    seed
        Of draws, groups and permutations.
    blocks
        Which rows of each window hang together, such as those of a user on a day: they are divided as one. The
        discrepancy of a division is then weighed by :math:`nm / (n + m)` of its rows, whose numbers differ.
    bad, resolution
        As in `driftgate.monitor.detectors.Detector`; not used here.

    Returns
    -------
    Evidence
        The values are the share of the grown groups, the effect their difference with a normal interval; ``detail``
        says of the group that grew most which it is (``group``), of how many (``groups``) and its shares, and how many
        groups grew (``grown``).

    Raises
    ------
    ValueError
        A text was counted by a version that is not known.

    References
    ----------
    .. [1] Gretton, Borgwardt, Rasch, Schölkopf, Smola (2012). A kernel two-sample test. Journal of Machine Learning
       Research 13, 723-773.
    .. [2] Phipson, Smyth (2010). Permutation p-values should never be zero. Statistical Applications in Genetics and
       Molecular Biology 9, 39.
    .. [3] Besag, Clifford (1991). Sequential Monte Carlo p-values. Biometrika 78, 301-304.

    Examples
    --------
    A topic that was 10% of the inputs and is 40% of them:

    >>> from driftgate.monitor.ngrams import ngrams
    >>> def window(rng, share):
    ...     topics = ["환불은 언제 되나요", "배송 조회는 어디서 하나요", "비밀번호를 바꾸고 싶어요"]
    ...     picked = rng.choice(3, 200, p=[share, (1 - share) / 2, (1 - share) / 2])
    ...     return np.array([np.array(ngrams(f"{topics[i]} {rng.integers(999)}")) for i in picked], dtype=object)
    >>> rng = np.random.default_rng(0)
    >>> before, same, other = window(rng, 0.1), window(rng, 0.1), window(rng, 0.4)
    >>> found = compare(before, other)
    >>> found.p_value
    0.0001
    >>> 0.2 < found.effect.estimate < 0.4
    True
    >>> compare(before, same).p_value > 0.05
    True
    """
    n, m = len(reference), len(current)
    rng = np.random.default_rng(seed)
    before, after = (_drawn(places, rng) for places in _readable(reference, current))
    if min(len(before), len(after)) < MIN_ROWS:
        return _unread(n, m, len(before), len(after))
    together = None if blocks is None else [*blocks[0][before], *blocks[1][after]]
    windows = _Windows.of(reference[before], current[after], together, rng)
    growth = windows.growth(rng)
    half = _QUANTILE * growth.error
    return Evidence(
        p_value=windows.p_value(rng),
        effect=Interval(
            growth.now - growth.was,
            growth.now - growth.was - half,
            growth.now - growth.was + half,
            level=0.95,
            method="cross-fitted",
            n=n + m,
        ),
        reference_value=growth.was,
        current_value=growth.now,
        n_reference=n,
        n_current=m,
        method=_METHOD,
        detail=growth.detail,
    )


@dataclass(frozen=True)
class _Growth:
    was: float
    now: float
    error: float
    detail: dict[str, float]


@dataclass(frozen=True)
class _Windows:
    """The texts of both windows together, in an order that does not depend on how they came."""

    points: Points
    current: NDArray[np.bool_]
    parts: NDArray[np.int64]
    """Fifths, over which equal texts are spread: one that is sent again and again is known in all of them."""

    block: NDArray[np.int64]
    """From 0; of each text another where nothing is known of blocks."""

    @classmethod
    def of(
        cls, before: NDArray[Any], after: NDArray[Any], blocks: list[Any] | None, rng: np.random.Generator
    ) -> _Windows:
        texts = [*before, *after]
        marks = np.array([zlib.crc32(np.asarray(text, dtype=np.int32).tobytes()) for text in texts], dtype=np.uint32)
        current = np.repeat([False, True], [len(before), len(after)])
        order = np.lexsort((current, marks))
        points = placed(counts([texts[place] for place in order]), rng)
        parts = np.arange(len(texts)) % _PARTS
        if blocks is None:
            return cls(points, current[order], parts, np.arange(len(texts)))
        # What came in both windows under one name, as an hour that the windows share, hangs together in each of them.
        named = [f"{int(now)}/{block}" for now, block in zip(current, blocks, strict=True)]
        return cls(points, current[order], parts, np.unique(named, return_inverse=True)[1][order])

    def p_value(self, rng: np.random.Generator) -> float:
        from scipy.sparse import csr_array

        sizes = np.bincount(self.block).astype(np.float32)
        belongs = csr_array((np.ones(self.block.size, np.float32), (self.block, np.arange(self.block.size))))
        sums = np.column_stack([belongs @ levelled(self.points), sizes])
        total = sums.sum(axis=0)
        member = np.zeros(sizes.size, dtype=np.int8)
        member[self.block[self.current]] = 1

        def discrepancy(chosen: NDArray[np.int8]) -> NDArray[np.float32]:
            there = chosen.astype(np.float32) @ sums
            rest = total - there
            n, m = there[..., -1:], rest[..., -1:]
            gap = there[..., :-1] / n - rest[..., :-1] / m
            return np.asarray((gap**2).sum(axis=-1) * (n * m / (n + m))[..., 0])

        # A permutation that gives the very same split may differ from it by a rounding error.
        reached = float(discrepancy(member)) * (1.0 - 1e-5)
        hits = drawn = 0
        while drawn < _PERMUTATIONS:
            size = min(_BATCH, _PERMUTATIONS - drawn)
            as_large = discrepancy(rng.permuted(np.broadcast_to(member, (size, member.size)), axis=1)) >= reached
            if hits + int(as_large.sum()) >= _HITS:
                last = int(np.flatnonzero(as_large)[_HITS - hits - 1])
                return _HITS / (drawn + last + 1)
            hits, drawn = hits + int(as_large.sum()), drawn + size
        return (1 + hits) / (1 + drawn)

    def growth(self, rng: np.random.Generator) -> _Growth:
        groups = grouped(self.points, rng)
        count = int(groups.max()) + 1
        within = np.zeros(groups.size, dtype=bool)
        for part in range(_PARTS):
            apart = self.parts == part
            within |= apart & _grown(groups[~apart], self.current[~apart], count)[groups]
        sides = [~self.current, self.current]
        whole = np.array([np.bincount(groups[side], minlength=count) / side.sum() for side in sides])
        most = int((whole[1] - whole[0]).argmax())
        detail = {
            "group": float(most),
            "groups": float(count),
            "group_reference_share": float(whole[0, most]),
            "group_current_share": float(whole[1, most]),
            "grown": float(_grown(groups, self.current, count).sum()),
        }
        was, now = (float(within[side].mean()) for side in sides)
        return _Growth(was, now, float(np.sqrt(sum(_variance(within[side]) for side in sides))), detail)


def _grown(groups: NDArray[np.int64], current: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Which groups grew beyond chance; if none did, the one that grew most."""
    before, now = (np.bincount(groups[side], minlength=count) for side in (~current, current))
    sizes = max(before.sum(), 1), max(now.sum(), 1)
    rise = now / sizes[1] - before / sizes[0]
    error = np.sqrt(now / sizes[1] ** 2 + before / sizes[0] ** 2)
    grown: NDArray[np.bool_] = rise > _GROWN * error
    return grown if grown.any() else rise == rise.max()


def _variance(rows: NDArray[np.bool_]) -> float:
    """Of a share; with a row more of each kind, so that 0 of 50 is not certain."""
    share = (rows.sum() + 1.0) / (rows.size + 2.0)
    return float(share * (1.0 - share) / max(rows.size, 1))


def _readable(reference: NDArray[Any], current: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the texts of both windows are that one version counted: the newest that both have enough of."""
    versions = [np.array([version_of(text) for text in texts], dtype=int) for texts in (reference, current)]
    unknown = sorted({int(v) for found in versions for v in found} - {0, 1, 2})
    if unknown:
        raise ValueError(f"texts were counted by version {unknown[0]}; expected 1 or 2.")
    sides = [(np.flatnonzero(versions[0] == v), np.flatnonzero(versions[1] == v)) for v in (2, 1)]
    return next((s for s in sides if min(len(s[0]), len(s[1])) >= MIN_ROWS), max(sides, key=lambda s: len(s[1])))


def _unread(n: int, m: int, before: int, after: int) -> Evidence:
    if min(n, m) < MIN_ROWS:
        return too_few(n, m, _METHOD)
    reason = (
        f"of {n} reference and {m} current texts {before} and {after} were read and counted by the same version: each "
        f"window needs at least {MIN_ROWS}"
    )
    effect = Interval.unknown(None, level=0.95, method=_METHOD, n=n + m, reason=reason)
    return Evidence(None, effect, None, None, n, m, _METHOD)


def _drawn(places: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    return places if len(places) <= _MOST_ROWS else np.sort(rng.choice(places, _MOST_ROWS, replace=False))


DETECTOR = Detector("text", compare, by_block=True)
