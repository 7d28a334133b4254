"""Rows of numbers and texts: a table where it fits, and else each row below its name, with no number cut."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_TEXT = 16
"""Columns that a text is to have at least: narrower ones make a table long and unreadable."""
_REASON = 20
"""Columns of a reason why there are no limits."""
_FRAME = 3
"""Columns between two cells."""
_GAP = "   "


@dataclass(frozen=True)
class Column:
    """A column of rows."""

    name: str
    number: bool = True
    """It is never broken within a line; else it is a text, which may be."""


def print_rows(
    console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str | None = None
) -> None:
    """Print rows of markup, the first cell of each being its name.

    Where the console is too narrow for a table with whole numbers, a row is its name and below it every other cell that
    says something, after the name of its column.
    """
    cells = [[_broken(cell) if c.number else cell for c, cell in zip(columns, row, strict=True)] for row in rows]
    widths = [_least(column, [row[at] for row in cells]) for at, column in enumerate(columns)]
    if title:
        console.print(f"[italic]{title}[/]", soft_wrap=True)
    if sum(width + _FRAME for width in widths) < console.width:
        table = Table(header_style="bold")
        for column, width in zip(columns, widths, strict=True):
            table.add_column(
                _head(column, width),
                justify="right" if column.number else "left",
                no_wrap=column.number,
                overflow="fold",
            )
        for shown in cells:
            table.add_row(*shown)
        console.print(table)
        return
    for row in rows:
        _print_stacked(console, columns, row)


def _least(column: Column, cells: Sequence[str]) -> int:
    """How wide a column is at least: a number's longest line; of a text, which may be broken, no more than it needs."""
    heads = column.name.split() if column.number else [column.name]
    natural = max(map(_width, (*heads, *(line for cell in cells for line in cell.splitlines()))))
    return natural if column.number else min(_TEXT, natural)


def _head(column: Column, width: int) -> str:
    return textwrap.fill(column.name, width) if column.number else column.name


def _broken(cell: str) -> str:
    """A number with its limits below it, or a reason why there is none on several lines."""
    return textwrap.fill(cell, _REASON) if cell.startswith("no interval") else cell.replace(" (", "\n(")


def _print_stacked(console: Console, columns: Sequence[Column], row: Sequence[str]) -> None:
    if row[0]:
        console.print(row[0])
    line, width = "", console.width - 2
    for column, cell in zip(columns[1:], row[1:], strict=True):
        if cell in ("", "-", "–"):
            continue
        said = f"[dim]{column.name}[/] {cell}"
        if line and _width(line + _GAP + said) > width:
            console.print(Padding(line, (0, 0, 0, 2), expand=False))
            line = ""
        line = f"{line}{_GAP}{said}" if line else said
    if line:
        console.print(Padding(line, (0, 0, 0, 2), expand=False))


def _width(markup: str) -> int:
    return Text.from_markup(markup).cell_len
