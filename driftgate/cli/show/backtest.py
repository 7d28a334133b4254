"""A backtest on the terminal."""

from __future__ import annotations

from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.api.backtest import Backtest


def print_backtest(console: Console, found: Backtest) -> None:
    """What changed by slice, how soon it would have been noticed, and how often where nothing had changed."""
    table = Table(header_style="bold")
    for column in ("slice", "pairs", "before", "after"):
        table.add_column(column, justify="left" if column == "slice" else "right", overflow="fold")
    for name, count, before, after in found.scores:
        table.add_row(escape(name) or "(none)", f"{count:,}", f"{before:.3f}", f"{after:.3f}")
    console.print(table)
    if found.left_out:
        console.print(f"{found.left_out:,} shared samples are left out: one run has no reply to them")
    orders = len(found.alarms)
    seen = sorted(alarm for alarm in found.alarms if alarm is not None)
    if seen:
        latest = f"median {median(seen):g} pairs, at most {seen[-1]:,}"
        console.print(f"noticed in {len(seen)} of {orders} orders of {found.pairs:,} pairs: {latest}")
    else:
        console.print(f"noticed in none of {orders} orders of {found.pairs:,} pairs")
    for names, count in found.named[:5]:
        console.print(f"  named in {count}: {escape(names)}")
    console.print(
        f"false alarms, answers of a pair exchanged: {found.false_alarms} of {orders} (at most {found.alpha:.0%})"
    )
