"""Many cells of a dataset on the terminal: their ranks, and all pairs in one matrix."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.compare import DatasetComparison, Finding, Ranking
from driftgate.cli.show.compare_text import measured, percent, place_text, range_text

SIGNS: dict[Finding, str] = {"higher": "+", "lower": "-", "inconclusive": "·", "unmeasurable": "?"}


def print_ranking(console: Console, dataset: DatasetComparison, ranking: Ranking) -> None:
    """The cells from the best to the worst with the ranks that each may have."""
    table = Table(header_style="bold")
    for column in ("#", "ranks", "cell"):
        table.add_column(column, justify="left" if column == "cell" else "right", overflow="fold")
    for column in ("quality", "95% interval", "if all right", "asked", "cost of 1,000", "median latency"):
        table.add_column(column, justify="right")
    table.add_column("Pareto", overflow="fold")
    standing_of = {standing.entry.scores.cell.id: standing for standing in dataset.standings}
    for one in ranking.ranks:
        standing, asked_as = standing_of[one.entry.scores.cell.id], dataset.asked_as(one.entry)
        table.add_row(
            str(one.rank),
            f"{one.low}-{one.high}",
            escape(one.entry.label) + (f"\n[dim]{escape(asked_as)}[/]" if asked_as else ""),
            percent(standing.quality.estimate),
            range_text(standing.quality, 100.0, "{:.1f}"),
            percent(standing.if_right),
            f"{len(one.entry.frame):,}",
            ("at most " if standing.cost and standing.at_most else "")
            + measured(standing.cost, standing.currency, "unknown"),
            measured(standing.latency, "s", "not recorded"),
            escape(place_text(standing)),
        )
    console.print(table)
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
