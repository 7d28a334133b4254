"""Choose cells of the ledger and compare them."""

from __future__ import annotations

from collections.abc import Sequence

from driftgate.benchmarks.compare import (
    Comparisons,
    agreeing_cells,
    compare_cells,
    having,
    named_cells,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger


def compare(
    ledger: Ledger,
    runs: Sequence[str] = (),
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    *,
    where: Sequence[str] = (),
    pairs: Sequence[tuple[str, str]] = (),
    resamples: int = 0,
    seed: int = 0,
) -> Comparisons:
    """Compare cells of the ledger.

    Parameters
    ----------
    runs, models, datasets, where : sequence of str
        See :func:`chosen_cells`.
    pairs : sequence of tuple of str
        Labels or models of pairs to compare slice by slice; see :func:`driftgate.benchmarks.compare.compare_cells`.
    resamples : int
        Also paired bootstrap intervals, from so many resamples drawn by ``seed``.

    Raises
    ------
    DriftgateError
        Nothing fits, or so few resamples give no interval.
    """
    if resamples and resamples < 100:
        raise DriftgateError(f"{resamples} resamples are too few", "give at least 100, and 10000 for a 95% interval")
    cells = chosen_cells(ledger, runs, models, datasets, where)
    return compare_cells(ledger, cells, pairs=pairs, resamples=resamples, seed=seed)


def chosen_cells(
    ledger: Ledger, runs: Sequence[str], models: Sequence[str], datasets: Sequence[str], where: Sequence[str] = ()
) -> list[CellRow]:
    """The cells of the named runs, or of models that were asked the same way.

    Models, datasets and parts of signatures (``where``) narrow both; see
    :func:`driftgate.benchmarks.compare.agreeing_cells`.

    Raises
    ------
    DriftgateError
        Nothing is chosen, nothing fits, or several ways of asking do.
    """
    if not runs and not models and not datasets:
        raise DriftgateError(
            "nothing was chosen to compare", "name runs (see: driftgate runs list), or use --models A,B and --datasets"
        )
    if not runs:
        return agreeing_cells(ledger, models, datasets, where)
    found = [
        cell
        for cell in named_cells(ledger, runs)
        if (not models or cell.model in models) and (not datasets or cell.dataset in datasets)
    ]
    if not found:
        raise DriftgateError("the named runs have no such model and dataset", "see: driftgate runs show RUN")
    found = having(found, where)
    rank = {name: place for place, name in enumerate(models)}
    return sorted(found, key=lambda cell: rank.get(cell.model, 0))
