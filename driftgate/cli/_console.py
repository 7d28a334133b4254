"""What every command shares: the terminal, and how paths and names are written on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from driftgate.api.terminal import Bars, PlainConsole
from driftgate.flows.errors import DriftgateError, StoppedByUser
from driftgate.flows.plain import one_line
from driftgate.flows.private_text import write_text

_LOG_WIDTH = 150
_LOG_SECONDS = 60.0


def _console() -> PlainConsole:
    """A log has no width of its own; a table is not to be squeezed into eighty columns there."""
    plain = PlainConsole()
    return plain if plain.is_terminal else PlainConsole(width=max(plain.width, _LOG_WIDTH))


console = _console()


@contextmanager
def stops(words: str) -> Iterator[None]:
    """Ctrl-C in the body of a ``with`` prints ``words``, which say how to go on, and ends the command."""
    try:
        yield
    except KeyboardInterrupt:
        console.print(words, soft_wrap=True)
        raise StoppedByUser from None


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def names(text: str) -> list[str]:
    """The names in a list parted by commas."""
    return [name for part in text.split(",") if (name := part.strip())]


@contextmanager
def bar(words: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, a line a minute in a log; it is told how much is done, and of how much."""
    shows = Bars(
        TextColumn(f"  {words}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    task = shows.add_task("", total=None)
    told = time.monotonic()

    def advance(done: int, total: int) -> None:
        nonlocal told
        shows.update(task, completed=done, total=total)
        if not console.is_terminal and time.monotonic() - told >= _LOG_SECONDS:
            told = time.monotonic()
            console.print(f"  {words}: {done:,} of {total:,}")

    with shows:
        yield advance


def remark(words: str) -> None:
    """Print what is waited for, above a bar or in a log, as it may be a service's own words."""
    console.print(f"[yellow]{escape(one_line(words))}[/]", soft_wrap=True)


def check_writable(path: Path | None) -> None:
    """See that a file can be written, before what it is to hold is paid for.

    Raises
    ------
    DriftgateError
        Its folder is not there, or it is a folder itself.
    """
    if path is None:
        return
    if path.is_dir():
        raise DriftgateError(f"{path} is a folder, and a file is to be written there", "name a file in it")
    if not path.absolute().parent.is_dir():
        raise DriftgateError(f"{path} cannot be written: there is no folder {path.parent}", "make the folder first")


def write_json(path: Path, value: Any) -> None:
    """Write a value for programs to read."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")
