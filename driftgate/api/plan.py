"""Which difference a comparison can find, and how many samples a wanted one needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftgate.benchmarks.compare import (
    Design,
    Entry,
    agreeing_cells,
    assumed_design,
    comparable_cells,
    compare_cells,
    half_observed,
    labels,
    named_cells,
    observed_design,
)
from driftgate.benchmarks.scores import score_cell
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger


@dataclass(frozen=True)
class Assumed:
    """What stands in for runs."""

    rate: float | None = None
    n: int | None = None
    discordance: float | None = None
    alpha: float = 0.05
    power: float = 0.8

    def __post_init__(self) -> None:
        for name, share in (("alpha", self.alpha), ("power", self.power)):
            if not 0.0 < share < 1.0:
                raise DriftgateError(f"{name} is {share}", "give a share above 0 and below 1")


def plan(
    ledger: Ledger,
    dataset: str = "",
    models: Sequence[str] = (),
    *,
    runs: Sequence[str] = (),
    assumed: Assumed | None = None,
) -> list[Design]:
    """Say which difference a comparison can find, from the ledger where it has runs, else from what is assumed.

    Raises
    ------
    DriftgateError
        There is nothing to plan from.
    """
    given = assumed or Assumed()
    if given.rate is not None and not dataset and not runs:
        return assumed_designs(given)
    return _from_ledger(ledger, dataset, models, runs, given)


def assumed_designs(assumed: Assumed) -> list[Design]:
    """The plan from what is assumed alone, without a ledger.

    Raises
    ------
    DriftgateError
        The number of samples is not given.
    """
    if assumed.rate is None or assumed.n is None:
        raise DriftgateError("--rate without --n", "give the number of samples with --n")
    return [_assume(assumed.rate, assumed.n, assumed)]


def _from_ledger(
    ledger: Ledger, dataset: str, models: Sequence[str], runs: Sequence[str], assumed: Assumed
) -> list[Design]:
    if runs:
        cells = [c for c in named_cells(ledger, runs) if not dataset or c.dataset == dataset]
        return _observe(ledger, cells, assumed)
    if not dataset or len(models) != 2:
        raise DriftgateError(
            "nothing to plan from", "name a dataset and two models, or give --runs A,B, or --rate 0.6 --n 1000"
        )
    there = {cell.model for cell in comparable_cells(ledger) if cell.dataset == dataset}
    known = [model for model in models if model in there]
    cells = agreeing_cells(ledger, known, [dataset]) if known else []
    if len(known) == 2:
        return _observe(ledger, cells, assumed)
    if assumed.rate is not None:
        n = assumed.n or (cells[0].details.get("n") if cells else None)
        if n is None:
            raise DriftgateError(f"no complete run says how many samples {dataset} has", "give --n")
        return [_assume(assumed.rate, int(n), assumed)]
    if not known:
        raise DriftgateError(
            f"no complete run has {' or '.join(models)} on {dataset}", "give --rate 0.6 --n 1000 to plan without runs"
        )
    entry = Entry(labels(cells)[0], score_cell(ledger, cells[0]))
    given = {"discordance": assumed.discordance, "alpha": assumed.alpha, "power": assumed.power}
    return [half_observed(entry, **given)]  # type: ignore[arg-type]


def _observe(ledger: Ledger, cells: Sequence[CellRow], assumed: Assumed) -> list[Design]:
    compared = compare_cells(ledger, cells)
    return [observed_design(pair, alpha=assumed.alpha, power=assumed.power) for pair in compared.pairs]


def _assume(rate: float, n: int, assumed: Assumed) -> Design:
    return assumed_design(rate, n, discordance=assumed.discordance, alpha=assumed.alpha, power=assumed.power)
