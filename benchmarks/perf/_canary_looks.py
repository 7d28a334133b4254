"""Many made-up courses of canary answers judged at once, as the shipped looks judge one.

A look needs no more of a canary than how many reference answers and how many of each window's were right: sums, kept
for all courses side by side. A window's p-value is that of `driftgate.monitor.detectors.mantel_haenszel`, approximated
by Lugannani and Rice's saddlepoint formula with Daniels' second continuity correction [1]_; where that is within a
half of what would decide, the shipped function works it out. Which windows, references and parts there are and
how their p-values are put together is the product's own code.

References
----------
.. [1] Daniels (1987). Tail probability approximations. International Statistical Review 55, 37-48.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import hypergeom, norm

from driftgate.benchmarks.stats import benjamini_hochberg
from driftgate.monitor.detectors.mantel_haenszel import exact_p_value
from driftgate.monitor.pooling import CHOOSING, WINDOWS, Part, combined, grown, windows_of

SLICES = 4
_NEAR = 1.5
_FAR = 0.65
"""A sum nearer to its mean than this share of what the normal law has at the level is not worked out: its p-value is
more than a hundred times the level."""
_TILTS = -np.concatenate([[1e-3], np.arange(0.05, 3.0, 0.05), np.arange(3.0, 14.0, 0.25)])

Bools = NDArray[np.bool_]
Counts = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Courses:
    """Answers of canaries, courses by looks by canaries; of each course the first looks are pinned as the reference."""

    right: Bools
    same: Bools
    """Whether an answer is that of the first look."""
    pinned: int
    grows_to: int
    floors: Mapping[str, float]
    level: float

    def sums(self) -> Iterator[_Signal]:
        """What the signals need."""
        for name, values, anchors in (("canary_accuracy", self.right, 0), ("canary_agreement", self.same, 1)):
            summed = np.zeros((values.shape[0], values.shape[1] + 1, values.shape[2]), dtype=np.int16)
            np.cumsum(values, axis=1, dtype=np.int16, out=summed[:, 1:])
            summed[:, 1:] -= anchors * values[:, :1]  # the first answer is the anchor, and no evidence of agreement
            places = np.arange(values.shape[2]) % SLICES
            of_slices = np.stack([summed[:, :, places == one].sum(axis=2, dtype=np.int64) for one in range(SLICES)], -1)
            yield _Signal(summed, of_slices, np.bincount(places, minlength=SLICES), anchors, self.floors[name])


@dataclass(frozen=True)
class _Signal:
    summed: Counts
    """Right answers before each look."""
    of_slices: Counts
    sizes: Counts
    anchors: int
    floor: float


@dataclass(frozen=True)
class _Window:
    """One signal, reference and window of some looks (``runs``, ``places``)."""

    of: _Signal
    looks: int
    """Of the reference."""
    window: int
    runs: Counts
    ends: Counts
    """How many looks there are up to the newest, those of the reference included."""

    def counts(self) -> tuple[Counts, Counts]:
        """Of each canary, right answers in the reference and in the window."""
        last = self.of.summed[self.runs, self.ends]
        return self.of.summed[self.runs, self.looks], last - self.of.summed[self.runs, self.ends - self.window]

    def losses(self) -> tuple[Floats, Floats]:
        """By how much the whole and each slice got worse."""
        before = self.of.of_slices[self.runs, self.looks] / (self.looks - self.of.anchors)
        last = self.of.of_slices[self.runs, self.ends]
        lost = before - (last - self.of.of_slices[self.runs, self.ends - self.window]) / self.window
        return lost.sum(axis=1) / self.of.sizes.sum(), lost / self.of.sizes

    def chosen(self) -> Bools | None:
        """The steady canaries, where there are enough looks to choose by."""
        if self.looks < 2 * CHOOSING:
            return None
        return np.asarray(self.of.summed[self.runs, CHOOSING] == CHOOSING - self.of.anchors)

    def only(self, chosen: Bools | Counts) -> _Window:
        return _Window(self.of, self.looks, self.window, self.runs[chosen], self.ends[chosen])

    def p_values(self, level: float) -> Floats:
        """The p-value of every look, but for the approximation the product's; 1 where it is far from telling."""
        found = np.ones(self.runs.size)
        lost, of_slices = self.losses()
        rows = np.flatnonzero((lost > self.of.floor - 1e-9) | (of_slices > self.of.floor - 1e-9).any(axis=1))
        if rows.size:
            found[rows] = self.only(rows)._worked_out(level, lost[rows], of_slices[rows])
        return found

    def _worked_out(self, level: float, lost: Floats, of_slices: Floats) -> Floats:
        before, now = self.counts()
        asked = self.looks - self.of.anchors
        places = np.broadcast_to(np.arange(now.shape[1]) % SLICES, now.shape)
        shares = _by_place(before, now, asked, self.window, places, SLICES, level)
        whole = np.where(lost > self.of.floor - 1e-9, shares[:, SLICES], 1.0)
        best = np.where(of_slices > self.of.floor - 1e-9, shares[:, :SLICES], 1.0).min(axis=1)
        chosen = self.chosen()
        if chosen is None:
            return np.asarray(np.minimum(1.0, np.minimum(2.0 * whole, 2.0 * SLICES * best)))
        early = self.of.summed[self.runs, CHOOSING]
        left, among = self.looks - CHOOSING, np.where(chosen, 0, -1)
        steady = _by_place(before - early, now, left, self.window, among, 1, level)[:, 0]
        steady = np.where(lost > self.of.floor - 1e-9, steady, 1.0)
        return np.asarray(np.minimum(1.0, np.minimum(2.0 * whole, 4.0 * np.minimum(SLICES * best, steady))))

    def exactly(self, row: int) -> float:
        """The product's own p-value of one look."""
        one = self.only(np.array([row]))
        (before,), (now,) = one.counts()
        asked, places = self.looks - self.of.anchors, np.arange(now.size)

        def part(of: Counts, before: Counts, asked: int) -> Part:
            if not of.size:
                return Part(0.0, 1.0)
            first, last = np.full(of.size, asked), np.full(of.size, self.window)
            loss = float((before[of] / asked - now[of] / self.window).mean())
            tables = np.column_stack([before[of], first]), np.column_stack([now[of], last])
            return Part(loss, exact_p_value(tables[0], tables[1], "lower") if loss > 0.0 else 1.0)

        steady, chosen = None, one.chosen()
        if chosen is not None:
            early = self.of.summed[one.runs[0], CHOOSING]
            steady = part(np.flatnonzero(chosen[0]), before - early, self.looks - CHOOSING)
        slices = [part(places[places % SLICES == one], before, asked) for one in range(SLICES)]
        return combined(part(places, before, asked), slices, self.of.floor, steady)


def alarming(courses: Courses, signals: list[_Signal], runs: Counts, place: Counts) -> Bools:
    """Whether looks alarm: those of these courses, each ``place`` looks after the pinned ones."""
    found = np.zeros(runs.size, dtype=np.bool_)
    sizes = np.array([grown(courses.pinned, before, courses.grows_to) for before in place.tolist()])
    fills = np.array([len(windows_of(before + 1)) for before in place.tolist()])
    for further, full in np.unique(np.column_stack([sizes, fills]), axis=0).tolist():
        rows = np.flatnonzero((sizes == further) & (fills == full))
        found[rows] = _alike(courses, signals, runs[rows], place[rows], further, WINDOWS[:full])
    return found


def _alike(
    courses: Courses, signals: list[_Signal], runs: Counts, place: Counts, further: int, windows: tuple[int, ...]
) -> Bools:
    """Looks that have the same references and windows."""
    ends = courses.pinned + place + 1
    references = sorted({courses.pinned, courses.pinned + further})
    compared = [
        _Window(signal, looks, window, runs, ends) for signal in signals for looks in references for window in windows
    ]
    p_values = np.array([window.p_values(courses.level) for window in compared])
    ordered, ranks = np.sort(p_values, axis=0), np.arange(1, len(compared) + 1)[:, None] / len(compared)
    # Benjamini and Hochberg's: the smallest level at which any is found.
    least = (ordered / ranks).min(axis=0)
    found = np.asarray(least <= courses.level, dtype=np.bool_)
    for row in np.flatnonzero((least > courses.level / _NEAR) & (least < courses.level * _NEAR)).tolist():
        adjusted = benjamini_hochberg([window.exactly(row) for window in compared])
        found[row] = any(p is not None and p <= courses.level for p in adjusted)
    return found


def _by_place(
    before: Counts, now: Counts, asked: int, window: int, places: Counts, slices: int, level: float
) -> Floats:
    """P-values of "fewer right now than before": rows by slices, in the last column of all; place -1 has no part."""
    rows, kinds = now.shape[0], asked + window + 1
    cells = (np.arange(rows)[:, None] * slices + places) * kinds + before + now
    taken = places >= 0
    how_many = np.bincount(cells[taken], minlength=rows * slices * kinds).reshape(rows, slices, kinds)
    right = np.zeros((rows, slices), dtype=np.int64)
    for one in range(slices):
        right[:, one] = np.where(places == one, now, 0).sum(axis=1)
    everything = np.concatenate([how_many, how_many.sum(axis=1, keepdims=True)], axis=1).reshape(-1, kinds)
    sums = np.concatenate([right, right.sum(axis=1, keepdims=True)], axis=1).reshape(-1)
    law = _law(asked, window)
    away = sums - everything @ law.mean - _FAR * norm.ppf(level) * np.sqrt(np.maximum(everything @ law.variance, 0.0))
    found, close = np.ones(sums.size), away <= 0.0
    close &= sums < everything @ law.mean
    if close.any():
        found[close] = _lower_tail(everything[close].astype(np.float64), sums[close], law)
    return found.reshape(rows, slices + 1)


@dataclass(frozen=True)
class _Law:
    """Of the right answers of a canary now, by how many of all are right: moments, and their tilted kin."""

    mean: Floats
    variance: Floats
    least: Floats
    """The least number there can be, and the logarithm of its chance."""
    log_of_least: Floats
    cumulant: Floats
    """The logarithm of the moment generating function, by tilt; mean and variance of the tilted law."""
    tilted_mean: Floats
    tilted_variance: Floats


@cache
def _law(asked: int, window: int) -> _Law:
    right, now = np.arange(asked + window + 1)[:, None], np.arange(window + 1)[None]
    with np.errstate(divide="ignore"):
        log = np.nan_to_num(hypergeom.logpmf(now, asked + window, right, window), nan=-np.inf, neginf=-np.inf)
    bent = log[:, None, :] + _TILTS[None, :, None] * now[None]
    top = bent.max(axis=2, keepdims=True)
    weights = np.exp(bent - top)
    total = weights.sum(axis=2)
    mean = (weights * now).sum(axis=2) / total
    least = np.maximum(0, right[:, 0] - asked)
    plain = np.exp(log)
    of_plain = (plain * now).sum(axis=1)
    return _Law(
        of_plain,
        (plain * now**2).sum(axis=1) - of_plain**2,
        least.astype(np.float64),
        np.take_along_axis(log, least[:, None], axis=1)[:, 0],
        np.log(total) + top[:, :, 0],
        mean,
        (weights * now**2).sum(axis=2) / total - mean**2,
    )


def _lower_tail(how_many: Floats, sums: Counts, law: _Law) -> Floats:
    """The chance of a sum of at most so many; ``how_many`` canaries of each kind there are, a row for each sum."""
    target, rows = sums + 0.5, np.arange(sums.size)
    cumulants = how_many @ law.cumulant
    best = (cumulants - _TILTS * target[:, None]).argmin(axis=1)
    cumulant, tilt = cumulants[rows, best], _TILTS[best]
    mean = np.einsum("rk,kr->r", how_many, law.tilted_mean[:, best])
    variance = np.maximum(np.einsum("rk,kr->r", how_many, law.tilted_variance[:, best]), 1e-9)
    # One step of Newton's from the nearest tilt of the table.
    step = np.minimum(np.clip((target - mean) / variance, -0.5, 0.5), -tilt - 1e-4)
    cumulant, tilt = cumulant + mean * step + variance * step**2 / 2.0, tilt + step
    root = -np.sqrt(np.maximum(2.0 * (tilt * target - cumulant), 1e-12))
    wide = 2.0 * np.sinh(tilt / 2.0) * np.sqrt(variance)
    tail = ndtr(root) + norm.pdf(root) * (1.0 / root - 1.0 / wide)
    at_least = sums <= how_many @ law.least
    return np.where(at_least, np.exp(how_many @ law.log_of_least), np.clip(tail, 1e-300, 1.0))
