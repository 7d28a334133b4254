"""An attribution on the terminal: what moved, and which nodes account for it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.attribution import REPEAT, Attribution, Contribution
from driftgate.benchmarks.stats import Interval

_SAMPLES = 5
_LIMITS = len("+0.0000 (-0.0000…+0.0000)")
"""Columns that a mean with its limits takes: one that is cut says nothing."""


def print_attribution(out: Console, found: Attribution, names: tuple[str, str]) -> None:
    """What moved, by how much each node, and the samples to look at."""
    interval = found.difference.interval
    known = interval.low is not None and interval.high is not None
    limits = f" ({interval.low:+.4f}…{interval.high:+.4f})" if known else f" ({interval.reason})"
    out.print(f"from [bold]{escape(names[0])}[/] to [bold]{escape(names[1])}[/]", soft_wrap=True)
    out.print(
        f"{escape(found.metric)}: {found.scores[0]:.4f} → {found.scores[1]:.4f}, difference "
        f"[bold]{found.difference.difference or 0.0:+.4f}[/]{limits}, n={found.n:,}",
        soft_wrap=True,
    )
    out.print(f"[bold]{escape(sentence(found))}[/]", soft_wrap=True)
    if found.contributions:
        table = Table(header_style="bold")
        table.add_column("node", overflow="fold")
        table.add_column("differs", overflow="fold")
        table.add_column("contribution (95%)", justify="right", min_width=_LIMITS)
        for column in ("share", "p (Holm)", "moved"):
            table.add_column(column, justify="right")
        for one in found.contributions:
            table.add_row(*_row(one))
        out.print(table)
    print_coalitions(out, found)
    for one in found.contributions:
        for sample in one.samples[:_SAMPLES] if one.named else ():
            before, after = sample.scores
            moved = f"{sample.contributions[one.player.name]:+.3f}"
            out.print(escape(f"  {one.player.name} {moved}: {sample.id} ({before:g} → {after:g})"), soft_wrap=True)
    how = "all coalitions" if found.exact else f"orders of joining sampled with seed {found.seed}"
    counts = found.counts
    out.print(
        f"[dim]Shapley values over {how}, {found.coalitions} a sample; node outputs: {counts.reused:,} reused, "
        f"{counts.ran:,} run; model calls: {counts.asked:,} made, {counts.replies:,} answered from the ledger. "
        "What a model was asked anew is one draw of it[/]",
        soft_wrap=True,
    )
    if found.silent:
        out.print(
            f"[yellow]{found.silent:,} samples are left out: a model gave no reply in one of the runs[/] "
            "(ask again with: driftgate bench --resume --retry-failed)",
            soft_wrap=True,
        )
    if found.not_replayed:
        out.print(f"[yellow]{found.not_replayed:,} samples are left out: a model gives no reply now[/]")
    if found.unsteady:
        out.print(f"[yellow]not the same again on every sample tried: {escape(', '.join(found.unsteady))}[/]")


def print_coalitions(out: Console, found: Attribution) -> None:
    """What each coalition of a few nodes scores, where there are several, and which of them move it only together."""
    if len(found.table) > 2:
        table = Table(header_style="bold", title="with these from the second run", title_justify="left")
        table.add_column("nodes", overflow="fold")
        table.add_column("score", justify="right")
        table.add_column("change (95%)", justify="right", min_width=_LIMITS)
        for column in ("lower", "higher"):
            table.add_column(column, justify="right")
        for row in found.table:
            table.add_row(
                escape(" + ".join(row.nodes) or "none"),
                f"{row.score:.4f}",
                "-" if not row.nodes else f"{row.change.estimate or 0.0:+.4f}{_limits(row.change)}",
                f"{row.lower:,}",
                f"{row.higher:,}",
            )
        out.print(table)
    for together in found.together:
        out.print(f"[bold]{escape(together.told)}.[/]", soft_wrap=True)


def sentence(found: Attribution) -> str:
    """What was found, in one sentence."""
    nodes = [one for one in found.contributions if one.player.nodes != (REPEAT,)]
    named = [one for one in nodes if one.named]
    if not nodes:
        repeat = " What moved is the model not repeating itself." if found.contributions else ""
        return f"No node is configured otherwise: nothing is attributed.{repeat}"
    if not named:
        return "No node's contribution is told from 0."
    parts = []
    for one in named:
        share = f"{100 * one.share:.0f}% of the difference" if one.share is not None else "a part"
        parts.append(f"{one.player.name} accounts for {share} ({one.interval.estimate or 0.0:+.4f})")
    return "; ".join(parts) + "."


def _row(one: Contribution) -> list[str]:
    interval = one.interval
    words: Any = "outputs unlike for the same configuration and input" if one.player.nodes == (REPEAT,) else None
    return [
        escape(one.player.name),
        escape(words or ", ".join(one.player.differs)),
        f"{interval.estimate or 0.0:+.4f}{_limits(interval)}",
        "-" if one.share is None else f"{100 * one.share + 0.0:.0f}%",
        "-" if one.p_adjusted is None else f"{one.p_adjusted:.2g}",
        f"{one.moved:,}",
    ]


def _limits(interval: Interval) -> str:
    known = interval.low is not None and interval.high is not None
    return f" ({interval.low:+.4f}…{interval.high:+.4f})" if known else ""
