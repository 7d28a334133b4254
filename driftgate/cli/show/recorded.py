"""An import on the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn

from driftgate.api.terminal import Bars, PlainConsole
from driftgate.benchmarks.recorded import Imported


class ImportBar:
    """A :class:`driftgate.api.recorded.ImportDisplay`: bars while it goes on, and a line for each file."""

    def __init__(self, console: PlainConsole) -> None:
        columns = (TextColumn("  {task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
        self._bar = Bars(
            *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
        )
        self._files: TaskID | None = None
        self._rows: TaskID | None = None

    def __enter__(self) -> ImportBar:
        self._bar.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._bar.stop()

    def begin(self, name: str, rows: int, files: int) -> None:
        """Start a bar for the file."""
        if self._files is None:
            self._files = self._bar.add_task("files", total=files)
        self._rows = self._bar.add_task(escape(name), total=rows)

    def advance(self, rows: int) -> None:
        """Move the bar."""
        if self._rows is not None:
            self._bar.advance(self._rows, rows)

    def end(self, done: Imported | None) -> None:
        """Take the bar away and say what came of the file."""
        if self._rows is not None:
            self._bar.remove_task(self._rows)
        if self._files is not None:
            self._bar.advance(self._files)
        if done is None:
            return
        missing = done.asked - done.rows
        parts = [f"{done.rows:,} of {done.asked:,} samples", *([f"{missing:,} missing"] if missing else [])]
        parts += [] if done.joined else ["without questions"]
        parts += [] if done.new else ["was imported before"]
        self._bar.console.print(f"  {escape(done.run.id)}: {', '.join(parts)}", soft_wrap=True)
