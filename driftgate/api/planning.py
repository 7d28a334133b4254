"""``driftgate plan``: which difference a comparison can find, and how many samples a wanted one needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from driftgate.api.commands import console, opened
from driftgate.api.comparing import NOT_BENCHMARKS, names, percent, points
from driftgate.benchmarks.compare import (
    Design,
    Entry,
    assumed_design,
    compare_cells,
    half_observed,
    labels,
    named_cells,
    newest_cells,
    observed_design,
    round_sizes,
)
from driftgate.benchmarks.scores import score_cell
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import CellRow, Ledger, complete_cells

_WANTED = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)


@dataclass(frozen=True)
class Assumed:
    """What stands in for runs."""

    rate: float | None = None
    n: int | None = None
    discordance: float | None = None
    alpha: float = 0.05
    power: float = 0.8


def run_plan(
    folder: Path, dataset: str, models: Sequence[str], runs: str, assumed: Assumed, wanted: float | None
) -> int:
    """Print the plan; from the ledger where it has runs, else from what was given."""
    for name, share in (("--alpha", assumed.alpha), ("--power", assumed.power)):
        if not 0.0 < share < 1.0:
            raise DriftgateError(f"{name} is {share}", "give a share above 0 and below 1")
    if wanted is not None and not 0.0 < wanted < 100.0:
        raise DriftgateError(f"--difference is {wanted}", "give points above 0 and below 100, such as 2")
    if assumed.rate is not None and not dataset and not runs:
        if assumed.n is None:
            raise DriftgateError("--rate without --n", "give the number of samples with --n")
        designs = [_assume(assumed.rate, assumed.n, assumed)]
    else:
        with opened(folder) as (_, ledger):
            designs = _from_ledger(ledger, dataset, models, names(runs), assumed)
    for design in designs:
        _print(design, None if wanted is None else wanted / 100.0)
    return 0


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
    there = {c.model for c, suite in complete_cells(ledger, datasets=[dataset]) if not suite.startswith(NOT_BENCHMARKS)}
    known = [model for model in models if model in there]
    cells = newest_cells(ledger, known, [dataset], passing_over=NOT_BENCHMARKS) if known else []
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


def _print(design: Design, wanted: float | None) -> None:
    console.rule(escape(design.source), align="left")
    effect = f", design effect {design.design_effect:.2f}" if design.design_effect > 1.0 else ""
    console.print(
        f"{design.n:,} samples, middle accuracy {percent(design.rate)}, {percent(design.discordance)} of the samples "
        f"discordant{effect}"
    )
    found = design.detectable()
    power, level = f"{design.power:.0%}", f"{design.alpha:g}"
    if found is None:
        console.print(f"[yellow]no difference would be found with {power} power at level {level}[/]")
    else:
        console.print(
            f"a true difference of [bold]{_unsigned(found)} points[/] is found with {power} power at level {level} "
            f"(exact McNemar test, two-sided)"
        )
    sizes = Table(title="what so many samples detect, in points", title_justify="left", header_style="bold")
    for column in ("samples", "paired", "unpaired, so many each"):
        sizes.add_column(column, justify="right")
    for n in round_sizes(design.n):
        row = [f"{n:,}", _unsigned(design.detectable(n)), _unsigned(design.detectable_unpaired(n))]
        sizes.add_row(*row, style="bold" if n == design.n else "")
    console.print(sizes)
    needs = Table(title="what a wanted difference needs", title_justify="left", header_style="bold")
    for column in ("points", "shared samples", "unpaired, each"):
        needs.add_column(column, justify="right")
    for difference in sorted({*_WANTED, *([wanted] if wanted else [])}):
        unpaired = design.needed_unpaired(difference)
        row = [f"{100 * difference:g}", f"{design.needed(difference):,}", "-" if unpaired is None else f"{unpaired:,}"]
        needs.add_row(*row, style="bold" if difference == wanted else "")
    console.print(needs)


def _unsigned(value: float | None) -> str:
    return points(value).removeprefix("+")
