"""Two cells compared, overall and slice by slice, paired where they share samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from driftgate.benchmarks import stats
from driftgate.benchmarks.changes import NO_CHANGES, Changes
from driftgate.benchmarks.compare._difference import Difference, Directions, directions, without_test
from driftgate.benchmarks.compare._entry import Entry, is_paired
from driftgate.benchmarks.metrics import is_binary
from driftgate.benchmarks.signature import differing

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLICES = ("super_category", "category")
_SAID = ("dataset", "n", "flow", "variant")
"""Parts of a signature that are said otherwise: by the samples shared, and by the cells' names."""
_SEED = 0


@dataclass(frozen=True)
class Pair:
    """All differences between two cells."""

    candidate: Entry
    reference: Entry
    shared: int
    """Samples that both were asked."""
    differences: Sequence[Difference]
    changes: Changes = NO_CHANGES
    """What the data of the two say otherwise of the same samples."""
    sliced: bool = True
    """Whether the differences are also those of slices, and not only that of all samples."""

    @property
    def name(self) -> str:
        """``candidate − reference``."""
        return f"{self.candidate.label} − {self.reference.label}"

    @cached_property
    def overall(self) -> Difference:
        """The difference on all samples."""
        return self.differences[0]

    def of_kind(self, kind: str) -> list[Difference]:
        """The differences by slices of a kind."""
        return [d for d in self.differences if d.kind == kind]

    def directions(self, kind: str = "category") -> Directions:
        """How many slices of a kind go which way; see :class:`Directions`."""
        return directions(self.of_kind(kind))

    @property
    def design(self) -> str:
        """Which samples the differences are of, and what changed of them, in words."""
        return "; ".join([self._shared, *self.changes.words, *self._asked_otherwise])

    @property
    def _asked_otherwise(self) -> list[str]:
        """In what else the signatures of the two differ, in words."""
        names = differing(self.candidate.scores.cell.signature, self.reference.scores.cell.signature)
        found = [name for name in names if name not in _SAID]
        return [f"signatures differ in {', '.join(found)}"] if found else []

    @property
    def _shared(self) -> str:
        candidate, reference = len(self.candidate.frame), len(self.reference.frame)
        if self.overall.comparison.paired:
            by = " by position: the records hold no questions" if self._by_position else ""
            if self.shared == candidate == reference:
                return f"paired on all {self.shared:,} samples{by}"
            return f"paired on the {self.shared:,} shared samples (of {candidate:,} and {reference:,}){by}"
        if not self.shared:
            return f"unpaired: no sample is shared ({candidate:,} and {reference:,})"
        return (
            f"unpaired: only {self.shared:,} samples are shared of {candidate:,} and {reference:,}; "
            "taking them for different ones makes the interval too wide, not too narrow"
        )

    @property
    def _by_position(self) -> bool:
        """Whether samples are the same only by place and key: recorded answers may come without questions."""
        return any("|questions:none" in entry.scores.cell.signature for entry in (self.candidate, self.reference))


def compare_pair(
    candidate: Entry, reference: Entry, *, sliced: bool = True, resamples: int = 0, seed: int = _SEED
) -> Pair:
    """Compare two cells: all samples, the macro average, every super-category and every category.

    Parameters
    ----------
    candidate, reference
        The difference is the first's score less the second's.
    sliced
        Also by slices; else of all samples alone.
    resamples
        Also the paired bootstrap with so many resamples; 0 for none.
    seed
        Of the bootstrap.

    Returns
    -------
    Pair
        Categories carry Benjamini-Hochberg's adjusted p-values, super-categories and categories each as a family. Where
        a gate stopped a side, a difference has what was observed alone: it ended where it looked good, or bad, and no
        test or interval of a fixed number of samples holds there.
    """
    ours, theirs = candidate.shared_with(reference)
    untested = "; ".join(dict.fromkeys(filter(None, (candidate.untested, reference.untested))))
    resamples = 0 if untested else resamples
    if is_paired(ours.size, len(candidate.frame), len(reference.frame)):
        found = _paired(_Side(candidate, ours), _Side(reference, theirs), sliced, resamples, seed)
    else:
        found = _unpaired(_whole(candidate), _whole(reference), sliced)
    if untested:
        found = [without_test(difference, untested) for difference in found]
    return Pair(candidate, reference, int(ours.size), found, sliced=sliced)


@dataclass(frozen=True)
class _Side:
    """Some samples of an entry, in an order."""

    entry: Entry
    places: NDArray[np.int64]

    def at(self, places: NDArray[np.int64]) -> _Side:
        return _Side(self.entry, self.places[places])

    @cached_property
    def right(self) -> NDArray[np.float64]:
        return self.entry.right[self.places]

    @cached_property
    def settled(self) -> NDArray[np.bool_]:
        return self.entry.settled[self.places]

    def filled(self, value: float) -> NDArray[np.float64]:
        """The scores, were all that is not settled worth so much."""
        return np.where(self.settled, self.right, value)

    @cached_property
    def mean(self) -> float | None:
        return float(self.right.mean()) if self.right.size else None

    @cached_property
    def clusters(self) -> NDArray[np.object_] | None:
        """Clusters where they matter: more than one, and fewer than samples."""
        if self.entry.clusters is None:
            return None
        clusters = self.entry.clusters[self.places]
        return clusters if 1 < len(set(clusters.tolist())) < clusters.size else None

    def members(self, kind: str) -> dict[str, NDArray[np.int64]]:
        """The places of each slice of a kind, by its name; samples without one are in none."""
        names, codes = np.unique(self.entry.slices(kind)[self.places].astype(str), return_inverse=True)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(names.size + 1))
        return {str(n): order[starts[i] : starts[i + 1]] for i, n in enumerate(names) if n}


def _whole(entry: Entry) -> _Side:
    return _Side(entry, np.arange(len(entry.frame)))


_Compare = Callable[["NDArray[np.float64]", "NDArray[np.float64]"], stats.Comparison]
_Choose = Callable[[_Side, _Side], _Compare]


def _difference(kind: str, name: str, ours: _Side, theirs: _Side, choose: _Choose, answered: _Answered) -> Difference:
    compare = choose(ours, theirs)
    bounds = None
    (a, b), unanswered = answered(ours, theirs)
    if unanswered:
        low, high = (_interval(compare, ours.filled(v), theirs.filled(1.0 - v)) for v in (0.0, 1.0))
        bounds = stats.Bounds(low, high, n=low.n, n_unanswered=unanswered)
    found = Difference(kind, name, ours.mean, theirs.mean, compare(ours.right, theirs.right), bounds=bounds)
    return replace(found, common=choose(a, b)(a.right, b.right)) if found.open else found


_Answered = Callable[[_Side, _Side], tuple[tuple[_Side, _Side], int]]


def _both_answered(ours: _Side, theirs: _Side) -> tuple[tuple[_Side, _Side], int]:
    """The sides on the samples that both answered, and how many there are besides."""
    both = ours.settled & theirs.settled
    places = np.flatnonzero(both)
    return (ours.at(places), theirs.at(places)), int(both.size - places.size)


def _each_answered(ours: _Side, theirs: _Side) -> tuple[tuple[_Side, _Side], int]:
    a, b = (side.at(np.flatnonzero(side.settled)) for side in (ours, theirs))
    return (a, b), int((~ours.settled).sum() + (~theirs.settled).sum())


def _interval(compare: _Compare, ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> stats.Interval:
    """The interval alone: a bound needs neither a p-value nor what it could have detected."""
    if compare is _compare_tables:
        return stats.tango_interval(stats.paired_table(ours, theirs))
    return compare(ours, theirs).interval


def _compare_tables(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> stats.Comparison:
    return stats.compare_table(stats.paired_table(ours, theirs))


def _paired(ours: _Side, theirs: _Side, sliced: bool, resamples: int, seed: int) -> list[Difference]:
    binary = is_binary(ours.right) and is_binary(theirs.right)

    def choose(a: _Side, _: _Side) -> _Compare:
        if binary and a.clusters is None:
            return _compare_tables
        return partial(stats.compare_paired if binary else stats.compare_means, clusters=a.clusters)

    def difference(kind: str, name: str, places: NDArray[np.int64] | None) -> Difference:
        a, b = (ours, theirs) if places is None else (ours.at(places), theirs.at(places))
        return _difference(kind, name, a, b, choose, _both_answered)

    found = [difference("all", "", None)]
    if not sliced:
        return found
    categories = ours.members("category")
    if len(categories) > 1 and binary:
        found.append(_macro(ours, theirs, categories))
    for kind in SLICES:
        members = categories if kind == "category" else ours.members(kind)
        if kind == "super_category" and set(members) == set(categories):
            continue  # one and the same division
        found += _adjusted([difference(kind, name, places) for name, places in members.items()])
    return _bootstrapped(found, ours, theirs, categories, resamples, seed) if resamples else found


def _unpaired(ours: _Side, theirs: _Side, sliced: bool) -> list[Difference]:
    binary = is_binary(ours.right) and is_binary(theirs.right)

    def choose(a: _Side, b: _Side) -> _Compare:
        if binary and a.clusters is None and b.clusters is None:
            return _compare_counts
        return partial(stats.compare_unpaired_means, clusters=a.clusters, reference_clusters=b.clusters)

    def difference(kind: str, name: str, a: _Side, b: _Side) -> Difference:
        return _difference(kind, name, a, b, choose, _each_answered)

    found = [difference("all", "", ours, theirs)]
    if not sliced:
        return found
    none = np.empty(0, dtype=np.int64)
    for kind in SLICES:
        mine, other = ours.members(kind), theirs.members(kind)
        if kind == "super_category" and {*mine, *other} == {*ours.members("category"), *theirs.members("category")}:
            continue
        names = sorted({*mine, *other})
        parts = [(ours.at(mine.get(name, none)), theirs.at(other.get(name, none))) for name in names]
        found += _adjusted([difference(kind, name, *sides) for name, sides in zip(names, parts, strict=True)])
    return found


def _compare_counts(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> stats.Comparison:
    return stats.compare_unpaired(int(ours.sum()), ours.size, int(theirs.sum()), theirs.size)


def _macro(ours: _Side, theirs: _Side, members: Mapping[str, NDArray[np.int64]]) -> Difference:
    def compared(
        a: NDArray[np.float64], b: NDArray[np.float64], members: Mapping[str, NDArray[np.int64]] = members
    ) -> stats.Comparison:
        return stats.compare_macro({name: stats.paired_table(a[p], b[p]) for name, p in members.items()})

    means = [float(np.mean([side.right[places].mean() for places in members.values()])) for side in (ours, theirs)]
    found = Difference("macro", "", means[0], means[1], compared(ours.right, theirs.right))
    both = ours.settled & theirs.settled
    if both.all():
        return found
    low, high = (compared(ours.filled(v), theirs.filled(1.0 - v)).interval for v in (0.0, 1.0))
    found = replace(found, bounds=stats.Bounds(low, high, n=low.n, n_unanswered=int((~both).sum())))
    answered = {name: part for name, places in members.items() if (part := places[both[places]]).size}
    return replace(found, common=compared(ours.right, theirs.right, answered)) if found.open else found


def _adjusted(differences: Sequence[Difference]) -> list[Difference]:
    adjusted = stats.benjamini_hochberg([d.comparison.p_value for d in differences])
    return [replace(d, p_adjusted=p) for d, p in zip(differences, adjusted, strict=True)]


def _bootstrapped(
    differences: Sequence[Difference],
    ours: _Side,
    theirs: _Side,
    categories: Mapping[str, NDArray[np.int64]],
    resamples: int,
    seed: int,
) -> list[Difference]:
    """The same differences with bootstrap intervals, from one set of draws where samples are independent."""
    change = ours.right - theirs.right
    clusters = ours.clusters
    if clusters is not None or not (is_binary(ours.right) and is_binary(theirs.right)) or not categories:
        boot = stats.bootstrap_mean(change, clusters=clusters, resamples=resamples, seed=seed)
        return [replace(d, bootstrap=boot) if d.kind == "all" else d for d in differences]
    tables = {name: stats.paired_table(ours.right[p], theirs.right[p]) for name, p in categories.items()}
    if sum(table.n for table in tables.values()) < change.size:  # samples without a category are a stratum too
        rest = np.setdiff1d(np.arange(change.size), np.concatenate(list(categories.values())))
        tables[""] = stats.paired_table(ours.right[rest], theirs.right[rest])
    drawn = stats.bootstrap_paired(tables, resamples=resamples, seed=seed)
    by_kind: dict[str, Callable[[str], stats.Bootstrapped | None]] = {
        "all": lambda name: drawn.micro,
        "macro": lambda name: drawn.macro if "" not in tables else None,
        "category": drawn.categories.get,
    }
    return [replace(d, bootstrap=by_kind[d.kind](d.name)) if d.kind in by_kind else d for d in differences]
