"""A backtest on the terminal."""

from __future__ import annotations

from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.api.backtest import AnswersBacktest, Backtest
from driftgate.monitor.replay import Change, Replay


def print_backtest(console: Console, found: Backtest) -> None:
    """What changed by slice, how soon it would have been noticed, and how often where nothing had changed."""
    table = Table(header_style="bold")
    for column in ("slice", "pairs", "before", "after"):
        table.add_column(column, justify="left" if column == "slice" else "right", overflow="fold")
    for name, count, before, after in found.scores:
        table.add_row(escape(name) or "(none)", f"{count:,}", f"{before:.3f}", f"{after:.3f}")
    console.print(table)
    if found.left_out:
        console.print(f"{found.left_out:,} shared samples are left out: one run has no reply to them")
    orders = len(found.alarms)
    seen = sorted(alarm for alarm in found.alarms if alarm is not None)
    if seen:
        latest = f"median {median(seen):g} pairs, at most {seen[-1]:,}"
        console.print(f"noticed in {len(seen)} of {orders} orders of {found.pairs:,} pairs: {latest}")
    else:
        console.print(f"noticed in none of {orders} orders of {found.pairs:,} pairs")
    for names, count in found.named[:5]:
        console.print(f"  named in {count}: {escape(names)}")
    console.print(
        f"false alarms, answers of a pair exchanged: {found.false_alarms} of {orders} (at most {found.alpha:.0%})"
    )


def print_answers(console: Console, found: AnswersBacktest) -> None:
    """What became of the questions on both sides, each outcome by itself, and how soon it would have been noticed."""
    both = found.answered.replied()
    names = found.streams[0][1]
    console.print(
        f"{len(found.answered.pairs):,} questions of {escape(names.before)} and {escape(names.after)}; "
        f"{found.answered.alone:,} of one alone; compared are {len(both):,} with a reply of both",
        soft_wrap=True,
    )
    table = Table(header_style="bold")
    for column in ("outcome", "before", "after", "change in points, 95%", "p"):
        table.add_column(column, justify="left" if column == "outcome" else "right", overflow="fold")
    for name, (before, after) in found.answered.counts().items():
        label = name if found.answered.graded or name != "right" else "answered"
        if name == "failed":
            table.add_row(label, f"{before:,}", f"{after:,}", "not compared", "")
            continue
        change = found.answered.change(name)
        limits = change.interval
        told = f"{100 * (change.difference or 0.0):+.1f}"
        if limits.low is not None and limits.high is not None:
            told += f" ({100 * limits.low:+.1f} to {100 * limits.high:+.1f})"
        p_value = "" if change.p_value is None else f"{change.p_value:.2g}"
        table.add_row(label, f"{before:,}", f"{after:,}", told, p_value)
    console.print(table)
    for what, stream in found.streams:
        console.print(f"\n[bold]{what}[/]")
        print_backtest(console, stream)


def print_replay(console: Console, found: Replay) -> None:
    """What the looks would have said, alarms a month, and how soon changes of known size are found."""
    console.print(
        f"{found.calls:,} calls of {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}, {len(found.looks):,} looks, each "
        f"with a level of {found.level:.2g}",
        soft_wrap=True,
    )
    results = ", ".join(f"{count:,} {name}" for name, count in sorted(found.results.items()))
    rate = found.alarms_a_month
    often = "too short a time to say how many a month" if rate is None else f"{rate:.1f} a month"
    console.print(f"{results}; {_alarms(len(found.alarms))}, {often}; the budget is {found.budget:g}", soft_wrap=True)
    for one in found.alarms:
        console.print(f"[bold]{one.at:%Y-%m-%d %H:%M} UTC[/]", soft_wrap=True)
        for alert in one.alerts:
            console.print(f"  {escape(alert.summary)}", soft_wrap=True)
    said: dict[str, int] = {}
    for one in found.looks:
        if one.result in ("inconclusive", "unmeasurable"):
            said[f"{one.result}: {one.reason}"] = said.get(f"{one.result}: {one.reason}", 0) + 1
    for why, count in sorted(said.items(), key=lambda pair: -pair[1])[:5]:
        console.print(f"{count:,} looks {escape(why)}", soft_wrap=True)
    if not found.changes:
        return
    table = Table(header_style="bold")
    for column in ("change put in", "found", "after, median", "at most", "watched for"):
        table.add_column(column, justify="left" if column == "change put in" else "right", overflow="fold")
    for change in found.changes:
        delays = sorted(change.delays)
        when = (f"{median(delays):g}", f"{delays[-1]}") if delays else ("", "")
        table.add_row(_size(change), f"{len(delays)} of {change.begun}", *when, f"{change.watched} looks")
    console.print(table)


def _size(change: Change) -> str:
    words = f"{100 * change.size:g} points" if change.unit == "share" else f"{change.size:.0%}"
    return escape(f"{change.title}, {words}")


def _alarms(count: int) -> str:
    return f"{count:,} alarm" if count == 1 else f"{count:,} alarms"
