"""A look at prompts on the terminal: how well the model repeats itself, and what each signal did."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.stats import Interval
from driftgate.monitor.prompt_look import PromptLook


def print_prompt_look(console: Console, found: PromptLook) -> None:
    """Repeatability in a line, the signals in a table; nothing where nothing was compared."""
    same = found.repeatability
    if same is not None and same.n:
        console.print(
            f"{same.n} questions asked {same.repeats} times: all answers alike {_share(same.unanimous)}, two answers "
            f"alike {_share(same.agreement)}, entropy over meanings {_share(same.entropy)}",
            soft_wrap=True,
        )
    if found.watched.look is None or not found.watched.look.findings:
        return
    table = Table(header_style="bold")
    for column in ("signal", "n", "before", "now", "effect", "p", "p (BH)", "lost / gained / other"):
        table.add_column(column, justify="left" if column == "signal" else "right")
    for row in found.watched.look.findings:
        seen = row.everywhere
        counts = [seen.detail.get(name) for name in ("lost", "gained", "changed_but_equal")]
        table.add_row(
            escape(row.signal.name),
            f"{seen.n_current}",
            _level(seen.reference_value),
            _level(seen.current_value),
            _points(seen.effect),
            _p(row.p_value),
            _p(row.adjusted_p_value),
            "" if None in counts else " / ".join(f"{count:.0f}" for count in counts if count is not None),
        )
    console.print(table)


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"


def _level(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _share(interval: Interval) -> str:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return "-" if interval.estimate is None else f"{interval.estimate:.1%}"
    return f"{interval.estimate:.1%} ({interval.low:.1%}–{interval.high:.1%})"


def _points(interval: Interval) -> str:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return "-" if interval.estimate is None else f"{100 * interval.estimate:+.1f}"
    return f"{100 * interval.estimate:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
