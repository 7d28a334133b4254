"""Prompt drift on the terminal: repeatability and sensitivity."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from driftgate.api.prompt_drift import Steadiness
from driftgate.benchmarks.stats import Interval


def print_steadiness(console: Console, found: Steadiness) -> None:
    """Both tables."""
    same = found.repeatability
    console.print(
        f"[bold]{found.champion}[/]: {same.n} canaries asked {same.repeats} times: "
        f"all answers alike {_share(same.unanimous)}, two answers alike {_share(same.agreement)}"
    )
    table = Table(header_style="bold")
    for column in ("changed", "n", "answers that flipped", "by asking again", "lost / gained", "accuracy", "p (Holm)"):
        table.add_column(column, justify="left" if column == "changed" else "right")
    for row in found.sensitivity:
        again = "-" if row.repeat_flip_rate is None else f"{row.repeat_flip_rate:.1%}"
        p = "-" if row.adjusted_p_value is None else f"{row.adjusted_p_value:.2g}"
        difference = row.accuracy_difference
        table.add_row(
            row.title, str(row.n), _share(row.flip_rate), again, f"{row.lost} / {row.gained}", _points(difference), p
        )
    console.print(table)


def _share(interval: Interval) -> str:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return "-"
    return f"{interval.estimate:.1%} ({interval.low:.1%}–{interval.high:.1%})"


def _points(interval: Interval) -> str:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return "-"
    return f"{100 * interval.estimate:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
