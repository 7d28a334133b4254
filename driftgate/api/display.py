"""Show a run to a person: a progress bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn

from driftgate.api.terminal import Bars, PlainConsole
from driftgate.benchmarks.progress import CellProgress
from driftgate.flows.plain import one_line

_LEAST = 2
"""Samples after the first from which the rest is forecast; the first may have waited for a model to be loaded."""


@dataclass
class _Shown:
    """A cell that is shown."""

    began: float
    done_before: int
    logged: float
    task: TaskID | None = None
    first: float | None = None
    """When the cell's first sample got its outcome."""


@dataclass
class ProgressDisplay:
    """A :class:`driftgate.benchmarks.progress.Display` with rate, time left in the run, outcomes and cost."""

    console: PlainConsole
    log_seconds: float = 15.0
    """Time between two lines where there is no terminal; the first comes after a third of it."""
    _bars: Bars | None = None
    _shown: dict[int, _Shown] = field(default_factory=dict)
    """By the identity of the cell's progress: several run together where they wait for batches."""
    _drawn: float = 0.0
    _said: set[str] = field(default_factory=set)

    def begin(self, progress: CellProgress) -> None:
        """Start a bar for the cell."""
        now = time.monotonic()
        shown = self._shown[id(progress)] = _Shown(now, progress.done, now - self.log_seconds * 2 / 3)
        if progress.done:
            self.console.print(
                f"  {escape(progress.cell.name)}: {progress.done} of {progress.asked} are already recorded"
            )
        if self.console.is_terminal:
            if self._bars is None:
                self._bars = Bars(
                    TextColumn("  {task.description}"),
                    BarColumn(bar_width=24),
                    MofNCompleteColumn(),
                    TextColumn("{task.fields[tail]}"),
                    console=self.console,
                    refresh_per_second=5,
                    transient=True,
                )
                self._bars.start()
            shown.task = self._bars.add_task(
                escape(progress.cell.name), total=progress.asked, completed=progress.done, tail=""
            )

    def advance(self, progress: CellProgress) -> None:
        """Move the bar, at most ten times a second; without a terminal print a line now and then."""
        now, shown = time.monotonic(), self._shown[id(progress)]
        self._say(progress)
        if progress.done > shown.done_before:
            shown.first = shown.first or now
        if self._bars is not None and shown.task is not None:
            if now - self._drawn > 0.1:
                self._drawn = now
                self._bars.update(shown.task, completed=progress.done, tail=self._tail(progress, now))
        elif now - shown.logged >= self.log_seconds:
            shown.logged = now
            self.console.print(
                f"  {escape(progress.cell.name)}: {progress.done}/{progress.asked} {self._tail(progress, now)}"
            )

    def end(self, progress: CellProgress) -> None:
        """Take the bar away and leave one line."""
        self._say(progress)
        tail = self._tail(progress, None)
        shown = self._shown.pop(id(progress))
        if self._bars is not None:
            if shown.task is not None:
                self._bars.remove_task(shown.task)
            if not self._shown:
                self._bars.stop()
                self._bars = None
        seconds = time.monotonic() - shown.began
        self.console.print(
            f"  {escape(progress.cell.name)}: {progress.done}/{progress.asked} in {seconds:.1f} s {tail}"
        )
        for words, count in progress.failures.most_common(1):
            times = "once" if count == 1 else f"{count:,} times"
            self.console.print(f"  [red]failed {times}[/] with: {escape(one_line(words))}", soft_wrap=True)

    def _say(self, progress: CellProgress) -> None:
        """Say each thing that the user should know once in a run."""
        for note in progress.notes:
            if note not in self._said:
                self._said.add(note)
                self.console.print(f"  {escape(one_line(note))}", soft_wrap=True)

    def _tail(self, progress: CellProgress, now: float | None) -> str:
        shown = self._shown[id(progress)]
        seconds = max((now or time.monotonic()) - shown.began, 1e-6)
        parts = [f"{(progress.done - shown.done_before) / seconds:.1f}/s"]
        parts += [f"{name} {count}" for name, count in progress.outcomes.most_common()]
        if progress.cost is None and progress.cell.model_config.prices.known:
            parts.append("cost unknown")
        elif progress.cost:
            parts.append(f"{progress.cost:.4f} {progress.cell.model_config.prices.currency}")
        if left := _left(progress, shown):
            parts.append(f"about {duration(left)} left")
        if now is not None and 0 < progress.capacity < progress.cell.model_config.in_flight:
            parts.append(f"slowed to {progress.capacity} in flight")
        return " · ".join(parts)


def _left(progress: CellProgress, shown: _Shown) -> float:
    """Seconds until the run ends, if it goes on as in this cell; 0 where it is done or too little is known."""
    done = progress.done - shown.done_before - 1
    left = progress.asked - progress.done + progress.later
    return 0.0 if done < _LEAST or shown.first is None else left * (time.monotonic() - shown.first) / done


def duration(seconds: float) -> str:
    """A time in words, no more exact than a forecast is.

    Examples
    --------
    >>> [duration(seconds) for seconds in (0.2, 8.1, 42, 200, 5000)]
    ['1 s', '9 s', '45 s', '4 min', '1 h 24 min']
    """
    if seconds <= 90:
        return f"{math.ceil(seconds) if seconds <= 10 else math.ceil(seconds / 5) * 5} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
