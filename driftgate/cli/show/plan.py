"""A plan on the terminal: what so many samples detect, and what a wanted difference needs."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.compare import Design, round_sizes
from driftgate.cli.show.compare_text import percent, points

_WANTED = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)


def print_plan(console: Console, design: Design, wanted: float | None) -> None:
    """What a dataset can show, and what a wanted difference, as a share, needs."""
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
