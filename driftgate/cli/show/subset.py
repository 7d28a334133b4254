"""How well each way of choosing a subset predicts the models that were left out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.subset import Measured, Responses, best


def print_measured(console: Console, responses: Responses, measured: Sequence[Measured], size: int) -> None:
    """How well each method predicts the models that were left out."""
    table = Table(
        title=f"{size} of {responses.n:,} samples of {escape(responses.dataset)}: "
        f"error on {len(responses.models)} models, each left out once, {measured[0].errors.shape[1]} draws, in points",
        title_justify="left",
        header_style="bold",
    )
    table.add_column("method")
    for column in ("standard error", "of the worst model", "largest bias", "against random"):
        table.add_column(column, justify="right")
    table.add_column("how")
    chosen, yardstick = best(measured), measured[0].error
    for row in measured:
        mark = "[bold]" if row is chosen else ""
        table.add_row(
            f"{mark}{row.method.name}",
            f"{100 * row.error:.2f} ± {100 * row.simulation_error:.2f}",
            f"{100 * row.worst:.2f}",
            f"{100 * row.bias:.2f}",
            f"{100 * (row.error / yardstick - 1):+.0f}%",
            row.method.words,
        )
    console.print(table)
    worth = (yardstick / chosen.error) ** 2 - 1
    console.print(
        f"chosen: [bold]{chosen.method.name}[/], the simplest that the simulation cannot tell from the best; a random "
        f"subset would need {100 * worth:.0f}% more samples to be as good"
    )
