"""The 2x2 table of two models on the same samples: all that a paired comparison needs to know."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_count, check_outcomes, check_pair, cluster_codes

__all__ = ["PairedTable", "paired_table", "paired_tables"]


@dataclass(frozen=True, slots=True)
class PairedTable:
    """How often a candidate and a reference were right on the same samples.

    Parameters
    ----------
    both
        Samples both got right.
    gained
        Samples only the candidate got right.
    lost
        Samples only the reference got right.
    neither
        Samples neither got right.

    Raises
    ------
    ValueError
        If a count is negative or not whole.

    Examples
    --------
    >>> table = PairedTable(both=400, gained=60, lost=40, neither=500)
    >>> table.n, table.n_discordant, table.difference
    (1000, 100, 0.02)
    """

    both: int
    gained: int
    lost: int
    neither: int

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, check_count(field.name, getattr(self, field.name)))

    def __add__(self, other: PairedTable) -> PairedTable:
        """The table of both tables' samples together."""
        return PairedTable(
            both=self.both + other.both,
            gained=self.gained + other.gained,
            lost=self.lost + other.lost,
            neither=self.neither + other.neither,
        )

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.both + self.gained + self.lost + self.neither

    @property
    def n_discordant(self) -> int:
        """Samples that exactly one of the two got right; only these carry evidence."""
        return self.gained + self.lost

    @property
    def difference(self) -> float | None:
        """Candidate's proportion less the reference's; None without samples."""
        return (self.gained - self.lost) / self.n if self.n else None


def paired_table(candidate: ArrayLike, reference: ArrayLike) -> PairedTable:
    """Count the table from 0/1 outcomes of the same samples in the same order.

    Parameters
    ----------
    candidate, reference
        0 or 1 a sample, shape (n,).

    Raises
    ------
    ValueError
        If an outcome is not 0 or 1 (NaN included) or the lengths differ.

    Examples
    --------
    >>> paired_table([1, 1, 0, 0, 1], [1, 0, 1, 0, 0])
    PairedTable(both=1, gained=2, lost=1, neither=1)
    """
    return paired_tables(candidate, reference, None)[""]


def paired_tables(candidate: ArrayLike, reference: ArrayLike, categories: ArrayLike | None) -> dict[str, PairedTable]:
    """Count one table a category, in the order of the categories' names.

    Parameters
    ----------
    candidate, reference
        0 or 1 a sample, shape (n,).
    categories
        One label a sample, shape (n,); None for one table named "".

    Raises
    ------
    ValueError
        If an outcome is not 0 or 1 (NaN included), a label is missing, or the lengths differ.

    Examples
    --------
    >>> tables = paired_tables([1, 1, 0, 1], [1, 0, 1, 0], ["law", "law", "math", "math"])
    >>> {name: (table.gained, table.lost) for name, table in tables.items()}
    {'law': (1, 0), 'math': (1, 1)}
    """
    first, second = check_outcomes("candidate", candidate), check_outcomes("reference", reference)
    check_pair(first, second)
    if categories is None:
        names, codes = [""], np.zeros(first.size, dtype=np.int64)
    else:
        labels = (
            np.asarray(categories).astype(str) if np.asarray(categories).dtype.kind == "O" else np.asarray(categories)
        )
        codes = cluster_codes(categories, first.size, name="categories")
        names = [str(name) for name in np.unique(labels)]
    cells = (codes * 4 + 2 * (1 - first.astype(np.int64)) + (1 - second.astype(np.int64))).astype(np.int64)
    counts = np.bincount(cells, minlength=4 * len(names)).reshape(len(names), 4)
    return {
        name: PairedTable(both=row[0], gained=row[1], lost=row[2], neither=row[3])
        for name, row in zip(names, counts.tolist(), strict=True)
    }
