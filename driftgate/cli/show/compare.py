"""Comparisons on the terminal: all differences, then each dataset."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from driftgate.benchmarks.compare import Comparisons, DatasetComparison, Difference, Pair, flips, why_unused
from driftgate.benchmarks.report import p_value
from driftgate.cli.show.compare_text import (
    bounds_text,
    finding_text,
    interval_text,
    measured,
    percent,
    place_text,
    points,
    range_text,
)
from driftgate.cli.show.ranking import print_matrix, print_ranking

_CATEGORIES = 8
_SAMPLES = 5
_PAIRS = 3
_COLOURS = {"higher": "green", "lower": "red", "unmeasurable": "magenta"}


def print_comparisons(console: Console, compared: Comparisons) -> None:
    """Everything, from the shortest to the longest: all differences, then each dataset."""
    few = [dataset for dataset in compared.datasets if dataset.ranking is None]
    if len(few) > 1:
        _print_overall(console, few)
    for dataset in compared.datasets:
        console.rule(escape(dataset.dataset), align="left")
        pairs = dataset.detailed
        if dataset.ranking is not None:
            print_ranking(console, dataset, dataset.ranking)
            _print_unused(console, dataset)
            print_matrix(console, dataset, dataset.ranking)
            if pairs:
                _print_pairs(console, pairs, "the pairs asked for")
        else:
            _print_cells(console, dataset)
            if len(dataset.pairs) > 1:
                _print_pairs(console, dataset.pairs, "differences between all pairs")
            # Of several cells only the pairs with the first are shown slice by slice; a page or CSV has them all.
            pairs = pairs if len(pairs) <= _PAIRS else [p for p in pairs if p.reference is dataset.entries[0]] or pairs
        for pair in pairs:
            _print_slices(console, pair)
        _print_flips(console, dataset)
        _print_suspects(console, dataset)
    for entry in compared.alone:
        console.print(
            f"[yellow]{escape(entry.label)} on {escape(entry.dataset)} stands alone[/]: nothing to compare with"
        )
    tests = len(compared.pairs)
    console.print(
        f"[dim]differences are in points, the second cell less the first; intervals are at 95%; p of {tests} overall "
        "differences by Holm, of categories by Benjamini and Hochberg within each pair; what was not answered counts "
        "as wrong, bounds say what it could change; unmeasurable is what it could turn[/]"
    )


def _print_overall(console: Console, datasets: Sequence[DatasetComparison]) -> None:
    table = _table("all datasets", "dataset", "difference of")
    _numbers(table, *_DIFFERENCE_COLUMNS)
    table.add_column("finding", overflow="fold")
    table.add_column("design")
    for dataset in datasets:
        for pair in dataset.pairs:
            shown = (*_difference_cells(pair.overall), finding_text(pair.overall), escape(pair.design))
            table.add_row(escape(dataset.dataset), escape(pair.name), *shown)
    console.print(table)


_DIFFERENCE_COLUMNS = ("score", "reference", "points", "95% interval", "p", "p adjusted", "bounds")


def _difference_cells(difference: Difference) -> list[str]:
    comparison = difference.comparison
    return [
        percent(difference.candidate),
        percent(difference.reference),
        _strong(points(comparison.difference), difference),
        interval_text(comparison.interval),
        p_value(comparison.p_value),
        p_value(difference.p_adjusted),
        bounds_text(difference),
    ]


def _strong(text: str, difference: Difference) -> str:
    colour = _COLOURS.get(difference.finding)
    return f"[{colour}]{text}[/]" if colour else text


def _print_cells(console: Console, dataset: DatasetComparison) -> None:
    first = escape(dataset.entries[0].label)
    table = _table(None, "cell")
    _numbers(table, "quality", "95% interval", "if all right", "asked", f"less {first}", "95% interval", "p adjusted")
    _numbers(table, "cost of 1,000", "median latency")
    table.add_column("Pareto")
    for standing in dataset.standings:
        pair = dataset.against_first(standing.entry)
        against = ["", "", ""]
        if pair is not None:
            overall = pair.overall
            against = [
                _strong(points(overall.comparison.difference), overall),
                interval_text(overall.comparison.interval),
                p_value(overall.p_adjusted),
            ]
        quality, asked = standing.quality, len(standing.entry.frame)
        asked_as = dataset.asked_as(standing.entry)
        table.add_row(
            escape(standing.entry.label) + (f"\n[dim]{escape(asked_as)}[/]" if asked_as else ""),
            percent(quality.estimate),
            range_text(quality, 100.0, "{:.1f}"),
            percent(standing.if_right),
            f"{asked:,}",
            *against,
            ("at most " if standing.cost and standing.at_most else "")
            + measured(standing.cost, standing.currency, "unknown"),
            measured(standing.latency, "s", "not recorded"),
            escape(place_text(standing)),
        )
    console.print(table)
    _print_unused(console, dataset)


def _print_unused(console: Console, dataset: DatasetComparison) -> None:
    missing = [name for name in ("cost", "latency") if name not in dataset.measures]
    if missing:
        why = "; ".join(f"{name} {why_unused(name, dataset.standings)}" for name in missing)
        console.print(f"  [dim]Pareto front by {' and '.join(dataset.measures)} only: {escape(why)}[/]")


def _print_pairs(console: Console, pairs: Sequence[Pair], title: str) -> None:
    table = _table(title, "difference of")
    _numbers(table, *_DIFFERENCE_COLUMNS, "gained", "lost", "detectable")
    table.add_column("finding", overflow="fold")
    table.add_column("design")
    for pair in pairs:
        comparison = pair.overall.comparison
        table.add_row(
            escape(pair.name),
            *_difference_cells(pair.overall),
            "-" if comparison.gained is None else f"{comparison.gained:,}",
            "-" if comparison.lost is None else f"{comparison.lost:,}",
            points(comparison.minimum_detectable_effect).removeprefix("+"),
            finding_text(pair.overall),
            escape(pair.design),
        )
    console.print(table)


def _print_slices(console: Console, pair: Pair) -> None:
    """The macro average and super-categories in full, of the categories the surest."""
    categories = sorted(pair.of_kind("category"), key=lambda d: (-d.certain, d.name))
    sure = [d for d in categories if d.significant]
    rows = [*pair.differences[:1], *pair.of_kind("macro"), *pair.of_kind("super_category"), *sure[:_CATEGORIES]]
    table = _table(f"{escape(pair.name)}: {escape(pair.design)}", "slice")
    _numbers(table, *_DIFFERENCE_COLUMNS, "n")
    table.add_column("finding", overflow="fold")
    for row in rows:
        name = {"all": "[bold]all[/]", "macro": "macro average"}.get(row.kind, escape(row.name))
        name = f"  {name}" if row.kind == "category" else name
        table.add_row(name, *_difference_cells(row), f"{row.comparison.n:,}", finding_text(row))
    boot = pair.overall.bootstrap
    console.print(table)
    if boot is not None:
        console.print(f"  [dim]bootstrap of all samples: {interval_text(boot.interval)}, p {p_value(boot.p_value)}[/]")
    if categories:
        shown = f"; the {_CATEGORIES} surest are shown" if len(sure) > _CATEGORIES else ""
        console.print(f"  categories: {escape(pair.directions().words)}[dim]{shown}[/]", soft_wrap=True)


def _print_flips(console: Console, dataset: DatasetComparison) -> None:
    pairs = [pair for pair in dataset.detailed if pair.shared]
    if not pairs:
        return
    table = _table("samples that flipped", "difference of", "direction")
    _numbers(table, "samples")
    table.add_column("such as", overflow="fold")
    for pair in pairs:
        moved = flips(pair)
        for direction in ("gained", "lost"):
            ids = moved.loc[moved["direction"] == direction, "upstream_id"]
            few = ", ".join(escape(str(i)) for i in ids.head(_SAMPLES if len(pairs) <= _PAIRS else 1))
            table.add_row(escape(pair.name) if direction == "gained" else "", direction, f"{len(ids):,}", few)
    console.print(table)


def _print_suspects(console: Console, dataset: DatasetComparison) -> None:
    suspects = dataset.suspects
    if suspects.reason:
        console.print(f"  [dim]suspect keys: {escape(suspects.reason)}[/]")
        return
    console.print(
        f"  suspect keys: on {len(suspects.samples):,} of {suspects.looked_at:,} samples "
        f"{escape(' and '.join(suspects.strong))} agree on one other letter than the key "
        f"({suspects.expected:,.0f} would, if they erred on their own)"
    )
    for row in suspects.samples.head(_SAMPLES).itertuples():
        console.print(
            f"    {escape(str(row.upstream_id))} [dim]{escape(str(row.category))}[/]: key {row.gold}, they say "
            f"{row.letter} ({row.agree} for it, {row.with_key} for the key)"
        )


def _table(title: str | None, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _numbers(table: Table, *columns: str) -> None:
    for column in columns:
        table.add_column(column, justify="right")
