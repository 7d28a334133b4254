"""Parity on the terminal: the verdict, a row for each quantity, and the samples to look at."""

from __future__ import annotations

import json

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.api.parity import Compared
from driftgate.benchmarks.parity import Quantity

COLOURS = {"equivalent": "green", "different": "red", "inconclusive": "yellow", "unmeasurable": "magenta"}


_SHOWN = 10


def print_parity(out: Console, compared: Compared) -> None:
    """The verdict, a row for each quantity, and the samples to look at."""
    found = compared.found
    out.print(
        f"{escape(compared.model)} · {escape(compared.dataset)}: [bold {COLOURS[found.verdict]}]{found.verdict}[/]: "
        f"{escape(found.reason)}",
        soft_wrap=True,
    )
    table = Table(header_style="bold")
    table.add_column("quantity", overflow="fold")
    for column in ("n", "differ", "flow", "port", "difference (90%)", "margin", "p (TOST)", "verdict", "n to decide"):
        table.add_column(column, justify="right")
    for quantity in found.quantities:
        table.add_row(*_row(quantity))
    out.print(table)
    moved = [f"{n.node} {n.differing:,} of {n.compared:,}" for n in found.nodes if n.differing]
    if moved:
        out.print(f"node outputs that differ: {escape(', '.join(moved))}", soft_wrap=True)
    if found.silent:
        out.print(f"[yellow]{found.silent:,} samples are left out: a model's service gave one side no reply[/]")
    if found.not_compared:
        out.print(f"not compared: {escape(', '.join(found.not_compared))}", soft_wrap=True)
    for sample in found.samples[:_SHOWN]:
        at = f" (first at {sample.first_node})" if sample.first_node else ""
        sides = [
            json.dumps(outputs, ensure_ascii=False) if outputs else outcome
            for outputs, outcome in (
                (sample.reference_outputs, sample.reference_outcome),
                (sample.port_outputs, sample.port_outcome),
            )
        ]
        out.print(escape(f"  {sample.id}{at}: {sides[0][:80]} → {sides[1][:80]}"), soft_wrap=True)
    if len(found.samples) > _SHOWN:
        out.print(f"  and {len(found.samples) - _SHOWN:,} more samples that differ")


def _row(quantity: Quantity) -> list[str]:
    def number(value: float | None, digits: int = 4) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    interval = quantity.interval
    limits = (
        f" ({interval.low:+.4f}…{interval.high:+.4f})" if interval.low is not None and interval.high is not None else ""
    )
    difference = "-" if interval.estimate is None else f"{interval.estimate:+.4f}{limits}"
    return [
        escape(quantity.name),
        f"{quantity.n:,}",
        f"{quantity.differing:,}",
        number(quantity.reference),
        number(quantity.port),
        difference,
        f"±{quantity.margin:.4g}",
        number(quantity.p_equivalent),
        f"[{COLOURS[quantity.verdict]}]{quantity.verdict}[/]",
        f"{quantity.needed:,}" if quantity.needed else "",
    ]
