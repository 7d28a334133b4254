"""A ledger on the terminal: what it takes, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.api.forgetting import Done
from driftgate.ledger import Archived, Checked, Expired, Packed, Space

if TYPE_CHECKING:
    from driftgate.monitor.telemetry import Gone

_SHOWN = 5
"""Forgettings that are shown, the newest."""


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
    if checked.archive.files:
        rows = f"{checked.archive.rows:,} rows in {checked.archive.files:,} files, {_size(checked.archive.bytes)}"
        console.print(f"archive {escape(str(checked.archive.folder))}: {rows}", soft_wrap=True)
    if checked.verdicts:
        console.print(f"runs hashed anew for {checked.verdicts:,} verdicts")
    for gone in checked.forgotten[:_SHOWN]:
        what = f"{gone.what} {gone.subject}" if gone.subject else "a user" if gone.what == "user" else "a text"
        ended = "" if gone.done else ": [yellow]begun and not ended[/]; forget it again"
        console.print(f"forgotten on {gone.at:%Y-%m-%d} by {escape(gone.who)}: {escape(what)}{ended}", soft_wrap=True)
    for fault in checked.faults:
        console.print(f"[red]fault[/]  {escape(fault.found)}\n       {escape(fault.remedy)}", soft_wrap=True)
    console.print("the ledger is whole" if not checked.faults else f"[red]{len(checked.faults)} to look at[/]")


def print_archived(console: Console, done: Archived, folder: Path) -> None:
    """What was moved where, and what the database takes now."""
    if done.cells:
        console.print(
            f"{done.rows:,} rows of {done.cells:,} cells moved to {escape(str(folder))}: {_size(done.bytes)}",
            soft_wrap=True,
        )
    else:
        console.print("nothing to move")
    if done.removed:
        console.print(f"{done.removed:,} files of a process that was killed removed; what is in them is in the ledger")
    _print_space(console, done.space)


def print_packed(console: Console, done: Packed) -> None:
    """What was packed, and what the database takes now."""
    if done.cells:
        console.print(f"{done.rows:,} rows of {done.cells:,} cells packed into {_size(done.bytes)}")
    else:
        console.print("nothing to pack")
    _print_space(console, done.space)


def print_expired(console: Console, done: Expired, reports: Path) -> None:
    """Whose texts were removed, and where texts may still be."""
    for run in done.runs:
        console.print(f"expired {escape(run)}: its prompts, replies and node outputs are removed; its scores stand")
        if (page := reports / run).exists():
            console.print(
                f"  [yellow]its report still shows samples[/]: write it anew with driftgate report {run}, "
                f"or delete {escape(str(page))}",
                soft_wrap=True,
            )
    if not done.runs:
        console.print("nothing to expire")
    if done.questions:
        console.print(f"{done.questions:,} questions that no other run has asked are removed as well")
    if done.replies:
        console.print(f"{done.replies:,} cached replies are forgotten")
    _print_space(console, done.space)


def print_forgotten(console: Console, done: Done, folder: Path) -> bool:
    """What was forgotten, or would be; returns whether something of it is left."""
    would = "would be " if done.dry else ""
    if done.expired is not None:
        print_expired(console, done.expired, folder / "no reports are left")
    if done.calls is not None:
        _print_calls(console, done.calls, would)
        if done.grades:
            console.print(f"{done.grades:,} grades of these calls {would}removed")
    if (found := done.ledger) is not None and done.calls is None:
        console.print(
            f"{escape(done.what)}: {found.samples:,} questions, {found.lines:,} answers in {found.runs:,} runs, "
            f"{found.replies:,} cached replies {would}forgotten",
            soft_wrap=True,
        )
    if found is not None:
        for name, rows in found.rows.items():
            console.print(f"{rows:,} rows of {escape(name)} {would}cleared of it")
    for what in ("removed", "rewritten"):
        files = [change for change in done.files if change.done == what]
        for change in files:
            console.print(f"{would}{what}: {escape(_beside(change.path, folder))}", soft_wrap=True)
    named = dict(found.named) if found is not None else {}
    for place, rows in named.items():
        console.print(f"[yellow]left[/]: {rows:,} rows have it in the name {escape(place)}, by which others go")
    left = [change for change in done.files if change.done == "left"]
    for change in left:
        console.print(
            f"[yellow]left[/]: {escape(_beside(change.path, folder))} has it: it is yours. What a dataset still has is "
            "asked again by the next run",
            soft_wrap=True,
        )
    if done.shared:
        console.print(f"{done.shared:,} texts of the sample are those of other samples as well, and stand there")
    if found is not None and not done.dry:
        _print_space(console, found.space)
        if found.space is not None and _unfinished(found.space):
            console.print("[yellow]not done[/]: until the database is written anew, its free pages may have it")
    return bool(left or named or (found is not None and found.space is not None and _unfinished(found.space)))


def _unfinished(space: Space) -> bool:
    return "could not be written" in space.told


def _beside(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _print_space(console: Console, space: Space | None) -> None:
    if space is not None:
        told = f" ({space.told})" if space.told else ""
        console.print(f"the database takes {_size(space.after)}, before {_size(space.before)}{escape(told)}")


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


def _print_calls(console: Console, gone: Gone, would: str) -> None:
    """A user's calls, by day."""
    console.print(
        f"{gone.calls:,} calls of the user on {len(gone.days):,} days {would}removed from the telemetry, "
        f"{gone.rows:,} rows with all that was told of them",
        soft_wrap=True,
    )
    for day, calls in gone.days.items():
        console.print(f"  {day:%Y-%m-%d}  {calls:,}")
