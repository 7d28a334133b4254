"""Many cells in the order of their quality, each with the ranks that it may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.benchmarks.compare._entry import Entry
from driftgate.benchmarks.compare._pair import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MANY = 6
"""More cells of a dataset than this are ranked, and their pairs shown slice by slice only where asked for."""
_LEVEL = 0.95
_RESAMPLES = 1000
_CHUNK = 20
_CLUSTERS = 30
"""Passages below which a bootstrap over them would promise too much."""


@dataclass(frozen=True)
class Rank:
    """A cell's place among the others by its quality, 1 for the best, and those that it may have."""

    entry: Entry
    rank: int
    """By the estimates; cells that are equal share the best one."""
    low: int
    high: int


@dataclass(frozen=True)
class Ranking:
    """The ranks of cells, the best first."""

    ranks: Sequence[Rank]
    samples: int
    """That all cells share; the ranks are of these."""
    resamples: int
    seed: int
    reason: str = ""
    """Why the ranks have no intervals; each may then be any."""

    @property
    def words(self) -> str:
        """What the ranks are, in a sentence."""
        if self.reason:
            return f"ranks without intervals: {self.reason}"
        return (
            f"ranks on the {self.samples:,} samples that all share; all of them hold together with 95% (simultaneous "
            f"limits of all differences, {self.resamples:,} resamples, seed {self.seed}); a difference that unanswered "
            "samples could turn parts no two cells"
        )


def ranking(entries: Sequence[Entry], pairs: Sequence[Pair], *, seed: int = 0) -> Ranking:
    r"""Rank cells by their quality on the samples that all of them share.

    The ranks of all cells are right together with 95% (simultaneous, not marginal). Samples, or passages where
    samples share them, are drawn with replacement, the same for every cell. With :math:`d_{jk}` the difference of two
    cells and :math:`s_{jk}` its bootstrap standard error, the 95% quantile of
    :math:`\max_{jk} |d^*_{jk} - d_{jk}| / s_{jk}` gives limits that hold for all pairs at once; a cell's best rank is 1
    and the number of cells that are surely better, its worst the number of all less those surely worse [1]_.
    Percentiles of a cell's resampled ranks, as in [2]_, would be shorter, and cover too rarely among cells that are
    nearly equal.

    Parameters
    ----------
    pairs
        Of the entries; one whose bounds leave its sign open parts no two cells, whatever the bootstrap says.
    seed
        Draws the resamples.

    References
    ----------
    .. [1] Mogstad, Romano, Shaikh, Wilhelm (2024). Inference for ranks with applications to mobility across
       neighbourhoods and academic achievement across countries. Review of Economic Studies 91(1), 476-518.
    .. [2] Goldstein, Spiegelhalter (1996). League tables and their limitations: statistical issues in comparisons of
       institutional performance. JRSS A 159(3), 385-443.
    """
    import numpy as np

    values, clusters = _shared(entries)
    samples, count = values.shape
    units = _totals(values, clusters)
    stopped = next((entry for entry in entries if entry.untested), None)
    reason = ""
    if stopped is not None:
        reason = f"which samples all share depends on where {stopped.label} ended; leave it out to rank the others"
    elif 2 * samples < min(len(entry.frame) for entry in entries):
        reason = f"all cells share only {samples:,} samples"
    elif len(units) < (_CLUSTERS if clusters is not None else 2):
        reason = f"the samples are of {len(units)} passages, and {_CLUSTERS} are needed"
    means = values.mean(axis=0) if samples else np.array([float(entry.right.mean()) for entry in entries])
    surely = np.zeros((count, count), dtype=bool)
    if not reason:
        surely = _surely_better(means, _resampled(units, seed))
        place = {entry.scores.cell.id: at for at, entry in enumerate(entries)}
        for pair in pairs:
            if pair.overall.open:
                one, other = (place[e.scores.cell.id] for e in (pair.candidate, pair.reference))
                surely[one, other] = surely[other, one] = False
    found = [
        Rank(
            entry,
            1 + int((means > means[at]).sum()),
            1 + int(surely[:, at].sum()),
            count - int(surely[at].sum()),
        )
        for at, entry in enumerate(entries)
    ]
    return Ranking(sorted(found, key=lambda r: r.rank), samples, _RESAMPLES, seed, reason)


def _shared(entries: Sequence[Entry]) -> tuple[NDArray[np.float64], NDArray[np.object_] | None]:
    """The scores of all cells on the samples that all share, shape (samples, cells), and the samples' clusters."""
    import numpy as np

    first = entries[0]
    places = [first.keys.get_indexer(first.keys)]
    places += [places[0] if e.keys.equals(first.keys) else e.keys.get_indexer(first.keys) for e in entries[1:]]
    everywhere = np.flatnonzero(np.all([place >= 0 for place in places], axis=0))
    values = np.column_stack([e.right[place[everywhere]] for e, place in zip(entries, places, strict=True)])
    clusters = first.clusters
    return values, None if clusters is None else clusters[everywhere]


def _totals(values: NDArray[np.float64], clusters: NDArray[np.object_] | None) -> NDArray[np.float64]:
    """Of each unit that is drawn the sum of every cell's scores, and in the last column its samples."""
    import numpy as np

    alone = np.column_stack([values, np.ones(len(values))])
    if clusters is None:
        return alone
    names, codes = np.unique(clusters.astype(str), return_inverse=True)
    return np.column_stack([np.bincount(codes, column, minlength=names.size) for column in alone.T])


def _resampled(units: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The means of all cells in every resample, shape (resamples, cells)."""
    import numpy as np

    drawn = np.random.default_rng(seed)
    found = []
    for start in range(0, _RESAMPLES, _CHUNK):
        rows = min(_CHUNK, _RESAMPLES - start)
        picks = drawn.integers(len(units), size=(rows, len(units))) + len(units) * np.arange(rows)[:, None]
        times = np.bincount(picks.ravel(), minlength=rows * len(units)).reshape(rows, len(units)).astype(np.float64)
        totals = times @ units
        found.append(totals[:, :-1] / totals[:, -1:])
    return np.concatenate(found)


def _surely_better(means: NDArray[np.float64], resampled: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the cell of a row is better than that of a column by limits that hold for all pairs at once."""
    import numpy as np

    one, other = np.triu_indices(means.size, 1)
    differences = means[one] - means[other]
    noise = (resampled[:, one] - resampled[:, other]) - differences
    error = noise.std(axis=0, ddof=1)
    varies = error > 1e-12
    limit = np.zeros_like(error)
    if varies.any():
        farthest = (np.abs(noise[:, varies]) / error[varies]).max(axis=1)
        limit = float(np.quantile(farthest, _LEVEL, method="higher")) * error
    surely = np.zeros((means.size, means.size), dtype=bool)
    # What never varied in any resample has no error to go by, and parts nobody.
    surely[one, other] = varies & (differences > limit)
    surely[other, one] = varies & (-differences > limit)
    return surely
