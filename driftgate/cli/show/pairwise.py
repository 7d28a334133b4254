"""What a comparison by a judge says, printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

if TYPE_CHECKING:
    from rich.console import Console

    from driftgate.benchmarks.pairwise import Pairwise

_COLOURS = {"first": "green", "second": "green", "inconclusive": "yellow", "unmeasurable": "magenta"}


def print_pairwise(console: Console, found: Pairwise) -> None:
    """The verdict, the win rate and the position bias with their intervals, and the pairs by what became of them."""
    from driftgate.flows.plain import one_line

    said = found.said
    better = {"first": f"{found.first} is better", "second": f"{found.second} is better"}
    verdict = one_line(better.get(said.verdict, said.verdict))
    console.print(
        f"[bold {_COLOURS[said.verdict]}]{escape(verdict)}[/]: {escape(one_line(said.reason))}", soft_wrap=True
    )
    sides = f"{found.first} against {found.second}, by judge '{found.judge}'"
    console.print(f"  {escape(one_line(sides))}", soft_wrap=True)
    counts = found.counts
    told = f"{counts['won']:,} won, {counts['lost']:,} lost, {counts['tied']:,} tied"
    place = f"{counts['followed the place']:,} decided by the place alone, {counts['not measured']:,} not measured"
    console.print(f"  of {len(found.pairs):,} pairs, each asked in both orders: {told}, {place}", soft_wrap=True)
    if said.win_rate is not None and said.bias is not None:
        console.print(f"  win rate {said.win_rate:.1%} (95%: {_range(said.low, said.high)})")
        bias = f"{said.bias:+.1%} towards the first place (95%: {_range(said.bias_low, said.bias_high, '+')})"
        console.print(f"  position bias {bias}")
    cost = "unknown" if found.cost is None else f"{found.cost:.4f}"
    console.print(f"  cost {cost}")
    if error := next((pair.error for pair in found.pairs if pair.error), ""):
        console.print(f"  [red]first that was not measured: {escape(one_line(error))}[/]", soft_wrap=True)


def _range(low: float | None, high: float | None, sign: str = "") -> str:
    return "unknown" if low is None or high is None else f"{low:{sign}.1%} to {high:{sign}.1%}"
