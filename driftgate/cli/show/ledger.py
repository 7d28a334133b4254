"""A ledger on the terminal: what it takes, and what is wrong with it."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.ledger import Checked


def print_checked(console: Console, checked: Checked) -> None:
    """A row a table, then the whole, then the faults."""
    shown = Table(header_style="bold")
    shown.add_column("table", overflow="fold")
    shown.add_column("rows", justify="right")
    shown.add_column("size", justify="right")
    for one in checked.tables:
        if one.rows:
            shown.add_row(escape(one.name), f"{one.rows:,}", _size(one.bytes))
    console.print(shown)
    each = "" if checked.bytes_per_sample is None else f", {checked.bytes_per_sample:,.0f} bytes a sample"
    asked = "" if checked.samples is None else f"{checked.samples:,} samples asked; "
    console.print(f"format {checked.format}; {asked}{_size(checked.bytes)}{each}")
    if checked.verdicts:
        console.print(f"runs hashed anew for {checked.verdicts:,} verdicts")
    for fault in checked.faults:
        console.print(f"[red]fault[/]  {escape(fault.found)}\n       {escape(fault.remedy)}", soft_wrap=True)
    console.print("the ledger is whole" if not checked.faults else f"[red]{len(checked.faults)} to look at[/]")


def _size(size: int | None) -> str:
    """As people say it.

    Examples
    --------
    >>> _size(None), _size(900), _size(56_000_000)
    ('unknown', '0.9 KB', '56.0 MB')
    """
    if size is None:
        return "unknown"
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} KB"
