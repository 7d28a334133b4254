"""Everything that is to be said of some cells beside each other."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks import stats
from driftgate.benchmarks.changes import changes
from driftgate.benchmarks.compare._choose import differing_parts, labels, part_words
from driftgate.benchmarks.compare._difference import Finding
from driftgate.benchmarks.compare._entry import Entry, groups
from driftgate.benchmarks.compare._json import as_json
from driftgate.benchmarks.compare._pair import Pair, compare_pair
from driftgate.benchmarks.compare._pareto import Standing, standings
from driftgate.benchmarks.compare._ranks import MANY, Ranking, ranking
from driftgate.benchmarks.compare._samples import SuspectKeys, suspect_keys
from driftgate.benchmarks.scores import CellScores, score_briefly, score_cell
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import CellRow, Ledger, check_asked, key_frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DatasetComparison:
    """The cells on one dataset, compared each with each."""

    dataset: str
    entries: Sequence[Entry]
    keys: pd.DataFrame
    pairs: Sequence[Pair]
    """The second less the first, the third less the first, ...; each candidate stands after its reference."""
    standings: Sequence[Standing]
    measures: Sequence[str]
    """What the Pareto front compares: what was recorded of every cell."""
    suspects: SuspectKeys
    ranking: Ranking | None = None
    """Of more than :data:`driftgate.benchmarks.compare.MANY` cells; their pairs then have slices only where asked."""

    @property
    def detailed(self) -> list[Pair]:
        """The pairs that were compared slice by slice."""
        return [pair for pair in self.pairs if pair.sliced]

    def matrix(self) -> list[list[Finding | None]]:
        """What is found of every pair, the cell of the row against that of the column, in the order of the ranks.

        None on the diagonal. Without a ranking the cells stand in their own order.
        """
        opposite: Mapping[Finding, Finding] = {"higher": "lower", "lower": "higher"}
        found: dict[tuple[int, int], Finding] = {}
        for pair in self.pairs:
            one, other, said = pair.candidate.scores.cell.id, pair.reference.scores.cell.id, pair.overall.finding
            found[one, other], found[other, one] = said, opposite.get(said, said)
        entries = [one.entry for one in self.ranking.ranks] if self.ranking else self.entries
        ids = [entry.scores.cell.id for entry in entries]
        return [[found.get((row, column)) for column in ids] for row in ids]

    @cached_property
    def differing(self) -> list[str]:
        """The parts of their signatures in which the cells differ."""
        return differing_parts([entry.scores.cell for entry in self.entries])

    def asked_as(self, entry: Entry) -> str:
        """What an entry's signature says of the parts in which the cells differ; empty where they agree."""
        return part_words(entry.scores.cell, self.differing)

    def against_first(self, entry: Entry) -> Pair | None:
        """The pair of an entry and the first one; None for the first itself."""
        return next((p for p in self.pairs if p.reference is self.entries[0] and p.candidate is entry), None)


@dataclass(frozen=True)
class Comparisons:
    """All datasets that at least two of the chosen cells share."""

    datasets: Sequence[DatasetComparison]
    alone: Sequence[Entry]
    """Cells that nothing can be compared with."""
    resamples: int
    seed: int

    @property
    def pairs(self) -> list[Pair]:
        """The pairs of all datasets, in their order."""
        return [pair for dataset in self.datasets for pair in dataset.pairs]

    @property
    def tested(self) -> int:
        """How many overall differences have a p-value, so that Holm's adjustment is over so many."""
        return sum(pair.overall.comparison.p_value is not None for pair in self.pairs)

    def as_json(self) -> dict[str, Any]:
        """Every cell, difference and finding as plain values; shares and differences are fractions."""
        return as_json(self)


def compare_cells(
    ledger: Ledger,
    cells: Sequence[CellRow],
    *,
    pairs: Sequence[tuple[str, str]] = (),
    resamples: int = 0,
    seed: int = 0,
) -> Comparisons:
    """Compare cells of the ledger, each with each on the same dataset; no model is asked.

    Parameters
    ----------
    pairs
        Labels or models of the pairs that are compared slice by slice; without any, all pairs of datasets that have
        no more than :data:`MANY` cells.

    Raises
    ------
    DriftgateError
        There are no two cells that can be compared, or a named pair is none of them.
    """
    for cell in cells:
        check_asked(ledger, cell)
    scored = _scored(ledger, cells)
    keys: dict[tuple[str, str], pd.DataFrame] = {}
    for cell in cells:
        asked = _asked(cell)
        if asked not in keys:  # cells that were asked the same samples share their keys
            keys[asked] = key_frame(ledger, cell.id)
    by_cell = {cell.id: keys[_asked(cell)] for cell in cells}
    return compare_scored(scored, by_cell, pairs=pairs, resamples=resamples, seed=seed)


def compare_two(ledger: Ledger, candidate: CellRow, reference: CellRow) -> Pair:
    """Compare two cells for somebody who wants nothing else of them: what is read is what differences need.

    Raises
    ------
    DriftgateError
        The model of a cell was not asked.
    """
    for cell in (candidate, reference):
        check_asked(ledger, cell)
    theirs = _alone(ledger, reference, None)
    ours = _alone(ledger, candidate, theirs.asks)
    names = labels([candidate, reference])
    pair = compare_pair(Entry(names[0], ours), Entry(names[1], theirs))
    # The only pair of its family: Holm's adjustment leaves its p-value as it is.
    first = replace(pair.overall, p_adjusted=pair.overall.comparison.p_value)
    return replace(pair, differences=[first, *pair.differences[1:]])


def _alone(ledger: Ledger, cell: CellRow, like: pd.DataFrame | None) -> CellScores:
    if cell.repeats > 1 or cell.stopped:
        return score_cell(ledger, cell)
    return score_briefly(ledger, cell, like)


def _scored(ledger: Ledger, cells: Sequence[CellRow]) -> list[CellScores]:
    """The scores of cells; of many on one dataset only what ranks and differences need, their samples read once."""
    counted = Counter(cell.dataset for cell in cells)
    kept: dict[tuple[str, str], pd.DataFrame] = {}
    found = []
    for cell in cells:
        if counted[cell.dataset] > MANY and cell.repeats == 1 and not cell.stopped:
            scores = score_briefly(ledger, cell, kept.get(_asked(cell)))
            kept.setdefault(_asked(cell), scores.asks)
        else:
            scores = score_cell(ledger, cell)
        found.append(scores)
    return found


def _asked(cell: CellRow) -> tuple[str, str]:
    return cell.dataset, str(cell.details.get("samples", cell.id))


def compare_scored(
    scored: Sequence[CellScores],
    keys: Mapping[int, pd.DataFrame],
    *,
    pairs: Sequence[tuple[str, str]] = (),
    resamples: int = 0,
    seed: int = 0,
) -> Comparisons:
    """Compare cells that were read; see :func:`compare_cells`.

    Parameters
    ----------
    keys
        The keys of each cell's samples, by the cell's id.
    """
    names = labels([s.cell for s in scored])
    entries = [Entry(name, scores) for name, scores in zip(names, scored, strict=True)]
    grouped = groups(entries)
    several = [group for group in grouped if len(group) > 1]
    if not several:
        raise _nothing(entries)
    wanted = [_wanted(group, pairs) for group in several]
    for number, (one, other) in enumerate(pairs):
        if not any(named[number] for named in wanted):
            raise _no_pair(one, other, several)
    datasets = [
        _compare(group, keys, set().union(*named) if pairs else None, resamples, seed)
        for group, named in zip(several, wanted, strict=True)
    ]
    alone = [entry for group in grouped if len(group) == 1 for entry in group]
    return Comparisons(_holm(datasets), alone, resamples, seed)


def _wanted(entries: Sequence[Entry], pairs: Sequence[tuple[str, str]]) -> list[set[frozenset[int]]]:
    """Of each named pair the ids of the cells of its pairs here."""

    def fitting(name: str) -> list[int]:
        return [e.scores.cell.id for e in entries if e.label == name] or [
            e.scores.cell.id for e in entries if e.scores.cell.model == name
        ]

    return [{frozenset((a, b)) for a in fitting(one) for b in fitting(other) if a != b} for one, other in pairs]


def _no_pair(one: str, other: str, several: Sequence[Sequence[Entry]]) -> DriftgateError:
    known = list(dict.fromkeys(entry.label for group in several for entry in group))
    missing = next((name for name in (one, other) if name not in known), other)
    return DriftgateError(f"no dataset has the pair {one},{other} among the cells compared", nearest(missing, known))


def _compare(
    entries: Sequence[Entry],
    keys: Mapping[int, pd.DataFrame],
    wanted: AbstractSet[frozenset[int]] | None,
    resamples: int,
    seed: int,
) -> DatasetComparison:
    import pandas as pd

    many = len(entries) > MANY

    def in_full(one: Entry, other: Entry) -> bool:
        return not many if wanted is None else frozenset((one.scores.cell.id, other.scores.cell.id)) in wanted

    pairs = [
        replace(
            compare_pair(
                candidate,
                reference,
                sliced=in_full(candidate, reference),
                resamples=resamples if in_full(candidate, reference) else 0,
                seed=seed + number,
            ),
            changes=changes(
                candidate.frame,
                keys[candidate.scores.cell.id],
                reference.frame,
                keys[reference.scores.cell.id],
            ),
        )
        for number, (reference, candidate) in enumerate(itertools.combinations(entries, 2))
    ]
    frames = {id(keys[e.scores.cell.id]): keys[e.scores.cell.id] for e in entries}  # most cells share theirs
    known = pd.concat(list(frames.values())).drop_duplicates("sample_id")
    name = " + ".join(dict.fromkeys(entry.dataset for entry in entries))
    ranked = ranking(entries, pairs, seed=seed) if many else None
    return DatasetComparison(name, entries, known, pairs, (), (), suspect_keys(entries, known), ranked)


def _holm(datasets: Sequence[DatasetComparison]) -> list[DatasetComparison]:
    """Adjust the overall p-values over all datasets and pairs, and place the cells by what they then say."""
    adjusted = iter(stats.holm([p.overall.comparison.p_value for d in datasets for p in d.pairs]))

    def corrected(pair: Pair) -> Pair:
        overall, *rest = pair.differences
        return replace(pair, differences=[replace(overall, p_adjusted=next(adjusted)), *rest])

    found = []
    for dataset in datasets:
        pairs = [corrected(pair) for pair in dataset.pairs]
        placed, measures = standings(dataset.entries, pairs)
        found.append(replace(dataset, pairs=pairs, standings=placed, measures=measures))
    return found


def _nothing(entries: Sequence[Entry]) -> DriftgateError:
    if len(entries) < 2:
        found = "only one cell was chosen" if entries else "no cell was chosen"
        return DriftgateError(f"{found}, nothing to compare it with", "name a second run, or use --models A,B")
    datasets = ", ".join(f"{e.label} on {e.dataset}" for e in entries)
    return DriftgateError(
        f"no two of these cells are of one dataset: {datasets}",
        "choose cells on the same dataset; see: driftgate runs list",
    )
