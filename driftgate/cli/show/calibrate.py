"""A judge held against people's labels, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.flows.plain import one_line

if TYPE_CHECKING:
    from driftgate.benchmarks.calibration import Bias, Calibration, Cut


def print_calibration(console: Console, made: Calibration) -> None:
    """Agreement, confusion, bias by slice and length, thresholds, and the corrected pass rate."""

    def say(words: str, colour: str = "default") -> None:
        console.print(f"[{colour}]{escape(one_line(words))}[/]", soft_wrap=True)

    say(f"{made.evaluator} (pin {made.pin}): {made.n:,} texts, {made.blank:,} without a label")
    if made.asked is not None:
        say(made.asked.words)
    if made.errors:
        say(f"the judge gave {made.errors:,} of them no grade: {made.error}", "magenta")
    say(f"{made.of}: {made.agreement.words}; the judge is {made.agreement.bias:+.2f} above people on average")
    wanted = "" if made.wanted is None else f" (at least {made.wanted:.2f} is wanted)"
    if made.unvalidated:
        say(f"these labels would not admit the judge: {made.unvalidated}{wanted}", "magenta")
    else:
        say(f"these labels would admit the judge{wanted}", "green")
    console.print(_confusion(made))
    for title, parts in (("slice", made.slices), ("length", made.lengths)):
        if parts:
            console.print(_biases(title, parts))
    if made.best is not None and made.present is not None:
        say(f"threshold {made.best.threshold:g} agrees best with people's verdicts: {_cut(made.best)}")
        say(f"threshold {made.present.threshold:g}, which is set, agrees in {_cut(made.present)}")
    if made.corrected is not None:
        say(f"{made.corrected.cell}: {made.corrected.words}", "bold")
        if made.corrected.missing:
            say(f"{made.corrected.missing:,} samples have no grade of the judge, and count at their worst", "magenta")
        say("this is right where the labelled samples were drawn at random, as --draw does")


def _cut(cut: Cut) -> str:
    between = "" if cut.low is None or cut.high is None else f" ({cut.low:.0%} to {cut.high:.0%})"
    return f"{cut.agreed:.0%} of the labels{between}"


def _confusion(made: Calibration) -> Table:
    judge = sorted({word for found in made.confusion.values() for word in found})
    table = Table(header_style="bold", title="people down, the judge across", title_justify="left")
    for column in ("", *judge):
        table.add_column(escape(column), justify="right")
    for word, found in made.confusion.items():
        table.add_row(escape(word), *(f"{found.get(one, 0):,}" for one in judge))
    return table


def _biases(title: str, parts: Sequence[Bias]) -> Table:
    table = Table(header_style="bold")
    for column in (title, "n", "judge less people", "95% interval"):
        table.add_column(column, justify="left" if column == title else "right")
    for one in parts:
        between = "-" if one.low is None or one.high is None else f"{one.low:+.2f} to {one.high:+.2f}"
        table.add_row(escape(one_line(one.part)), f"{one.n:,}", f"{one.bias:+.2f}", between)
    return table
