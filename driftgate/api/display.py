"""Show a run to a person: a progress bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from driftgate.benchmarks.gate.outputs import one_line
from driftgate.benchmarks.runner import CellProgress

_LOG_SECONDS = 15.0


@dataclass
class ProgressDisplay:
    """A :class:`driftgate.benchmarks.runner.Display` with rate, time left, outcomes and cost."""

    console: Console
    _bar: Progress | None = None
    _task: TaskID | None = None
    _began: float = field(default_factory=time.monotonic)
    _begun_at: int = 0
    _logged: float = 0.0
    _drawn: float = 0.0
    _said: set[str] = field(default_factory=set)

    def begin(self, progress: CellProgress) -> None:
        """Start a bar for the cell."""
        self._began, self._begun_at = time.monotonic(), progress.done
        self._logged = self._began
        if progress.done:
            self.console.print(f"  {progress.cell.name}: {progress.done} of {progress.asked} are already recorded")
        if self.console.is_terminal:
            self._bar = Progress(
                TextColumn("  {task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[tail]}"),
                console=self.console,
                refresh_per_second=5,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(progress.cell.name, total=progress.asked, completed=progress.done, tail="")

    def advance(self, progress: CellProgress) -> None:
        """Move the bar, at most ten times a second; without a terminal print a line now and then."""
        now = time.monotonic()
        self._say(progress)
        if self._bar is not None and self._task is not None:
            if now - self._drawn > 0.1:
                self._drawn = now
                self._bar.update(self._task, completed=progress.done, tail=self._tail(progress, now))
        elif now - self._logged >= _LOG_SECONDS:
            self._logged = now
            self.console.print(f"  {progress.cell.name}: {progress.done}/{progress.asked} {self._tail(progress, now)}")

    def end(self, progress: CellProgress) -> None:
        """Take the bar away and leave one line."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None
        self._say(progress)
        seconds = time.monotonic() - self._began
        self.console.print(
            f"  {progress.cell.name}: {progress.done}/{progress.asked} in {seconds:.1f} s {self._tail(progress, None)}"
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
        seconds = max((now or time.monotonic()) - self._began, 1e-6)
        parts = [f"{(progress.done - self._begun_at) / seconds:.1f}/s"]
        parts += [f"{name} {count}" for name, count in progress.outcomes.most_common()]
        if progress.cost is None and progress.cell.model_config.prices.known:
            parts.append("cost unknown")
        elif progress.cost:
            parts.append(f"{progress.cost:.4f} {progress.cell.model_config.prices.currency}")
        if now is not None and 0 < progress.capacity < progress.cell.model_config.in_flight:
            parts.append(f"slowed to {progress.capacity} in flight")
        return " · ".join(parts)
