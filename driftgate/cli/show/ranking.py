"""Many cells of a dataset on the terminal: their ranks, and all pairs in one matrix."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from driftgate.benchmarks.compare import DatasetComparison, Finding, Ranking
from driftgate.cli.show.compare_text import name_text, price_cells, quality_cells
from driftgate.cli.show.rows import Column, print_rows

SIGNS: dict[Finding, str] = {"higher": "+", "lower": "-", "inconclusive": "·", "unmeasurable": "?"}


def print_ranking(console: Console, dataset: DatasetComparison, ranking: Ranking) -> None:
    """The cells from the best to the worst with the ranks that each may have."""
    numbers = ("quality", "95% interval", "if all right", "asked", "cost of 1,000", "median latency")
    columns = (Column("cell", number=False), *(Column(name) for name in ("#", "ranks", *numbers)))
    standing_of = {standing.entry.scores.cell.id: standing for standing in dataset.standings}
    rows = []
    for one in ranking.ranks:
        standing = standing_of[one.entry.scores.cell.id]
        ranks = str(one.rank), f"{one.low}-{one.high}"
        rows.append((name_text(dataset, standing), *ranks, *quality_cells(standing), *price_cells(standing)))
    print_rows(console, (*columns, Column("Pareto", number=False)), rows)
    console.print(f"  [dim]{escape(ranking.words)}[/]", soft_wrap=True)


def print_matrix(console: Console, dataset: DatasetComparison, ranking: Ranking) -> None:
    """What is found of every pair, a sign each: the cell of the row against that of the column."""
    matrix = dataset.matrix()
    width = len(str(len(ranking.ranks)))
    heads = " ".join(f"{place:>{width}}" for place in range(1, len(ranking.ranks) + 1))
    console.print(f"  {'':>{width}} {heads}", soft_wrap=True, highlight=False)
    for place, (one, row) in enumerate(zip(ranking.ranks, matrix, strict=True), 1):
        signs = " ".join(f"{' ' if finding is None else SIGNS[finding]:>{width}}" for finding in row)
        console.print(f"  {place:>{width}} {signs}  {escape(one.entry.label)}", soft_wrap=True, highlight=False)
    counted = {finding: sum(pair.overall.finding == finding for pair in dataset.pairs) for finding in SIGNS}
    meant = ", ".join(f"{sign} {finding}" for finding, sign in SIGNS.items())
    decided = counted["higher"] + counted["lower"]
    console.print(
        f"  [dim]the row's cell against the column's, in the table's order: {meant}; of {len(dataset.pairs)} pairs "
        f"{decided} are significant, {counted['inconclusive']} inconclusive, {counted['unmeasurable']} unmeasurable; "
        "one in full: --pair A,B[/]",
        soft_wrap=True,
    )
