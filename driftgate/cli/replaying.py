"""``driftgate monitor backtest``: what is past, as if it were live."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import driftgate
from driftgate.cli._console import console
from driftgate.cli.show.backtest import print_answers, print_backtest, print_replay
from driftgate.flows.errors import DriftgateError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Past:
    """The options of the command."""

    mapping: str
    sides: tuple[str, str] | None
    reads: str
    monitor: str
    signals: str
    sizes: str
    starts: int
    by: str
    orders: int
    seed: int


def run_backtest(folder: Path, what: str, after: str, how: Past) -> None:
    """Replay runs, a file of answers, a file of calls, or a monitor's calls."""
    with driftgate.open(folder) as ws:
        if after:
            print_backtest(console, ws.backtest(what, after, by=how.by, orders=how.orders, seed=how.seed))
            return
        columns, path = _columns(how.mapping), Path(what)
        if how.sides is not None:
            found = ws.backtest_answers(
                _file(path), *how.sides, columns, reads=how.reads, orders=how.orders, seed=how.seed
            )
            print_answers(console, found)
            return
        known = what in ws.files.config.monitors
        if not known and not path.is_file():
            raise DriftgateError(
                f"'{what}' is no monitor of the workspace and no file",
                "name a monitor, a file of calls or of answers, or two runs",
            )
        with _progress() as advance:
            replayed = ws.replay_traffic(
                what if known else how.monitor,
                None if known else path,
                columns,
                signals=_parts(how.signals) or None,
                sizes=_sizes(how.sizes),
                starts=how.starts,
                seed=how.seed,
                advance=advance,
            )
        print_replay(console, replayed)


def _file(path: Path) -> Path:
    if not path.is_file():
        raise DriftgateError(f"there is no file {path}", "name a file of answers, with --sides BEFORE AFTER")
    return path


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _columns(mapping: str) -> dict[str, str]:
    columns = {}
    for part in _parts(mapping):
        field, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not field or not column:
            raise DriftgateError(f"'{part}' maps nothing", "write FIELD=COLUMN, as time=timestamp,latency=seconds")
        columns[field] = column
    return columns


def _sizes(text: str) -> list[float]:
    try:
        sizes = [float(part) for part in _parts(text)]
    except ValueError:
        sizes = [0.0]
    if not all(0.0 < size < 100.0 for size in sizes):
        raise DriftgateError(f"'{text}' are no sizes of changes", "write numbers above 0, as 0.25,0.5")
    return sizes


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    from rich.progress import Progress

    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("looks")
        yield lambda done, total: shown.update(task, completed=done, total=total)
